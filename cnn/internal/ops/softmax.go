package ops

import (
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

var _ = register(
	Op{Name: "Softmax", Since: 1, Sig: "f", Attrs: "axis:int=1 axis@13:int=-1", Pictures: vectorsPictures, Head: Normalises, bind: alongAxis(vmath.Softmax)},
	Op{Name: "LogSoftmax", Since: 1, Sig: "f", Attrs: "axis:int=1 axis@13:int=-1", Pictures: vectorsPictures, Head: Normalises, bind: alongAxis(vmath.LogSoftmax)},
	Op{Name: "Hardmax", Since: 1, Sig: "f", Attrs: "axis:int=1 axis@13:int=-1", Pictures: vectorsPictures, bind: alongAxis(hardmax)},
)

// vectorsPictures: see alongAxis.
var vectorsPictures = &PicturesRule{func(b *binding, axes []int) (int, bool) {
	if b.opset < 13 {
		return beforeAxis.axis(b, axes)
	}
	return alongOthers.axis(b, axes)
}}

// alongAxis binds an operator that turns each vector along an axis into
// another: one axis, by default the last, from opset 13 on; before, that axis,
// by default 1, and all that follow it taken as one.
func alongAxis(f func(out, in []float32)) func(*binding) *Kernel {
	return func(b *binding) *Kernel {
		_, _, n, inner := b.around()
		if b.opset < 13 {
			n, inner = n*inner, 1
		}
		return b.vectors(n, inner, f)
	}
}

// vectors binds an operator that computes each vector of n elements that lie inner
// apart on its own.
func (b *binding) vectors(n, inner int, f func(out, in []float32)) *Kernel {
	x := b.shape()
	k := b.computes(func(in, out tensors) { tensor.MapVectors(out[0].F, in[0].F, n, inner, f) }, float(x...))
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
