package layers

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

const poolAttrs = windowAttrs + "kernel_shape:ints ceil_mode:flag=0 "

var _ = op.Register([]op.Row{
	{Name: "MaxPool", Since: 1, Sig: "n", Attrs: poolAttrs, Limits: "1 to 3 spatial axes, without the Indices output", Pictures: op.AlongFirst, Work: 1, Bind: bindMaxPool},
	{Name: "AveragePool", Since: 1, Sig: "f", Attrs: poolAttrs + "count_include_pad:flag=0", Limits: "1 to 3 spatial axes",
		Pictures: op.AlongFirst, Work: 1, Head: op.Averages, Bind: bindAveragePool},
	{Name: "LpPool", Since: 2, Sig: "f", Attrs: poolAttrs + "p:int=2", Limits: "1 to 3 spatial axes", Pictures: op.AlongFirst, Work: 1, Bind: bindLpPool},
	{Name: "GlobalMaxPool", Since: 1, Sig: "f", Pictures: op.AlongFirst, Bind: globalPool(vmath.Max)},
	{Name: "GlobalAveragePool", Since: 1, Sig: "f", Pictures: op.AlongFirst, Head: op.Averages, Bind: globalPool(mean)},
	{Name: "GlobalLpPool", Since: 2, Sig: "f", Attrs: "p:int=2", Pictures: op.AlongFirst, Bind: bindGlobalLpPool},
})

// pooling reads the geometry of a pooling, and the shape of its output. A window lies
// in the padding with a part of it only. The output's size, ceil_mode included, is that
// of tensor.Window.Slide, for the engine's own pools too: in two dimensions, MaxPool and
// AveragePool of floats nearly always run as plan.Pool, by the kernels of package
// depthwise, and this code gives their shapes only.
func pooling(b *op.Binding) (w *tensor.Window, shape []int) {
	x, kernel := b.Shape(), b.Ints("kernel_shape")
	b.RefuseIf(kernel == nil, "kernel_shape is missing")
	w = newWindow(b, x, kernel, padding(b))
	op.Check(w.Slide(padding(b), b.Flag("ceil_mode")))
	for a := range w.Begin {
		if r := w.Reach(a); w.Begin[a] >= r || w.End[a] >= r {
			b.Refuse("padding %d and %d is not smaller than the kernel, which reaches over %d", w.Begin[a], w.End[a], r)
		}
	}
	shape = spatial(x[0], x[1], w.Out[3-len(kernel):])
	op.Try(tensor.Count(shape))
	return w, shape
}

// bindPool binds a pooling: run computes the output.
func bindPool(b *op.Binding, w *tensor.Window, run func(in, out op.Tensors), out graph.Tensor) *op.Kernel {
	k := b.Computes(run, out)
	k.Work = int64(out.Len()) * int64(tensor.Size(w.Kernel[:]))
	return k
}

// pool computes every output element of every plane: it folds the elements
// under the window, from init on, and finishes the result given the window's
// position.
func pool[T, A any](w *tensor.Window, out, in []T, init A, fold func(acc A, x T) A, finish func(acc A, at [3]int) T) {
	inPlane, outPlane := tensor.Size(w.In[:]), tensor.Size(w.Out[:])
	for ; len(out) > 0; in, out = in[inPlane:], out[outPlane:] {
		o := 0
		for d := range w.Out[0] {
			d0, dn := w.Span(0, d)
			for h := range w.Out[1] {
				h0, hn := w.Span(1, h)
				for v := range w.Out[2] {
					v0, vn := w.Span(2, v)
					acc := init
					for i := range dn {
						for j := range hn {
							row := ((d0+i*w.Dilation[0])*w.In[1]+h0+j*w.Dilation[1])*w.In[2] + v0
							for k := range vn {
								acc = fold(acc, in[row+k*w.Dilation[2]])
							}
						}
					}
					out[o] = finish(acc, [3]int{d, h, v})
					o++
				}
			}
		}
	}
}

