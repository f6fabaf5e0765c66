package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/onetomany/caption/captioner/rnn"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// pair is a weight and its gradient.
type pair struct{ w, g *tensor.Dense }

func (p pair) Value() G.Value         { return p.w }
func (p pair) Grad() (G.Value, error) { return p.g, nil }

func newPair(data []float32) pair {
	return pair{
		tensor.New(tensor.WithShape(len(data)), tensor.WithBacking(append([]float32(nil), data...))),
		tensor.New(tensor.WithShape(len(data)), tensor.Of(tensor.Float32)),
	}
}

// TestAdamIsGorgonias compares the weights with those of Gorgonia's AdamSolver.
func TestAdamIsGorgonias(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	start := make([]float32, 1000)
	rnn.Uniform(1)(start, 0, r)
	ours, theirs := newPair(start), newPair(start)
	a := newAdam([][]float32{make([]float32, len(start))}, 0, 0, 3)
	a.rate = 0.01
	solver := G.NewAdamSolver(G.WithLearnRate(0.01))
	for step := range 50 {
		g := make([]float32, len(start))
		rnn.Uniform(1)(g, 0, r)
		copy(ours.g.Data().([]float32), g)
		copy(theirs.g.Data().([]float32), g)
		if err := a.Step([]G.ValueGrad{ours}); err != nil {
			t.Fatal(err)
		}
		if err := solver.Step([]G.ValueGrad{theirs}); err != nil {
			t.Fatal(err)
		}
		x, y := ours.w.Data().([]float32), theirs.w.Data().([]float32)
		for k := range x {
			if math.Abs(float64(x[k]-y[k])) > 2e-6 {
				t.Fatalf("step %d, weight %d: %v, Gorgonia has %v", step+1, k, x[k], y[k])
			}
		}
		if ours.g.Data().([]float32)[0] != 0 {
			t.Fatal("the gradient is not cleared")
		}
	}
}

// TestAdamClipAndAverage checks the first steps by hand. Adam's step does not
// change when all gradients are scaled, so clipping shows in the moments.
func TestAdamClipAndAverage(t *testing.T) {
	p, q := newPair([]float32{1, 2}), newPair([]float32{3})
	avg := [][]float32{{1, 2}, {3}}
	a := newAdam(avg, 1, 0.998, 1)
	a.rate = 0.5
	copy(p.g.Data().([]float32), []float32{3, 0})
	copy(q.g.Data().([]float32), []float32{4})
	if err := a.Step([]G.ValueGrad{p, q}); err != nil {
		t.Fatal(err)
	}
	near := func(what string, got float32, want float64) {
		t.Helper()
		if math.Abs(float64(got)-want) > 1e-6 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	// The norm is 5, so the gradients become 0.6, 0 and 0.8.
	near("m[0][0]", a.m[0][0], 0.06)
	near("m[1][0]", a.m[1][0], 0.08)
	near("v[1][0]", a.v[1][0], 0.00064)
	// The first step is rate·sign(g); the average follows it with 1 − 2/11.
	near("w[0][0]", p.w.Data().([]float32)[0], 0.5)
	near("w[0][1]", p.w.Data().([]float32)[1], 2)
	near("w[1][0]", q.w.Data().([]float32)[0], 2.5)
	near("avg[0][0]", avg[0][0], 1-0.5*9/11)
	near("avg[1][0]", avg[1][0], 3-0.5*9/11)
}

func TestAdamRefusesNaN(t *testing.T) {
	p := newPair([]float32{1})
	p.g.Data().([]float32)[0] = float32(math.NaN())
	a := newAdam([][]float32{{1}}, 5, 0.9, 1)
	a.rate = 0.1
	if a.Step([]G.ValueGrad{p}) == nil {
		t.Fatal("no error")
	}
	if w := p.w.Data().([]float32)[0]; w != 1 {
		t.Fatalf("the weight became %v", w)
	}
}
