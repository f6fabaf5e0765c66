package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Operators whose indices are data: they are checked when the node runs.
var _ = op.Register([]op.Row{
	{Name: "Gather", Since: 1, Sig: "a i", Attrs: "axis:int=0", Pictures: gatherPictures, Work: 1, Bind: bindGather},
	{Name: "GatherElements", Since: 11, Sig: "a i", Attrs: "axis:int=0", Pictures: gatherElementsPictures, Bind: bindGatherElements},
	{Name: "GatherND", Since: 11, Sig: "a i", Attrs: "batch_dims@12:int=0", Pictures: gatherNDPictures, Bind: bindGatherND},
})

// Index resolves an index that may count from the end of an axis of n.
func Index(v int64, n int) (int, error) {
	if v < int64(-n) || v >= int64(n) {
		return 0, fmt.Errorf("index %d is out of range for a dimension of %d", v, n)
	}
	if v < 0 {
		v += int64(n)
	}
	return int(v), nil
}

// gatherPictures: pictures lie along another axis of the data, or along any of the
// Indices into data that are the same for all.
var gatherPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	axis := b.Axis()
	switch {
	case axes[0] >= 0 && axes[1] >= 0:
		return 0, false
	case axes[0] < 0:
		return axis + axes[1], true
	case axes[0] > axis:
		return axes[0] - 1 + len(b.In[1].Shape), true
	}
	return axes[0], axes[0] != axis
})

func bindGather(b *op.Binding) *op.Kernel {
	x, idx := b.Shape(), b.In[1].Shape
	axis, outer, n, inner := b.Around()
	return b.Kernel(func(in, out op.Tensors, _ *workers.Team) error {
		to, from, at := out[0].Data(), in[0].Data(), 0
		for o := range outer {
			for _, v := range in[1].I {
				j, err := Index(v, n)
				if err != nil {
					return err
				}
				to.Copy(at, from, (o*n+j)*inner, inner)
				at += inner
			}
		}
		return nil
	}, op.Like(b.In[0], slices.Concat(x[:axis], idx, x[axis+1:])))
}

// gatherElementsPictures: pictures lie along another axis of both.
var gatherElementsPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	axis, a := b.Axis(), axes[1]
	return a, a >= 0 && a == axes[0] && a != axis && b.Shape()[a] == b.In[1].Shape[a]
})

// bindGatherElements: out[i][j][k] = x[i][idx[i][j][k]][k] for axis 1.
func bindGatherElements(b *op.Binding) *op.Kernel {
	axis, w := elementsOf(b, b.In[1].Shape)
	n, step := b.Shape()[axis], tensor.Strides(b.Shape())[axis]
	return b.Kernel(func(in, out op.Tensors, _ *workers.Team) (err error) {
		to, from := out[0].Data(), in[0].Data()
		w.Elements(func(o int, at [3]int) {
			j, e := Index(in[1].I[o], n)
			if e != nil {
				err = e
				return
			}
			to.Copy(o, from, at[0]+j*step, 1)
		})
		return err
	}, op.Like(b.In[0], b.In[1].Shape))
}

// elementsOf returns the walk over indices into the first input that say where along
// an axis an element is. They may be fewer than the data along each other axis.
func elementsOf(b *op.Binding, idx []int) (axis int, w tensor.Walk) {
	x := b.Shape()
	axis = b.Axis()
	b.RefuseIf(len(idx) != len(x), "shapes %v and %v differ in rank", x, idx)
	for d := range x {
		b.RefuseIf(d != axis && idx[d] > x[d], "indices %v are larger than the data %v", idx, x)
	}
	from := tensor.Strides(x)
	from[axis] = 0
	return axis, tensor.NewWalk(idx, from)
}

// gatherNDPictures: pictures lie along one of the axes that data and indices share.
var gatherNDPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	a := axes[0]
	return a, a >= 0 && a == axes[1] && a < b.Int("batch_dims")
})

// blocksOf checks indices whose last dimension addresses a block of the first input;
// the first dimensions of both are a batch.
func blocksOf(b *op.Binding, idx []int, batch int) *nd {
	x := b.Shape()
	b.RefuseIf(len(idx) == 0 || batch < 0 || batch >= min(len(x), len(idx)), "batch_dims %d does not fit shapes %v and %v", batch, x, idx)
	b.RefuseIf(!slices.Equal(x[:batch], idx[:batch]), "shapes %v and %v differ in their first %d dimensions", x, idx, batch)
	depth := idx[len(idx)-1]
	b.RefuseIf(depth < 1 || depth > len(x)-batch, "indices %v address %d of the %d dimensions", idx, depth, len(x)-batch)
	return &nd{
		dims: x[batch : batch+depth], strides: tensor.Strides(x)[batch:], rest: tensor.Size(x[batch:]),
		inner: x[batch+depth:], each: tensor.Size(idx[batch : len(idx)-1]), batches: tensor.Size(x[:batch]),
	}
}

// nd are indices of several dimensions.
type nd struct {
	dims, strides       []int // of the data, as far as they are addressed
	inner               []int // shape of what an index addresses
	batches, each, rest int   // batches, indices in each, elements in each
}

// blocks calls f for each index in order, with the place of what it addresses.
func (n *nd) blocks(idx []int64, f func(i, at int)) error {
	depth := len(n.dims)
	for i := range n.batches * n.each {
		at := i / n.each * n.rest
		for d, v := range idx[i*depth : (i+1)*depth] {
			j, err := Index(v, n.dims[d])
			if err != nil {
				return err
			}
			at += j * n.strides[d]
		}
		f(i, at)
	}
	return nil
}

// bindGatherND: the last dimension of the indices addresses a block of the data.
func bindGatherND(b *op.Binding) *op.Kernel {
	idx := b.In[1].Shape
	n := blocksOf(b, idx, b.Int("batch_dims"))
	size := tensor.Size(n.inner)
	return b.Kernel(func(in, out op.Tensors, _ *workers.Team) error {
		to, from := out[0].Data(), in[0].Data()
		return n.blocks(in[1].I, func(i, at int) { to.Copy(i*size, from, at, size) })
	}, op.Like(b.In[0], slices.Concat(idx[:len(idx)-1], n.inner)))
}
