package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

const reduction = "reduction@16:none|add|mul reduction@18:none|add|mul|max|min"

var _ = op.Register([]op.Row{
	{Name: "Scatter", Since: 9, Until: 10, Sig: "a i =", Attrs: "axis:int=0", Pictures: scatterPictures, Bind: bindScatterElements},
	{Name: "ScatterElements", Since: 11, Sig: "a i =", Attrs: "axis:int=0 " + reduction, Pictures: scatterPictures, Bind: bindScatterElements},
	{Name: "ScatterND", Since: 11, Sig: "a i =", Attrs: reduction, Pictures: scatterNDPictures, Bind: bindScatterND},
})

// A reducing combines n elements of a tensor from place to on with those of another.
type reducing func(dst *graph.Tensor, to int, src *graph.Tensor, from, n int)

// newReducing returns what the node does where indices meet elements.
func newReducing(b *op.Binding) reducing {
	how := "none"
	if b.Op != "Scatter" {
		how = b.Word("reduction")
	}
	b.RefuseIf(how != "none" && b.In[0].Type == graph.Bool, "reduction %s of bool", how)
	switch how {
	case "add":
		return combining(addOf[float32], addOf[int64])
	case "mul":
		return combining(mulOf[float32], mulOf[int64])
	case "max":
		return combining(maxOf[float32], maxOf[int64])
	case "min":
		return combining(minOf[float32], minOf[int64])
	}
	return func(dst *graph.Tensor, to int, src *graph.Tensor, from, n int) {
		dst.Data().Copy(to, src.Data(), from, n)
	}
}

func combining(f func(x, y float32) float32, g func(x, y int64) int64) reducing {
	return func(dst *graph.Tensor, to int, src *graph.Tensor, from, n int) {
		for i := range n {
			if dst.Type == graph.Float {
				dst.F[to+i] = f(dst.F[to+i], src.F[from+i])
			} else {
				dst.I[to+i] = g(dst.I[to+i], src.I[from+i])
			}
		}
	}
}

// scatterPictures: pictures lie along another axis of all.
var scatterPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	a := axes[0]
	return a, a >= 0 && a != b.Axis() && axes[1] == a && axes[2] == a && b.Shape()[a] == b.In[1].Shape[a]
})

// bindScatterElements: out[i][idx[i][j][k]][k] becomes updates[i][j][k] for axis 1.
func bindScatterElements(b *op.Binding) *op.Kernel {
	x, idx := b.Shape(), b.In[1].Shape
	axis, w := elementsOf(b, idx)
	b.RefuseIf(!slices.Equal(idx, b.In[2].Shape), "indices %v and updates %v differ", idx, b.In[2].Shape)
	reduce, n, step := newReducing(b), x[axis], tensor.Strides(x)[axis]
	return b.Kernel(func(in, out op.Tensors, _ *workers.Team) (err error) {
		graph.Assign(out[0], in[0])
		w.Elements(func(o int, at [3]int) {
			if j, e := Index(in[1].I[o], n); e != nil {
				err = e
			} else {
				reduce(out[0], at[0]+j*step, in[2], o, 1)
			}
		})
		return err
	}, op.Like(b.In[0], x))
}

// scatterNDPictures: pictures lie within what an index addresses.
var scatterNDPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	idx := b.In[1].Shape
	depth := idx[len(idx)-1]
	return axes[0], axes[0] >= depth && axes[1] < 0 && axes[2] == axes[0]-depth+len(idx)-1
})

// bindScatterND: the last dimension of the indices addresses a block of the data,
// which becomes that of the updates.
func bindScatterND(b *op.Binding) *op.Kernel {
	x, idx := b.Shape(), b.In[1].Shape
	n := blocksOf(b, idx, 0)
	want := slices.Concat(idx[:len(idx)-1], n.inner)
	b.RefuseIf(!slices.Equal(b.In[2].Shape, want), "updates %v do not have the shape %v", b.In[2].Shape, want)
	reduce, size := newReducing(b), tensor.Size(n.inner)
	return b.Kernel(func(in, out op.Tensors, _ *workers.Team) error {
		graph.Assign(out[0], in[0])
		return n.blocks(in[1].I, func(i, at int) { reduce(out[0], at, in[2], i*size, size) })
	}, op.Like(b.In[0], x))
}
