package ops

import (
	"fmt"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var poolOps = []Op{
	{Name: "MaxPool", Since: 1, Sig: "n", Limits: "1 to 3 spatial axes, without the Indices output", bind: bindMaxPool},
	{Name: "AveragePool", Since: 1, Sig: "f", Limits: "1 to 3 spatial axes", bind: bindAveragePool},
	{Name: "LpPool", Since: 2, Sig: "f", Limits: "1 to 3 spatial axes", bind: bindLpPool},
	{Name: "GlobalMaxPool", Since: 1, Sig: "f", bind: globalPool(vmath.Max)},
	{Name: "GlobalAveragePool", Since: 1, Sig: "f", bind: globalPool(mean)},
	{Name: "GlobalLpPool", Since: 2, Sig: "f", bind: bindGlobalLpPool},
}

// poolWindow reads the geometry of a pooling. A window lies in the padding
// with a part of it only.
func (b *binding) poolWindow() (*window, error) {
	kernel := b.Ints("kernel_shape")
	if kernel == nil {
		return nil, fmt.Errorf("kernel_shape is missing")
	}
	ceil, err := b.flag("ceil_mode", 0)
	if err != nil {
		return nil, err
	}
	w, err := b.spatialWindow(b.in[0].Shape, kernel, ceil)
	if err != nil {
		return nil, err
	}
	for a := range w.begin {
		if r := w.reach(a); w.begin[a] >= r || w.end[a] >= r {
			return nil, fmt.Errorf("padding %d and %d is not smaller than the kernel, which reaches over %d", w.begin[a], w.end[a], r)
		}
	}
	return w, nil
}

// pool computes every output element of every plane: it folds the elements
// under the window, from init on, and finishes the result given the window's
// position.
func pool[T, A any](w *window, out, in []T, init A, fold func(acc A, x T) A, finish func(acc A, at [3]int) T) {
	inPlane, outPlane := product(w.in[:]), product(w.out[:])
	for ; len(out) > 0; in, out = in[inPlane:], out[outPlane:] {
		o := 0
		for d := range w.out[0] {
			d0, dn := w.span(0, d)
			for h := range w.out[1] {
				h0, hn := w.span(1, h)
				for v := range w.out[2] {
					v0, vn := w.span(2, v)
					acc := init
					for i := range dn {
						for j := range hn {
							row := ((d0+i*w.dilation[0])*w.in[1]+h0+j*w.dilation[1])*w.in[2] + v0
							for k := range vn {
								acc = fold(acc, in[row+k*w.dilation[2]])
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

func bindMaxPool(b *binding) (*Kernel, error) {
	w, err := b.poolWindow()
	if err != nil {
		return nil, err
	}
	x := b.in[0]
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		if in[0].Type == graph.Float {
			pool(w, out[0].F, in[0].F, float32(math.Inf(-1)), maxOf, func(acc float32, _ [3]int) float32 { return acc })
		} else {
			pool(w, out[0].I, in[0].I, math.MinInt64, maxOf, func(acc int64, _ [3]int) int64 { return acc })
		}
		return nil
	}
	return b.kernel(run, like(x, w.shape(x.Shape, x.Shape[1])))
}

// bindAveragePool divides by the elements under the window, with those of the
// padding where count_include_pad is set. What a window rounded up by
// ceil_mode covers beyond the padding never counts.
func bindAveragePool(b *binding) (*Kernel, error) {
	w, err := b.poolWindow()
	if err != nil {
		return nil, err
	}
	withPads, err := b.flag("count_include_pad", 0)
	if err != nil {
		return nil, err
	}
	divisor := func(at [3]int) float64 {
		n := 1
		for a, o := range at {
			if withPads {
				n *= w.paddedSpan(a, o)
			} else {
				_, s := w.span(a, o)
				n *= s
			}
		}
		return float64(max(n, 1))
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		pool(w, out[0].F, in[0].F, 0,
			func(acc float64, x float32) float64 { return acc + float64(x) },
			func(acc float64, at [3]int) float32 { return float32(acc / divisor(at)) })
		return nil
	}
	x := b.in[0].Shape
	return b.kernel(run, float(w.shape(x, x[1])...))
}

// lp returns how to fold elements into the sum of a p-norm, and its root.
func (b *binding) lp() (fold func(acc float64, x float32) float64, root func(float64) float64, err error) {
	switch p := b.Int("p", 2); {
	case p == 1:
		return func(acc float64, x float32) float64 { return acc + math.Abs(float64(x)) },
			func(acc float64) float64 { return acc }, nil
	case p == 2:
		return func(acc float64, x float32) float64 { return acc + float64(x)*float64(x) }, math.Sqrt, nil
	case p > 2:
		return func(acc float64, x float32) float64 { return acc + math.Pow(math.Abs(float64(x)), float64(p)) },
			func(acc float64) float64 { return math.Pow(acc, 1/float64(p)) }, nil
	default:
		return nil, nil, fmt.Errorf("p %d is not positive", p)
	}
}

func bindLpPool(b *binding) (*Kernel, error) {
	w, err := b.poolWindow()
	if err != nil {
		return nil, err
	}
	fold, root, err := b.lp()
	if err != nil {
		return nil, err
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		pool(w, out[0].F, in[0].F, 0, fold, func(acc float64, _ [3]int) float32 { return float32(root(acc)) })
		return nil
	}
	x := b.in[0].Shape
	return b.kernel(run, float(w.shape(x, x[1])...))
}

// globalPool binds the pooling of whole planes: [N, C, spatial...] to [N, C, 1...].
func globalPool(f func(plane []float32) float32) func(*binding) (*Kernel, error) {
	return func(b *binding) (*Kernel, error) {
		x := b.in[0].Shape
		if len(x) < 3 {
			return nil, fmt.Errorf("input %v has no spatial axes", x)
		}
		shape := []int{x[0], x[1]}
		for range x[2:] {
			shape = append(shape, 1)
		}
		n := product(x[2:])
		run := func(in, out []*graph.Tensor, team *workers.Team) error {
			for i := range out[0].F {
				out[0].F[i] = f(in[0].F[i*n : (i+1)*n])
			}
			return nil
		}
		return b.kernel(run, float(shape...))
	}
}

func mean(v []float32) float32 {
	var s float64
	for _, x := range v {
		s += float64(x)
	}
	return float32(s / float64(len(v)))
}

func bindGlobalLpPool(b *binding) (*Kernel, error) {
	fold, root, err := b.lp()
	if err != nil {
		return nil, err
	}
	return globalPool(func(plane []float32) float32 {
		var acc float64
		for _, x := range plane {
			acc = fold(acc, x)
		}
		return float32(root(acc))
	})(b)
}
