package layers

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "Col2Im", Since: 18, Sig: "f i i", Attrs: "strides:ints dilations:ints pads:ints", Limits: "1 to 3 spatial axes", Pictures: op.AlongFirst, Work: 2, Bind: bindCol2Im},
})

// bindCol2Im adds the blocks of a picture up that lie side by side in the columns of
// [N, C·block, places].
func bindCol2Im(b *op.Binding) *op.Kernel {
	x, image, block := b.Shape(), b.ConstInts(1, "image_shape"), b.ConstInts(2, "block_shape")
	b.RefuseIf(len(x) != 3 || len(image) != len(block), "input %v, image %v and block %v do not fit", x, image, block)
	op.Try(tensor.Count(image))
	size := op.Try(tensor.Count(block))
	w := newWindow(b, slices.Concat(x[:2], image), block, tensor.Explicit)
	op.Check(w.Slide(tensor.Explicit, false))
	op.Try(tensor.Count(w.Out[:]))
	b.RefuseIf(size == 0 || x[1]%size != 0 || x[2] != tensor.Size(w.Out[:]), "input %v is not made of blocks %v at the %d places of image %v", x, block, tensor.Size(w.Out[:]), image)
	channels, plane := x[1]/size, tensor.Size(image)
	return b.Computes(func(in, out op.Tensors) {
		clear(out[0].F)
		for n := range x[0] {
			w.Col2im(out[0].F[n*channels*plane:(n+1)*channels*plane], in[0].F[n*x[1]*x[2]:(n+1)*x[1]*x[2]], channels, 0, x[2])
		}
	}, op.Float(spatial(x[0], channels, image)...))
}
