package train

import (
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// inputs makes the input of the cell at every row of the batch:
//
//	step 0:  x = dropout(FirstW·v + FirstB)
//	later:   x = dropout(Embed[w] (+ EveryW·v + EveryB))
//
// Inputs: Embed [V,E], FirstW [E,D], FirstB [E] and, where the image enters at
// every step, EveryW [E,D], EveryB [E]. Output: [rows,E].
type inputs struct {
	op
	b       *batch
	d, e    int
	threads int

	x     *tensor.Dense
	mask  []float32 // [rows,E]; as in dropMask
	every []float32 // [n,E] image's share of the words' inputs, then its gradient
}

func newInputs(b *batch, every bool, rows, d, e, threads int) *inputs {
	dims := []int{2, 2, 1}
	if every {
		dims = append(dims, 2, 1)
	}
	return &inputs{
		op: op{"inputs", dims, tensor.Shape{rows, e}},
		b:  b, d: d, e: e, threads: threads,
		x: tensor.New(tensor.WithShape(rows, e), tensor.Of(tensor.Float32)),
	}
}

// Do is the forward pass.
func (o *inputs) Do(in ...G.Value) (G.Value, error) {
	b, E, w := o.b, o.e, values(in)
	embed, firstW, firstB := w[0], w[1], w[2]
	x := o.x.Data().([]float32)

	linear(x, b.feature, firstW, firstB, b.n, o.d, E, o.threads)
	if len(w) > 3 {
		o.every = grow(o.every, b.n*E)
		linear(o.every, b.feature, w[3], w[4], b.n, o.d, E, o.threads)
	}
	o.mask = grow(o.mask, b.rows()*E)
	parallel(o.threads, b.rows(), func(lo, hi int) {
		for row := lo; row < hi; row++ {
			xr := x[row*E:][:E]
			if row >= b.n {
				copy(xr, embed[b.input[row]*E:])
				if len(w) > 3 {
					vmath.Add(xr, xr, o.every[b.caption[row]*E:])
				}
			}
			if b.drop > 0 {
				m := o.mask[row*E:][:E]
				dropMask(m, mix(b.key+streamDropoutIn), row*E, b.drop)
				vmath.Mul(xr, xr, m)
			}
		}
	})
	return o.x, nil
}

// DoDiff is the backward pass:
//
//	dx = mask∘d(output)
//	dFirstW += dx[step 0]ᵀ·v;  dFirstB += Σ dx[step 0]
//	dEmbed[w] += dx of each row that read w
//	dEvery = Σ over the steps of dx;  dEveryW += dEveryᵀ·v;  dEveryB += Σ dEvery
func (o *inputs) DoDiff(_ G.ExecutionContext, in G.Nodes, out *G.Node) error {
	_, g, err := duals(in)
	if err != nil {
		return err
	}
	dy, err := out.Grad()
	if err != nil {
		return err
	}
	b, E, rows := o.b, o.e, o.b.rows()
	dx := dy.Data().([]float32)[:rows*E]
	if b.drop > 0 {
		parallel(o.threads, rows, func(lo, hi int) { vmath.Mul(dx[lo*E:hi*E], dx[lo*E:], o.mask[lo*E:]) })
	}
	linearGrad(g[1], g[2], b.feature, dx, b.n, o.d, E, o.threads)

	// Several rows read the same word: a goroutine takes a range of columns,
	// and adds the rows in order.
	embed := g[0]
	parallel(o.threads, E, func(lo, hi int) {
		for row := b.n; row < rows; row++ {
			w := embed[b.input[row]*E+lo:][:hi-lo]
			vmath.Add(w, w, dx[row*E+lo:])
		}
	})
	if len(g) > 3 {
		every := o.every
		clear(every)
		for t := 1; t < b.steps(); t++ {
			lo, hi := b.span(t)
			vmath.Add(every[:(hi-lo)*E], every, dx[lo*E:])
		}
		linearGrad(g[3], g[4], b.feature, every, b.n, o.d, E, o.threads)
	}
	return nil
}

// linear computes y = x·Wᵀ + bias; x is [n,in], W [out,in], y [n,out].
func linear(y, x, w, bias []float32, n, in, out, threads int) {
	matmul.Mul(false, true, n, out, in, x, in, w, in, false, y, out, workers.Threads(threads))
	parallel(threads, n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			yr := y[i*out:][:out]
			vmath.Add(yr, yr, bias)
		}
	})
}

// linearGrad adds the gradients of linear: dW += dyᵀ·x, dbias += Σ dy.
func linearGrad(dw, dbias, x, dy []float32, n, in, out, threads int) {
	matmul.Mul(true, false, out, in, n, dy, out, x, in, true, dw, in, workers.Threads(threads))
	addRows(dbias, dy, n, out, threads)
}

// addRows adds the n rows of x [n,cols] to sum, in order.
func addRows(sum, x []float32, n, cols, threads int) {
	parallel(threads, cols, func(lo, hi int) {
		for i := range n {
			vmath.Add(sum[lo:hi], sum[lo:], x[i*cols+lo:])
		}
	})
}
