package ops

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// What a node reduces is an attribute up to opset 17 (12 for ReduceSum), an input from
// then on.
const (
	reduceAttrs    = "axes-17:ints keepdims:flag=1 noop_with_empty_axes@18:flag=0"
	reduceSumAttrs = "axes-12:ints keepdims:flag=1 noop_with_empty_axes@13:flag=0"
	argAttrs       = "axis:int=0 keepdims:flag=1 select_last_index@12:flag=0"
)

var _ = op.Register([]op.Row{
	{Name: "ReduceSum", Since: 1, Sig: "n i?", Attrs: reduceSumAttrs, Pictures: reducePictures, Bind: reduce(reducer{f: sum[float64], i: sum[int64]})},
	{Name: "ReduceMean", Since: 1, Sig: "n i?", Attrs: reduceAttrs, Pictures: reducePictures, Head: op.Averages, Bind: reduce(reducer{f: sum[float64], i: sum[int64], mean: true})},
	{Name: "ReduceProd", Since: 1, Sig: "n i?", Attrs: reduceAttrs, Pictures: reducePictures, Bind: reduce(reducer{f: prod[float64], i: prod[int64], init: 1, initInt: 1})},
	{Name: "ReduceMax", Since: 1, Sig: "a i?", Attrs: reduceAttrs, Pictures: reducePictures, Bind: reduce(reducer{f: larger[float64], i: larger[int64], init: math.Inf(-1), initInt: math.MinInt64})},
	{Name: "ReduceMin", Since: 1, Sig: "a i?", Attrs: reduceAttrs, Pictures: reducePictures, Bind: reduce(reducer{f: smaller[float64], i: smaller[int64], init: math.Inf(1), initInt: math.MaxInt64})},
	{Name: "ReduceSumSquare", Since: 1, Sig: "n i?", Attrs: reduceAttrs, Pictures: reducePictures, Bind: reduce(reducer{f: sumSquare[float64], i: sumSquare[int64]})},
	{Name: "ReduceL1", Since: 1, Sig: "n i?", Attrs: reduceAttrs, Pictures: reducePictures, Bind: reduce(reducer{f: sumAbs[float64], i: sumAbs[int64]})},
	{Name: "ReduceL2", Since: 1, Sig: "f i?", Attrs: reduceAttrs, Pictures: reducePictures, Bind: reduce(reducer{f: sumSquare[float64], finish: math.Sqrt})},
	{Name: "ReduceLogSum", Since: 1, Sig: "f i?", Attrs: reduceAttrs, Pictures: reducePictures, Bind: reduce(reducer{f: sum[float64], finish: math.Log})},
	{Name: "ReduceLogSumExp", Since: 1, Sig: "f i?", Attrs: reduceAttrs, Pictures: reducePictures, Bind: reduce(reducer{f: sum[float64], finish: math.Log, exp: true})},
	{Name: "ArgMax", Since: 1, Sig: "n", Attrs: argAttrs, Pictures: argPictures, Bind: bindArg(greater[float32], greater[int64])},
	{Name: "ArgMin", Since: 1, Sig: "n", Attrs: argAttrs, Pictures: argPictures, Bind: bindArg(less[float32], less[int64])},
})

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

// reduced marks the dimensions that a node reduces. Without any axes it is all of
// them, or none where noop_with_empty_axes says so.
func reduced(b *op.Binding) []bool {
	axes := b.AttrOrInput("axes", 1)
	rank := len(b.Shape())
	if len(axes) == 0 && !b.Flag("noop_with_empty_axes") {
		axes = tensor.AllAxes(rank)
	}
	return Marked(axes, rank)
}

// Marked marks axes among rank of them.
func Marked(axes []int, rank int) []bool {
	v := make([]bool, rank)
	for _, a := range op.Try(tensor.Axes(axes, rank)) {
		v[a] = true
	}
	return v
}

// Indices returns the axes that are marked.
func Indices(marked []bool) (axes []int) {
	for a, is := range marked {
		if is {
			axes = append(axes, a)
		}
	}
	return axes
}

// reducePictures: pictures lie along an axis that is not reduced; it moves up where those
// before it go.
var reducePictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) { return afterReducing(b, reduced(b), axes) })

var argPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	return afterReducing(b, Marked([]int{b.Axis()}, len(b.Shape())), axes)
})

