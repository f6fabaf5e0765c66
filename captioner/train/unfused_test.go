package train

import (
	"fmt"
	"math"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/rnn"
	"github.com/onetomany/caption/vocab"
)

// unfused is the training graph made of Gorgonia's own operators, caption by
// caption and word by word, in float64 and without dropout. Words and gates are
// picked by products with constant matrices.
type unfused struct {
	t      *testing.T
	g      *G.ExprGraph
	d      *captioner.Decoder
	param  map[string]*G.Node
	consts int
}

func (u *unfused) constant(rows, cols int, data []float64) *G.Node {
	u.consts++
	name := fmt.Sprint("constant", u.consts)
	if cols == 0 {
		return G.NewVector(u.g, G.Float64, G.WithName(name), G.WithShape(rows),
			G.WithValue(tensor.New(tensor.WithShape(rows), tensor.WithBacking(data))))
	}
	return G.NewMatrix(u.g, G.Float64, G.WithName(name), G.WithShape(rows, cols),
		G.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(data))))
}

// pick returns rows lo..hi of the vector x of length n.
func (u *unfused) pick(x *G.Node, n, lo, hi int) *G.Node {
	s := make([]float64, (hi-lo)*n)
	for i := range hi - lo {
		s[i*n+lo+i] = 1
	}
	return u.mul(u.constant(hi-lo, n, s), x)
}

func (u *unfused) mul(w, x *G.Node) *G.Node { return G.Must(G.Mul(w, x)) }
func (u *unfused) add(x ...*G.Node) *G.Node { return G.Must(G.ReduceAdd(x)) }

func (u *unfused) hadamard(x, y *G.Node) *G.Node { return G.Must(G.HadamardProd(x, y)) }

// unfusedShares are what the image adds to the input of every word, entry by entry;
// nil is nothing.
var unfusedShares = map[captioner.Entry]func(u *unfused, v *G.Node) *G.Node{
	captioner.Init: nil,
	captioner.Every: func(u *unfused, v *G.Node) *G.Node {
		return u.add(u.mul(u.param["EveryW"], v), u.param["EveryB"])
	},
}

func (u *unfused) input(e example, s int, v *G.Node) *G.Node {
	if s == 0 {
		return u.add(u.mul(u.param["FirstW"], v), u.param["FirstB"])
	}
	word := vocab.Start
	if s > 1 {
		word = e.words[s-2]
	}
	one := make([]float64, u.d.V)
	one[word] = 1
	x := u.mul(G.Must(G.Transpose(u.param["Embed"], 1, 0)), u.constant(u.d.V, 0, one))
	share, ok := unfusedShares[u.d.Entry]
	if !ok {
		u.t.Fatalf("unfusedShares has no row for entry %s", u.d.Entry)
	}
	if share == nil {
		return x
	}
	return u.add(x, share(u, v))
}

func (u *unfused) cell(x, h, c *G.Node) (*G.Node, *G.Node) {
	H := u.d.H
	wx := u.add(u.mul(u.param["Wx"], x), u.param["B"])
	wh := u.mul(u.param["Wh"], h)
	gate := func(x *G.Node, i int) *G.Node { return u.pick(x, x.Shape()[0], i*H, (i+1)*H) }
	switch u.d.Cell {
	case captioner.RNN:
		return G.Must(G.Tanh(u.add(wx, wh))), c
	case captioner.LSTM:
		pre := u.add(wx, wh)
		sig := func(i int) *G.Node { return G.Must(G.Sigmoid(gate(pre, i))) }
		c = u.add(u.hadamard(sig(1), c), u.hadamard(sig(0), G.Must(G.Tanh(gate(pre, 3)))))
		return u.hadamard(sig(2), G.Must(G.Tanh(c))), c
	case captioner.GRU:
		sum := u.add(wx, wh)
		r, z := G.Must(G.Sigmoid(gate(sum, 0))), G.Must(G.Sigmoid(gate(sum, 1)))
		n := G.Must(G.Tanh(u.add(gate(wx, 2), u.hadamard(r, u.add(gate(wh, 2), u.param["BHn"])))))
		ones := make([]float64, H)
		for i := range ones {
			ones[i] = 1
		}
		rest := G.Must(G.Sub(u.constant(H, 0, ones), z))
		return u.add(u.hadamard(rest, n), u.hadamard(z, h)), c
	}
	u.t.Fatalf("the unfused graph has no cell %s", u.d.Cell)
	return nil, nil
}