func larger[T float32 | int64](x, y T) T { return max(x, y) }

func same[T any](v T, _ [3]int) T { return v }

func bindMaxPool(b *op.Binding) *op.Kernel {
	w, shape := pooling(b)
	return bindPool(b, w, func(in, out op.Tensors) {
		if in[0].Type == graph.Float {
			pool(w, out[0].F, in[0].F, float32(math.Inf(-1)), larger, same)
		} else {
			pool(w, out[0].I, in[0].I, math.MinInt64, larger, same)
		}
	}, op.Like(b.In[0], shape))
}

// bindAveragePool divides by the elements under the window, with those of the
// padding where count_include_pad is set. What a window rounded up by
// ceil_mode covers beyond the padding never counts.
func bindAveragePool(b *op.Binding) *op.Kernel {
	w, shape := pooling(b)
	withPads := b.Flag("count_include_pad")
	divisor := func(at [3]int) float64 {
		n := 1
		for a, o := range at {
			if withPads {
				n *= w.PaddedSpan(a, o)
			} else {
				_, s := w.Span(a, o)
				n *= s
			}
		}
		return float64(max(n, 1))
	}
	return bindPool(b, w, func(in, out op.Tensors) {
		pool(w, out[0].F, in[0].F, 0,
			func(acc float64, x float32) float64 { return acc + float64(x) },
			func(acc float64, at [3]int) float32 { return float32(acc / divisor(at)) })
	}, op.Float(shape...))
}

// A norm is a p-norm: how to fold elements into its sum, and its root.
type norm struct {
	fold func(acc float64, x float32) float64
	root func(float64) float64
}

func newNorm(b *op.Binding) norm {
	p := b.Int("p")
	b.RefuseIf(p < 1, "p %d is not positive", p)
	switch p {
	case 1:
		return norm{func(acc float64, x float32) float64 { return acc + math.Abs(float64(x)) },
			func(acc float64) float64 { return acc }}
	case 2:
		return norm{func(acc float64, x float32) float64 { return acc + float64(x)*float64(x) }, math.Sqrt}
	}
	return norm{func(acc float64, x float32) float64 { return acc + math.Pow(math.Abs(float64(x)), float64(p)) },
		func(acc float64) float64 { return math.Pow(acc, 1/float64(p)) }}
}

// of returns the norm of v.
func (n norm) of(v []float32) float64 {
	var acc float64
	for _, x := range v {
		acc = n.fold(acc, x)
	}
	return n.root(acc)
}

func bindLpPool(b *op.Binding) *op.Kernel {
	w, shape := pooling(b)
	norm := newNorm(b)
	return bindPool(b, w, func(in, out op.Tensors) {
		pool(w, out[0].F, in[0].F, 0, norm.fold, func(acc float64, _ [3]int) float32 { return float32(norm.root(acc)) })
	}, op.Float(shape...))
}

// globalPool binds the pooling of whole planes: [N, C, spatial...] to [N, C, 1...].
func globalPool(f func(plane []float32) float32) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		x := b.Shape()
		b.RefuseIf(len(x) < 3, "input %v has no spatial axes", x)
		n := tensor.Size(x[2:])
		return b.Computes(func(in, out op.Tensors) {
			for i := range out[0].F {
				out[0].F[i] = f(in[0].F[i*n : (i+1)*n])
			}
		}, op.Float(spatial(x[0], x[1], slices.Repeat([]int{1}, len(x)-2))...))
	}
}

func mean(v []float32) float32 {
	var s float64
	for _, x := range v {
		s += float64(x)
	}
	return float32(s / float64(len(v)))
}

func bindGlobalLpPool(b *op.Binding) *op.Kernel {
	norm := newNorm(b)
	return globalPool(func(plane []float32) float32 { return float32(norm.of(plane)) })(b)
}
