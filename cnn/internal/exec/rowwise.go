package exec

import (
	"math"
	"slices"
	"sync"

	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A rowwise step computes rows of its output from the same rows of its input by f,
// in float32: those of bf16 are widened before and rounded after, in pieces that
// stay in the first-level cache.
type rowwise struct {
	n    *plan.Node
	row  int // elements; the last row may have fewer
	work int // of an element, in multiply-adds of a matrix product
	f    func(y, x []float32, row int)

	from int // where it is not 0, a row is the dimensions from this one on instead
}

// chunk is the length of a row where elements are on their own.
const chunk = 1024

// size returns how many elements a row has.
func (r *rowwise) size(s *state) int {
	if r.from > 0 {
		return tensor.Size(s.shape(r.n.In[0])[r.from:])
	}
	return r.row
}

func (r *rowwise) run(s *state) error {
	row := r.size(s)
	return s.split(r, (s.elements(r.n)+row-1)/row, r.work*row)
}

func (r *rowwise) part(s *state, lo, hi int) {
	row, end := r.size(s), s.elements(r.n)
	if !r.n.BF16 {
		x, y := s.in(r.n, 0), s.out(r.n)
		for i := lo; i < hi; i++ {
			from, to := i*row, min((i+1)*row, end)
			r.f(y[from:to], x[from:to], i)
		}
		return
	}
	x, y := data[vmath.BF16](s, r.n.In[0]), data[vmath.BF16](s, r.n.Out[0])
	w := getScratch(row, 0)
	defer scratches.Put(w)
	for i := lo; i < hi; i++ {
		from, to := i*row, min((i+1)*row, end)
		v := w.a[:to-from]
		vmath.FromBF16(v, x[from:])
		r.f(v, v, i)
		vmath.ToBF16(y[from:to], v)
	}
}

// A scratch is memory of one goroutine for a part of a step.
type scratch struct{ a, b []float32 }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// getScratch returns one with so many floats at least.
func getScratch(a, b int) *scratch {
	w := scratches.Get().(*scratch)
	if len(w.a) < a {
		w.a = make([]float32, a)
	}
	if len(w.b) < b {
		w.b = make([]float32, b)
	}
	return w
}

// newScale runs a plan.Scale: a row is some pixels where the channels come last,
// a channel of a picture else.
func newScale(n *plan.Node, o *plan.Scale) step {
	if shape := n.In[0].Shape; o.Axis >= 0 && o.Axis == len(shape)-1 {
		lo, hi, act := -inf, inf, o.Act
		switch act.F {
		case vmath.ActReLU:
			lo, act.F = 0, vmath.ActNone
		case vmath.ActClip:
			lo, hi, act.F = act.A, act.B, vmath.ActNone
		}
		return &rowwise{n: n, row: shape[o.Axis] * max(1, chunk/shape[o.Axis]), work: 8, f: func(y, x []float32, _ int) {
			vmath.Affine(y, x, o.Scale, o.Shift, lo, hi)
			apply(act, y)
		}}
	}
	return &rowwise{n: n, row: chunk, work: 8, from: o.Axis + 1, f: func(y, x []float32, i int) {
		c := i % len(o.Scale)
		a, b := o.Scale[c], o.Shift[c]
		for i, v := range x {
			y[i] = v*a + b
		}
		apply(o.Act, y)
	}}
}

var inf = float32(math.Inf(1))

// apply computes x = f(x).
func apply(f plan.Act, x []float32) {
	if f.F != vmath.ActNone {
		f.F.Apply(x, x, f.A, f.B)
	}
}

func softmax(y, x []float32, _ int) {
	top := slices.Max(x)
	sum := 0.0
	for j, v := range x {
		e := math.Exp(float64(v - top))
		y[j] = float32(e)
		sum += e
	}
	for j := range y {
		y[j] = float32(float64(y[j]) / sum)
	}
}