func afterReducing(b *op.Binding, reduced []bool, axes []int) (axis int, ok bool) {
	if !op.OnlyFirst(axes) || reduced[axes[0]] {
		return 0, false
	}
	axis = axes[0]
	if !b.Flag("keepdims") {
		axis -= len(Indices(reduced[:axis]))
	}
	return axis, true
}

// Without returns the shape after reducing dimensions to 1, or dropping them.
func Without(shape []int, reduced []bool, keep bool) []int {
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

func reduce(r reducer) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		x := b.In[0]
		b.RefuseIf(x.Type == graph.Bool && b.Opset < 20, "cannot be bool before opset 20")
		reduced := reduced(b)
		w := tensor.BroadcastWalk(x.Shape, Without(x.Shape, reduced, true))
		shape := Without(x.Shape, reduced, b.Flag("keepdims"))
		k := b.Computes(func(in, out op.Tensors) {
			switch x, y := in[0], out[0]; x.Type {
			case graph.Float:
				r.floats(&w, y.F, x.F)
			case graph.Int:
				r.ints(&w, y.I, x.I)
			case graph.Bool:
				v := make([]int64, len(y.B))
				r.ints(&w, v, graph.Converted(x, graph.Int).I)
				tensor.Map(y.B, v, func(v int64) bool { return v > 0 })
			}
		}, op.Like(x, shape))
		// Sums are in float64.
		k.Workspace = 16 * int64(tensor.Size(shape))
		if x.Type == graph.Bool {
			k.Workspace += 8 * int64(x.Len())
		}
		return k
	}
}

// Accumulate folds in into acc with f; w walks over in, and its input is acc.
func Accumulate[T float32 | int64, A accumulator](w *tensor.Walk, acc []A, in []T, f func(acc, x A) A) {
	n, step := w.Row()
	w.Rows(func(o int, at [3]int) {
		row := in[o : o+n]
		if step[0] == 0 {
			a := acc[at[0]]
			for _, x := range row {
				a = f(a, A(x))
			}
			acc[at[0]] = a
			return
		}
		a := acc[at[0] : at[0]+n]
		for i, x := range row {
			a[i] = f(a[i], A(x))
		}
	})
}

func (r *reducer) floats(w *tensor.Walk, out, in []float32) {
	acc := slices.Repeat([]float64{r.init}, len(out))
	var top []float64
	if r.exp {
		top = slices.Repeat([]float64{math.Inf(-1)}, len(out))
		Accumulate(w, top, in, larger[float64])
		for i, t := range top {
			if math.IsInf(t, 0) {
				top[i] = 0
			}
		}
		n, step := w.Row()
		w.Rows(func(o int, at [3]int) {
			for i, x := range in[o : o+n] {
				j := at[0] + i*step[0]
				acc[j] += math.Exp(float64(x) - top[j])
			}
		})
	} else {
		Accumulate(w, acc, in, r.f)
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

func (r *reducer) ints(w *tensor.Walk, out, in []int64) {
	for i := range out {
		out[i] = r.initInt
	}
	Accumulate(w, out, in, r.i)
	if n := len(in); r.mean && n > 0 {
		for i := range out {
			out[i] /= int64(n / len(out))
		}
	}
}

// bindArg binds ArgMax or ArgMin: the index of the first, or with
// select_last_index (12) the last, element along an axis that beats all others.
func bindArg(f func(x, y float32) bool, g func(x, y int64) bool) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		x := b.Shape()
		axis, _, n, inner := b.Around()
		b.RefuseIf(n == 0, "the axis is empty")
		reduced := (Marked([]int{axis}, len(x)))
		last := b.Flag("select_last_index")
		return b.Computes(func(in, out op.Tensors) {
			if in[0].Type == graph.Float {
				argExtreme(out[0].I, in[0].F, n, inner, last, f)
			} else {
				argExtreme(out[0].I, in[0].I, n, inner, last, g)
			}
		}, op.Integer(Without(x, reduced, b.Flag("keepdims"))...))
	}
}

func argExtreme[T number](out []int64, in []T, n, inner int, last bool, beats func(x, y T) bool) {
	o := 0
	tensor.Vectors(len(in), n, inner, func(at int) {
		best, top := 0, in[at]
		for j := 1; j < n; j++ {
			if v := in[at+j*inner]; beats(v, top) || last && v == top {
				best, top = j, v
			}
		}
		out[o] = int64(best)
		o++
	})
}
