package ops

import (
	"cmp"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "TopK", Since: 1, Sig: "n i?", Attrs: "axis:int=-1 k-9:int=0 largest@11:flag=1 sorted@11:flag=1",
		Pictures: op.AlongOthers, Work: 32, Bind: bindTopK},
})

// bindTopK: the k largest or smallest elements along an axis, in order, and their
// Indices. Of equal ones the first comes first. A NaN is less
// than any number.
func bindTopK(b *op.Binding) *op.Kernel {
	k := b.Int("k")
	if b.Opset >= 10 {
		k = b.ConstInt(1, "K", -1)
	}
	axis, _, n, inner := b.Around()
	b.RefuseIf(k < 0 || k > n, "k %d is out of range for the %d of axis %d", k, n, axis)
	shape := slices.Clone(b.Shape())
	shape[axis] = k
	largest := b.Flag("largest")
	kernel := b.Computes(func(in, out op.Tensors) {
		indices := make([]int64, out[0].Len())
		if len(out) > 1 {
			indices = out[1].I
		}
		if in[0].Type == graph.Float {
			topK(out[0].F, indices, in[0].F, n, inner, k, largest)
		} else {
			topK(out[0].I, indices, in[0].I, n, inner, k, largest)
		}
	}, op.Like(b.In[0], shape), op.Integer(shape...))
	kernel.Workspace = 8 * int64(n+tensor.Size(shape))
	return kernel
}

func topK[T number](values []T, indices []int64, in []T, n, inner, k int, largest bool) {
	if len(in) == 0 {
		return
	}
	order := make([]int, n)
	at := 0
	compare := func(i, j int) int {
		x, y := in[at+i*inner], in[at+j*inner]
		if largest {
			x, y = y, x
		}
		return cmp.Or(cmp.Compare(x, y), i-j)
	}
	vector := 0
	tensor.Vectors(len(in), n, inner, func(first int) {
		at = first
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, compare)
		to := vector/inner*k*inner + vector%inner
		for i, j := range order[:k] {
			values[to+i*inner], indices[to+i*inner] = in[at+j*inner], int64(j)
		}
		vector++
	})
}
