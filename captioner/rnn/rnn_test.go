package rnn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func random() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// TestCells holds the table to its own rules.
func TestCells(t *testing.T) {
	for _, c := range Cells {
		if Find(c.Name) != c || len(c.Gates) == 0 || c.Formula == "" || c.Step == nil || c.Forward == nil || c.Backward == nil {
			t.Errorf("%s: the row is incomplete, or the name is taken", c.Name)
		}
		if n := len(c.Bias); n != 0 && n != len(c.Gates) {
			t.Errorf("%s: %d biases for %d gates", c.Name, n, len(c.Gates))
		}
		const h = 3
		b := make([]float32, len(c.Gates)*h)
		for _, p := range c.Params() {
			if p.Name == "cell.b" {
				p.Init(b, len(b), nil)
			}
		}
		for i, x := range b {
			if c.Bias != nil && x != c.Bias[i/h] || c.Bias == nil && x != 0 {
				t.Errorf("%s: biases %v, want %v", c.Name, b, c.Bias)
				break
			}
		}
	}
	if Find("transformer") != nil {
		t.Error("a cell that is none")
	}
}

// newRow returns the memory of a row, with random inputs.
func newRow(c *Cell, h int, r *rand.Rand) Row {
	draw := func(n int) []float32 {
		x := make([]float32, n)
		Uniform(2)(x, n, r)
		return x
	}
	row := Row{Pre: draw(len(c.Gates) * h), H: make([]float32, h), PrevH: draw(h)}
	if c.Split {
		row.Rec = draw(len(c.Gates) * h)
	}
	if c.Memory {
		row.C, row.Aux, row.PrevC = make([]float32, h), make([]float32, h), draw(h)
	}
	return row
}

func clone(r Row) Row {
	for _, x := range []*[]float32{&r.Pre, &r.Rec, &r.H, &r.C, &r.PrevH, &r.PrevC, &r.Aux} {
		*x = slices.Clone(*x)
	}
	return r
}

// TestStep holds that Step computes in place what Forward computes.
func TestStep(t *testing.T) {
	for _, c := range Cells {
		for _, first := range []bool{false, true} {
			f := newRow(c, 37, random())
			if first {
				clear(f.PrevH)
				clear(f.PrevC)
			}
			s := clone(f)
			copy(s.H, s.PrevH)
			copy(s.C, s.PrevC)
			if first {
				f.PrevH, f.PrevC = nil, nil
			}
			c.Forward(f)
			c.Step(s)
			for k := range f.H {
				if math.Abs(float64(f.H[k]-s.H[k])) > 1e-6 || c.Memory && math.Abs(float64(f.C[k]-s.C[k])) > 1e-6 {
					t.Fatalf("%s, first %v: unit %d: Forward gives %v, Step %v", c.Name, first, k, f.H[k], s.H[k])
				}
			}
		}
	}
}

// TestBackward compares each gradient of u·h + v·c with differences.
func TestBackward(t *testing.T) {
	const h, e = 5, 1e-2
	for _, c := range Cells {
		r := random()
		at := newRow(c, h, r)
		u, v := make([]float32, h), make([]float32, h)
		Uniform(1)(u, h, r)
		Uniform(1)(v, h, r)
		loss := func(row Row) float64 {
			row = clone(row)
			c.Forward(row)
			var sum float64
			for k := range h {
				sum += float64(u[k] * row.H[k])
				if c.Memory {
					sum += float64(v[k] * row.C[k])
				}
			}
			return sum
		}
		done := clone(at)
		c.Forward(done)
		d := Gradient{Pre: make([]float32, len(at.Pre)), H: slices.Clone(u), C: slices.Clone(v)}
		d.Rec = d.Pre
		if c.Split {
			d.Rec = make([]float32, len(at.Rec))
		}
		c.Backward(done, d)
		for name, pair := range map[string][2][]float32{"Pre": {at.Pre, d.Pre}, "Rec": {at.Rec, d.Rec}, "PrevH": {at.PrevH, d.H}, "PrevC": {at.PrevC, d.C}} {
			for k := range pair[0] {
				old := pair[0][k]
				pair[0][k] = old + e
				up := loss(at)
				pair[0][k] = old - e
				down := loss(at)
				pair[0][k] = old
				if want := (up - down) / (2 * e); math.Abs(float64(pair[1][k])-want) > 1e-3 {
					t.Errorf("%s: gradient of %s[%d] is %v, differences give %v", c.Name, name, k, pair[1][k], want)
				}
			}
		}
	}
}

func TestUniform(t *testing.T) {
	w := make([]float32, 10000)
	FanIn(w, 16, random())
	if low, high := slices.Min(w), slices.Max(w); low < -0.25 || low > -0.249 || high > 0.25 || high < 0.249 {
		t.Errorf("from %v to %v, want 1/√16 both ways", low, high)
	}
}

func TestOrthogonal(t *testing.T) {
	const n = 40
	w := make([]float32, n*n)
	Orthogonal(w, n, random())
	for i := range n {
		for j := range n {
			var dot, want float64
			for k := range n {
				dot += float64(w[i*n+k]) * float64(w[j*n+k])
			}
			if i == j {
				want = 1
			}
			if math.Abs(dot-want) > 1e-6 {
				t.Fatalf("rows %d and %d: product %v", i, j, dot)
			}
		}
	}
}
