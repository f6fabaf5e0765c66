package exec

import (
	"math"
	"slices"
	"sync"

	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// chunk is the length of a row where each element is computed on its own.
const chunk = 1024

// rowwise returns a step that computes each row of its output, of so many elements, by
// f from the same row of its input. work is that of an element. Rows of bf16 are
// widened to float32 before and rounded after, in memory that stays in the first-level
// cache. The last row may be shorter.
func rowwise(n *plan.Node, row, work int, f func(y, x []float32, row int)) step {
	return rowsFrom(n, 0, row, work, f)
}

// rowsFrom is like rowwise; unless from is 0, a row is the dimensions from that one on.
func rowsFrom(n *plan.Node, from, row, work int, f func(y, x []float32, row int)) step {
	size := func(s *state) int {
		if from > 0 {
			return tensor.Size(s.shape(n.In[0])[from:])
		}
		return row
	}
	return step{rows: func(s *state) (int, int) {
		row := size(s)
		return (s.elements(n) + row - 1) / row, work * row
	}, part: func(s *state, lo, hi int) {
		row, end := size(s), s.elements(n)
		if !n.BF16 {
			x, y := s.in(n, 0), s.out(n)
			for i := lo; i < hi; i++ {
				from, to := i*row, min((i+1)*row, end)
				f(y[from:to], x[from:to], i)
			}
			return
		}
		x, y := data[vmath.BF16](s, n.In[0]), data[vmath.BF16](s, n.Out[0])
		w := getScratch(row, 0)
		defer scratches.Put(w)
		for i := lo; i < hi; i++ {
			from, to := i*row, min((i+1)*row, end)
			v := w.a[:to-from]
			vmath.FromBF16(v, x[from:])
			f(v, v, i)
			vmath.ToBF16(y[from:to], v)
		}
	}}
}

// A scratch is memory that a goroutine needs for a part of a step.
type scratch struct{ a, b []float32 }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// getScratch returns a scratch with room for a and b floats.
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

// scale runs a plan.Scale. A row is some pixels where the channels come last,
// otherwise one channel of a picture.
func scale(n *plan.Node, o *plan.Scale) step {
	if shape := n.In[0].Shape; o.Axis >= 0 && o.Axis == len(shape)-1 {
		lo, hi, act := -inf, inf, o.Act
		switch act.F {
		case vmath.ActReLU:
			lo, act.F = 0, vmath.ActNone
		case vmath.ActClip:
			lo, hi, act.F = act.Alpha, act.Beta, vmath.ActNone
		}
		return rowwise(n, shape[o.Axis]*max(1, chunk/shape[o.Axis]), 8, func(y, x []float32, _ int) {
			vmath.Affine(y, x, o.Scale, o.Shift, lo, hi)
			apply(act, y)
		})
	}
	return rowsFrom(n, o.Axis+1, chunk, 8, func(y, x []float32, i int) {
		c := i % len(o.Scale)
		a, b := o.Scale[c], o.Shift[c]
		for i, v := range x {
			y[i] = v*a + b
		}
		apply(o.Act, y)
	})
}

var inf = float32(math.Inf(1))

// apply computes x = f(x).
func apply(f plan.Act, x []float32) {
	if f.F != vmath.ActNone {
		f.F.Apply(x, x, f.Alpha, f.Beta)
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
