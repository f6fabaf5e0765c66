package train

import (
	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/internal/kernels/vmath"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// entry is what training must know of a way for the image to enter. Each makes the
// first input of the image, and may add a share [n,E], one row for each caption, to
// the input of every word. What enters elsewhere, or differs from word to word, is no
// entry of this form: it needs code in captioner/generator.go and in recurrent.go.
type entry struct {
	// forward computes the share [n,E] with the weights w, in the order of
	// captioner.Form.Params. nil is no share.
	forward func(o *inputs, share []float32, w [][]float32)

	// backward adds to the gradients g of those weights. It is given what forward
	// computed, and the gradient of that, which it may overwrite.
	backward func(o *inputs, share, dshare []float32, g [][]float32)
}

var entries = map[captioner.Entry]entry{
	captioner.Init: {},
	captioner.Every: {
		forward: func(o *inputs, share []float32, w [][]float32) {
			o.image.forward(share, o.b.feature, w[0], w[1], o.b.n)
		},
		backward: func(o *inputs, _, dshare []float32, g [][]float32) {
			o.image.backward(g[0], g[1], o.b.feature, dshare, o.b.n)
		},
	},
}

// inputs makes the input of the cell at every row of the batch:
//
//	step 0:  x = dropout(FirstW·v + FirstB)
//	later:   x = dropout(Embed[w] (+ EveryW·v + EveryB))
//
// Inputs: Embed [V,E], FirstW [E,D], FirstB [E] and the weights of the entry.
// Output: [rows,E].
type inputs struct {
	op
	entry entry
	image linear
	e     int

	out           *tensor.Dense // of x
	x             []float32     // [rows,E]
	mask          []float32     // [rows,E]; as in dropMask
	share, dshare []float32     // [n,E] image's share of the words' inputs, and its gradient
}

func newInputs(o op, f captioner.Form) *inputs {
	i := &inputs{op: o, entry: entries[f.Entry], image: linear{f.D(), f.E, o.threads}, e: f.E}
	i.out, i.x = o.output()
	return i
}

// Do is the forward pass.
func (o *inputs) Do(in ...G.Value) (G.Value, error) {
	b, E, w := o.b, o.e, data(in)
	embed := w[0]

	o.image.forward(o.x, b.feature, w[1], w[2], b.n)
	if o.entry.forward != nil {
		o.share = grow(o.share, b.n*E)
		o.entry.forward(o, o.share, w[3:])
	}
	o.mask = grow(o.mask, b.rows()*E)
	o.parallel(b.rows(), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			xr := row(o.x, r, E)
			if r >= b.n {
				copy(xr, embed[b.input[r]*E:])
				if o.entry.forward != nil {
					vmath.Add(xr, xr, o.share[b.caption[r]*E:])
				}
			}
			b.dropout(xr, row(o.mask, r, E), streamDropoutIn, r*E)
		}
	})
	return o.out, nil
}

// DoDiff is the backward pass:
//
//	dx = mask∘d(output)
//	dFirstW += dx[step 0]ᵀ·v;  dFirstB += Σ dx[step 0]
//	dEmbed[w] += dx of each row that read w
//	d(share) = Σ over the steps of dx
func (o *inputs) DoDiff(_ G.ExecutionContext, in G.Nodes, out *G.Node) error {
	_, g, dy, err := duals(in, out)
	if err != nil {
		return err
	}
	b, E, rows := o.b, o.e, o.b.rows()
	dx := dy.([]float32)[:rows*E]
	if b.drop > 0 {
		o.parallel(rows, func(lo, hi int) { vmath.Mul(dx[lo*E:hi*E], dx[lo*E:], o.mask[lo*E:]) })
	}
	o.image.backward(g[1], g[2], b.feature, dx, b.n)

	// Several rows read the same word: a goroutine takes a range of columns,
	// and adds the rows in order.
	embed := g[0]
	o.parallel(E, func(lo, hi int) {
		for r := b.n; r < rows; r++ {
			w := embed[b.input[r]*E+lo:][:hi-lo]
			vmath.Add(w, w, dx[r*E+lo:])
		}
	})
	if o.entry.backward != nil {
		o.dshare = grow(o.dshare, b.n*E)
		clear(o.dshare)
		for t := 1; t < b.steps(); t++ {
			lo, hi := b.span(t)
			vmath.Add(o.dshare[:(hi-lo)*E], o.dshare, dx[lo*E:])
		}
		o.entry.backward(o, o.share, o.dshare, g[3:])
	}
	return nil
}
