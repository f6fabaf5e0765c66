package ops

import (
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

const cumulateAttrs = "exclusive:flag=0 reverse:flag=0"

var _ = op.Register([]op.Row{
	{Name: "CumSum", Since: 11, Sig: "n i", Attrs: cumulateAttrs, Pictures: cumulatePictures, Bind: cumulate(sum[float64], sum[int64], 0)},
	{Name: "CumProd", Since: 26, Sig: "n i", Attrs: cumulateAttrs, Pictures: cumulatePictures, Bind: cumulate(prod[float64], prod[int64], 1)},
})

func cumulateAxis(b *op.Binding) int {
	return op.Try(tensor.Axis(b.ConstInt(1, "axis", 0), len(b.Shape())))
}

var cumulatePictures = op.Along(func(b *op.Binding) []int { return []int{cumulateAxis(b)} })

// cumulate binds an operator whose result is f of all elements up to each along an
// axis, from the end on where reverse is set, and without the element itself where
// exclusive is.
func cumulate(f func(acc, x float64) float64, g func(acc, x int64) int64, init int) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		axis, x := cumulateAxis(b), b.Shape()
		n, inner := x[axis], tensor.Size(x[axis+1:])
		exclusive, reverse := b.Flag("exclusive"), b.Flag("reverse")
		return b.Computes(func(in, out op.Tensors) {
			if in[0].Type == graph.Float {
				cumulateVectors(out[0].F, in[0].F, n, inner, exclusive, reverse, float64(init), f)
			} else {
				cumulateVectors(out[0].I, in[0].I, n, inner, exclusive, reverse, int64(init), g)
			}
		}, op.Like(b.In[0], x))
	}
}

func cumulateVectors[T number, A accumulator](out, in []T, n, inner int, exclusive, reverse bool, init A, f func(acc, x A) A) {
	step := inner
	if reverse {
		step = -inner
	}
	tensor.Vectors(len(in), n, inner, func(at int) {
		if reverse {
			at += (n - 1) * inner
		}
		acc := init
		for range n {
			next := f(acc, A(in[at]))
			if exclusive {
				out[at] = T(acc)
			} else {
				out[at] = T(next)
			}
			acc = next
			at += step
		}
	})
}
