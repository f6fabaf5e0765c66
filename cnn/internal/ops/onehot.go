package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "OneHot", Since: 9, Sig: "n n a", Attrs: "axis:int=-1", Pictures: oneHotPictures, Bind: bindOneHot},
})

func oneHotAxis(b *op.Binding) int { return op.Try(tensor.Axis(b.Int("axis"), len(b.Shape())+1)) }

// oneHotPictures: the indices' axes from the new one on move.
var oneHotPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	axis := axes[0]
	if axis >= oneHotAxis(b) {
		axis++
	}
	return axis, op.OnlyFirst(axes)
})

// bindOneHot: each index becomes a vector of depth elements along a new axis, of the
// second of two values at that index and the first elsewhere.
func bindOneHot(b *op.Binding) *op.Kernel {
	x, depth, values := b.Shape(), b.In[1], b.In[2]
	axis := oneHotAxis(b)
	b.RefuseIf(!depth.Known(), "input 1 (depth) %w", op.ErrNotConstant)
	b.RefuseIf(depth.Len() != 1 || !slices.Equal(values.Shape, []int{2}), "depth is %v and the values are %v, not one number and two", depth, values)
	n := int(min(graph.Converted(depth, graph.Int).I[0], tensor.MaxElements))
	b.RefuseIf(n < 1, "depth %d is not positive", n)
	inner := tensor.Size(x[axis:])
	k := b.Computes(func(in, out op.Tensors) {
		to, values := out[0].Data(), in[2].Data()
		off := *in[2]
		off.Shape = []int{}
		graph.Expand(out[0], &off)
		for i, v := range graph.Converted(in[0], graph.Int).I {
			if at, err := Index(v, n); err == nil {
				to.Copy((i/inner*n+at)*inner+i%inner, values, 1, 1)
			}
		}
	}, op.Like(values, slices.Insert(slices.Clone(x), axis, n)))
	k.Workspace = 8 * int64(b.In[0].Len())
	return k
}