// run returns the loss and the gradients by name.
func (u *unfused) run(examples []example, features []float32, smooth float64) (float64, map[string][]float64) {
	u.g = G.NewGraph()
	u.param = map[string]*G.Node{}
	for _, p := range learnt(u.d.Form) {
		data := make([]float64, len(u.d.Weights[p.Name]))
		for i, x := range u.d.Weights[p.Name] {
			data[i] = float64(x)
		}
		shape := u.d.Shape(p)
		u.param[p.Symbol] = G.NewTensor(u.g, G.Float64, len(shape), G.WithShape(shape...), G.WithName(p.Symbol),
			G.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))))
	}
	H, V := u.d.H, u.d.V
	var terms []*G.Node
	for _, e := range examples {
		f := make([]float64, u.d.D())
		for k := range f {
			f[k] = float64(features[e.photo*u.d.D()+k])
		}
		v := u.constant(u.d.D(), 0, f)
		h := u.constant(H, 0, make([]float64, H))
		var c *G.Node
		if rnn.Find(string(u.d.Cell)).Memory { // a root without use is no loss to Gorgonia
			c = u.constant(H, 0, make([]float64, H))
		}
		for s := range e.steps() {
			h, c = u.cell(u.input(e, s, v), h, c)
			if s == 0 {
				continue
			}
			target := vocab.End
			if s-1 < len(e.words) {
				target = e.words[s-1]
			}
			q := make([]float64, V)
			for k := range q {
				q[k] = smooth / float64(V)
			}
			q[target] += 1 - smooth
			logits := u.add(u.mul(u.param["OutW"], h), u.param["OutB"])
			// −Σ q·(x − log Σ exp x), Σ q = 1
			said := G.Must(G.Mul(logits, u.constant(V, 0, q)))
			terms = append(terms, G.Must(G.Sub(G.Must(G.Log(G.Must(G.Sum(G.Must(G.Exp(logits)))))), said)))
		}
	}
	loss := G.Must(G.Div(u.add(terms...), G.NewConstant(float64(len(terms)))))
	vm := G.NewLispMachine(u.g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		u.t.Fatal(err)
	}
	grads := map[string][]float64{}
	for name, n := range u.param {
		g, err := n.Grad()
		if err != nil {
			u.t.Fatal(err)
		}
		grads[name] = g.Data().([]float64)
	}
	return loss.Value().Data().(float64), grads
}

// TestUnfused compares loss and gradients of the fused operators with those that
// Gorgonia's own operators and their derivatives give.
func TestUnfused(t *testing.T) {
	eachForm(t, func(t *testing.T, cell captioner.Cell, entry captioner.Entry) {
		p := newProblem(t, cell, entry, 0, 0.1, 1)
		got, err := p.graph.run()
		if err != nil {
			t.Fatal(err)
		}
		u := &unfused{t: t, d: p.d}
		want, grads := u.run(p.examples, p.features, 0.1)
		if math.Abs(got-want) > 1e-6*want {
			t.Fatalf("loss %v, want %v", got, want)
		}
		for i, w := range learnt(p.d.Form) {
			g, err := p.graph.params[i].Grad()
			if err != nil {
				t.Fatal(err)
			}
			if rel := distance(g.Data().([]float32), grads[w.Symbol]); !(rel < 2e-6) {
				t.Errorf("gradient of %s: off by %.2g of its length", w.Symbol, rel)
			}
		}
	})
}

// distance is ‖got−want‖/‖want‖.
func distance(got []float32, want []float64) float64 {
	var diff, size float64
	for k, w := range want {
		diff += (float64(got[k]) - w) * (float64(got[k]) - w)
		size += w * w
	}
	return math.Sqrt(diff / size)
}
