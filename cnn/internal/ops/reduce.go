package ops

import (
	"errors"
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var reduceOps = []Op{
	{Name: "ReduceSum", Since: 1, Sig: "n i?", bind: reduce(reducer{f: sum[float64], i: sum[int64]})},
	{Name: "ReduceMean", Since: 1, Sig: "n i?", bind: reduce(reducer{f: sum[float64], i: sum[int64], mean: true})},
	{Name: "ReduceProd", Since: 1, Sig: "n i?", bind: reduce(reducer{f: prod[float64], i: prod[int64], init: 1, initInt: 1})},
	{Name: "ReduceMax", Since: 1, Sig: "a i?", bind: reduce(reducer{f: larger[float64], i: larger[int64], init: math.Inf(-1), initInt: math.MinInt64})},
	{Name: "ReduceMin", Since: 1, Sig: "a i?", bind: reduce(reducer{f: smaller[float64], i: smaller[int64], init: math.Inf(1), initInt: math.MaxInt64})},
	{Name: "ReduceSumSquare", Since: 1, Sig: "n i?", bind: reduce(reducer{f: sumSquare[float64], i: sumSquare[int64]})},
	{Name: "ReduceL1", Since: 1, Sig: "n i?", bind: reduce(reducer{f: sumAbs[float64], i: sumAbs[int64]})},
	{Name: "ReduceL2", Since: 1, Sig: "f i?", bind: reduce(reducer{f: sumSquare[float64], finish: math.Sqrt})},
	{Name: "ReduceLogSum", Since: 1, Sig: "f i?", bind: reduce(reducer{f: sum[float64], finish: math.Log})},
	{Name: "ReduceLogSumExp", Since: 1, Sig: "f i?", bind: reduce(reducer{f: sum[float64], finish: math.Log, exp: true})},
	{Name: "ArgMax", Since: 1, Sig: "n", bind: bindArg(greater[float32], greater[int64])},
	{Name: "ArgMin", Since: 1, Sig: "n", bind: bindArg(less[float32], less[int64])},
}

var (
	errBoolBefore20 = errors.New("cannot be bool before opset 20")
	errEmptyAxis    = errors.New("the axis is empty")
)

type accumulator interface{ float64 | int64 }

func sum[T accumulator](acc, x T) T       { return acc + x }
func prod[T accumulator](acc, x T) T      { return acc * x }
func larger[T accumulator](acc, x T) T    { return max(acc, x) }
func smaller[T accumulator](acc, x T) T   { return min(acc, x) }
func sumSquare[T accumulator](acc, x T) T { return acc + x*x }
func sumAbs[T accumulator](acc, x T) T    { return acc + max(x, -x) }

// reducer says how a reduction combines elements. Floats add up in float64.
type reducer struct {
	f       func(acc, x float64) float64
	i       func(acc, x int64) int64
	init    float64 // result for no elements, before finish
	initInt int64
	mean    bool                  // divide by the number of elements
	exp     bool                  // combine the exponentials, relative to the largest element
	finish  func(float64) float64 // applied to the result, nil for none
}

// reduceAxes returns which dimensions a node reduces: an attribute up to opset
// 17 (12 for ReduceSum), an input from then on. Without any it is all of them,
// or none where noop_with_empty_axes says so.
func (b *binding) reduceAxes() ([]bool, error) {
	rank := len(b.in[0].Shape)
	last := 17
	if b.Op == "ReduceSum" {
		last = 12
	}
	axes, err := b.attrOrInput("axes", last, 1)
	if err != nil {
		return nil, err
	}
	noop := false
	if b.opset > last {
		if noop, err = b.flag("noop_with_empty_axes", 0); err != nil {
			return nil, err
		}
	}
	reduced := slices.Repeat([]bool{len(axes) == 0 && !noop}, rank)
	if axes, err = axesOf(axes, rank); err != nil {
		return nil, err
	}
	for _, a := range axes {
		reduced[a] = true
	}
	return reduced, nil
}

// without returns the shape after reducing dimensions to 1, or dropping them.
func without(shape []int, reduced []bool, keep bool) []int {
	out := []int{}
	for d, n := range shape {
		switch {
		case !reduced[d]:
			out = append(out, n)
		case keep:
			out = append(out, 1)
		}
	}
	return out
}

func reduce(r reducer) func(*binding) (*Kernel, error) {
	return func(b *binding) (*Kernel, error) {
		x := b.in[0]
		if x.Type == graph.Bool && b.opset < 20 {
			return nil, errBoolBefore20
		}
		reduced, err := b.reduceAxes()
		if err != nil {
			return nil, err
		}
		keep, err := b.flag("keepdims", 1)
		if err != nil {
			return nil, err
		}
		kept := without(x.Shape, reduced, true)
		l := broadcastLoops(x.Shape, kept)
		run := func(in, out []*graph.Tensor, team *workers.Team) error {
			switch x, y := in[0], out[0]; x.Type {
			case graph.Float:
				r.floats(l, y.F, x.F)
			case graph.Int:
				r.ints(l, y.I, x.I)
			case graph.Bool:
				v := make([]int64, len(y.B))
				r.ints(l, v, converted(x, graph.Int).I)
				mapSlice(y.B, v, func(v int64) bool { return v > 0 })
			}
			return nil
		}
		return b.kernel(run, like(x, without(x.Shape, reduced, keep)))
	}
}

// accumulate folds in into acc with f; l walks over in, and its operand is acc.
func accumulate[T float32 | int64, A accumulator](l *loops, acc []A, in []T, f func(acc, x A) A) {
	l.rows(func(o int, off []int) {
		row := in[o : o+l.n]
		if l.step[0] == 0 {
			a := acc[off[0]]
			for _, x := range row {
				a = f(a, A(x))
			}
			acc[off[0]] = a
			return
		}
		a := acc[off[0] : off[0]+l.n]
		for i, x := range row {
			a[i] = f(a[i], A(x))
		}
	})
}

func (r *reducer) floats(l *loops, out, in []float32) {
	acc := slices.Repeat([]float64{r.init}, len(out))
	var top []float64
	if r.exp {
		top = slices.Repeat([]float64{math.Inf(-1)}, len(out))
		accumulate(l, top, in, larger[float64])
		for i, t := range top {
			if math.IsInf(t, 0) {
				top[i] = 0
			}
		}
		l.rows(func(o int, off []int) {
			for i, x := range in[o : o+l.n] {
				j := off[0] + i*l.step[0]
				acc[j] += math.Exp(float64(x) - top[j])
			}
		})
	} else {
		accumulate(l, acc, in, r.f)
	}
	n := float64(len(in)) / float64(len(out))
	for i, v := range acc {
		if r.mean {
			v /= n
		}
		if r.finish != nil {
			v = r.finish(v)
		}
		if r.exp {
			v += top[i]
		}
		out[i] = float32(v)
	}
}

func (r *reducer) ints(l *loops, out, in []int64) {
	for i := range out {
		out[i] = r.initInt
	}
	accumulate(l, out, in, r.i)
	if n := len(in); r.mean && n > 0 {
		for i := range out {
			out[i] /= int64(n / len(out))
		}
	}
}

// bindArg binds ArgMax or ArgMin: the index of the first, or with
// select_last_index (12) the last, element along an axis that beats all others.
func bindArg(f func(x, y float32) bool, g func(x, y int64) bool) func(*binding) (*Kernel, error) {
	return func(b *binding) (*Kernel, error) {
		x := b.in[0].Shape
		axis, err := b.axis("axis", 0, len(x))
		if err != nil {
			return nil, err
		}
		keep, err := b.flag("keepdims", 1)
		if err != nil {
			return nil, err
		}
		last := false
		if b.opset >= 12 {
			if last, err = b.flag("select_last_index", 0); err != nil {
				return nil, err
			}
		}
		n, inner := x[axis], product(x[axis+1:])
		if n == 0 {
			return nil, errEmptyAxis
		}
		reduced := make([]bool, len(x))
		reduced[axis] = true
		run := func(in, out []*graph.Tensor, team *workers.Team) error {
			if in[0].Type == graph.Float {
				argExtreme(out[0].I, in[0].F, n, inner, last, f)
			} else {
				argExtreme(out[0].I, in[0].I, n, inner, last, g)
			}
			return nil
		}
		return b.kernel(run, graph.Tensor{Type: graph.Int, Shape: without(x, reduced, keep)})
	}
}

func argExtreme[T number](out []int64, in []T, n, inner int, last bool, beats func(x, y T) bool) {
	for o := range out {
		at := o/inner*n*inner + o%inner
		best, top := 0, in[at]
		for j := 1; j < n; j++ {
			if v := in[at+j*inner]; beats(v, top) || last && v == top {
				best, top = j, v
			}
		}
		out[o] = int64(best)
	}
}
