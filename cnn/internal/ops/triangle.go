package ops

import (
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "Trilu", Since: 14, Sig: "a i?", Attrs: "upper:flag=1", Pictures: aboveMatrices, Work: 1, Bind: bindTrilu},
	{Name: "EyeLike", Since: 9, Sig: "a#", Attrs: "dtype:int=0 k:int=0", Pictures: op.Unknown, Work: 1, Bind: bindEyeLike},
})

// aboveMatrices: pictures do not lie along the last two axes.
var aboveMatrices = op.Along(func(b *op.Binding) []int { return tensor.AllAxes(len(b.Shape()))[len(b.Shape())-2:] })

// bindTrilu keeps the triangle of matrices above diagonal k, or below it, with the
// diagonal. The rest becomes 0.
func bindTrilu(b *op.Binding) *op.Kernel {
	x := b.Shape()
	b.RefuseIf(len(x) < 2, "input %v is not made of matrices", x)
	k, upper := b.ConstInt(1, "k", 0), b.Flag("upper")
	rows, columns := x[len(x)-2], x[len(x)-1]
	k = max(-rows, min(k, columns))
	return b.Computes(func(in, out op.Tensors) {
		to, from := out[0].Data(), in[0].Data()
		if from.Len() == 0 {
			return
		}
		zero := graph.Alloc(in[0].Type, []int{columns}).Data()
		for at := 0; at < from.Len(); at += columns {
			i := at / columns % rows
			// Columns lo to hi are those of the triangle.
			lo, hi := max(0, min(i+k, columns)), columns
			if !upper {
				lo, hi = 0, max(0, min(i+k+1, columns))
			}
			to.Copy(at, zero, 0, lo)
			to.Copy(at+lo, from, at+lo, hi-lo)
			to.Copy(at+hi, zero, 0, columns-hi)
		}
	}, op.Like(b.In[0], x))
}

// bindEyeLike: ones on diagonal k of a matrix of the input's shape.
func bindEyeLike(b *op.Binding) *op.Kernel {
	x, k := b.Shape(), b.Int("k")
	b.RefuseIf(len(x) != 2, "input %v is not a matrix", x)
	y := op.Like(b.In[0], x)
	if b.Has("dtype") {
		to, ok := graph.ElementTypeOf(b.Int("dtype"))
		if !ok {
			b.Unsupported("element type %d", b.Int("dtype"))
		}
		y.Type = to.Type
	}
	k = max(-x[0], min(k, x[1]))
	one := graph.Alloc(y.Type, nil)
	graph.Convert(one, &graph.Tensor{Type: graph.Bool, Shape: []int{}, B: []bool{true}})
	return b.Computes(func(in, out op.Tensors) {
		graph.Expand(out[0], graph.Alloc(y.Type, nil))
		for i := max(0, -k); i < min(x[0], x[1]-k); i++ {
			out[0].Data().Copy(i*x[1]+i+k, one.Data(), 0, 1)
		}
	}, y)
}
