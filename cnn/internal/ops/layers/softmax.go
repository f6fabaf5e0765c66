package layers

import (
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

var _ = op.Register([]op.Row{
	{Name: "Softmax", Since: 1, Sig: "f", Attrs: "axis:int=1 axis@13:int=-1", Pictures: vectorsPictures, Head: op.Normalises, Bind: alongAxis(vmath.Softmax)},
	{Name: "LogSoftmax", Since: 1, Sig: "f", Attrs: "axis:int=1 axis@13:int=-1", Pictures: vectorsPictures, Head: op.Normalises, Bind: alongAxis(vmath.LogSoftmax)},
	{Name: "Hardmax", Since: 1, Sig: "f", Attrs: "axis:int=1 axis@13:int=-1", Pictures: vectorsPictures, Bind: alongAxis(hardmax)},
})

// vectorsPictures: see alongAxis.
var vectorsPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	if b.Opset < 13 {
		return op.BeforeAxis.Axis(b, axes)
	}
	return op.AlongOthers.Axis(b, axes)
})

// alongAxis binds an operator that turns each vector along an axis into
// another: one axis, by default the last, from opset 13 on; before, that axis,
// by default 1, and all that follow it taken as one.
func alongAxis(f func(out, in []float32)) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		_, _, n, inner := b.Around()
		if b.Opset < 13 {
			n, inner = n*inner, 1
		}
		return vectors(b, n, inner, f)
	}
}

// vectors binds an operator that computes each vector of n elements that lie inner
// apart on its own.
func vectors(b *op.Binding, n, inner int, f func(out, in []float32)) *op.Kernel {
	x := b.Shape()
	k := b.Computes(func(in, out op.Tensors) { tensor.MapVectors(out[0].F, in[0].F, n, inner, f) }, op.Float(x...))
	k.Workspace = 8 * int64(tensor.Size(x)) / int64(max(x[0], 1))
	return k
}

// hardmax is 1 at the first largest element, 0 elsewhere.
func hardmax(out, in []float32) {
	best := 0
	for i, x := range in {
		if x > in[best] {
			best = i
		}
	}
	clear(out)
	out[best] = 1
}
