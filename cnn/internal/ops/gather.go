package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Operators whose indices are data: they are checked when the node runs.
var gatherOps = []Op{
	{Name: "Gather", Since: 1, Sig: "a i", bind: bindGather},
	{Name: "GatherElements", Since: 11, Sig: "a i", bind: bindGatherElements},
	{Name: "GatherND", Since: 11, Sig: "a i", bind: bindGatherND},
}

// index resolves an index that may count from the end of an axis of n.
func index(v int64, n int) (int, error) {
	if v < int64(-n) || v >= int64(n) {
		return 0, fmt.Errorf("index %d is out of range for a dimension of %d", v, n)
	}
	if v < 0 {
		v += int64(n)
	}
	return int(v), nil
}

// copyBlock copies n elements between tensors of the same type.
func copyBlock(dst *graph.Tensor, d int, src *graph.Tensor, s, n int) {
	if n == 0 { // d and s may lie beyond the end
		return
	}
	switch dst.Type {
	case graph.Float:
		copy(dst.F[d:d+n], src.F[s:s+n])
	case graph.Int:
		copy(dst.I[d:d+n], src.I[s:s+n])
	case graph.Bool:
		copy(dst.B[d:d+n], src.B[s:s+n])
	}
}

func bindGather(b *binding) (*Kernel, error) {
	x, idx := b.in[0].Shape, b.in[1].Shape
	axis, err := b.axis("axis", 0, len(x))
	if err != nil {
		return nil, err
	}
	outer, dim, inner := product(x[:axis]), x[axis], product(x[axis+1:])
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		o := 0
		for i := range outer {
			for _, v := range in[1].I {
				j, err := index(v, dim)
				if err != nil {
					return err
				}
				copyBlock(out[0], o, in[0], (i*dim+j)*inner, inner)
				o += inner
			}
		}
		return nil
	}
	return b.kernel(run, like(b.in[0], slices.Concat(x[:axis], idx, x[axis+1:])))
}

// bindGatherElements: out[i][j][k] = x[i][idx[i][j][k]][k] for axis 1.
func bindGatherElements(b *binding) (*Kernel, error) {
	x, idx := b.in[0].Shape, b.in[1].Shape
	axis, err := b.axis("axis", 0, len(x))
	if err != nil {
		return nil, err
	}
	if len(idx) != len(x) {
		return nil, fmt.Errorf("shapes %v and %v differ in rank", x, idx)
	}
	for d := range x {
		if d != axis && idx[d] > x[d] {
			return nil, fmt.Errorf("indices %v are larger than the data %v", idx, x)
		}
	}
	from := strides(x)
	step := from[axis]
	from[axis] = 0
	l := newLoops(idx, from)
	run := func(in, out []*graph.Tensor, team *workers.Team) (err error) {
		l.rows(func(o int, off []int) {
			for i := range l.n {
				j, e := index(in[1].I[o+i], x[axis])
				if e != nil {
					err = e
					return
				}
				copyBlock(out[0], o+i, in[0], off[0]+i*l.step[0]+j*step, 1)
			}
		})
		return err
	}
	return b.kernel(run, like(b.in[0], idx))
}

// bindGatherND: the last dimension of the indices addresses a block of the data.
func bindGatherND(b *binding) (*Kernel, error) {
	x, idx := b.in[0].Shape, b.in[1].Shape
	batch := 0
	if b.opset >= 12 {
		batch = b.Int("batch_dims", 0)
	}
	if len(idx) == 0 || batch < 0 || batch >= min(len(x), len(idx)) {
		return nil, fmt.Errorf("batch_dims %d does not fit shapes %v and %v", batch, x, idx)
	}
	if !slices.Equal(x[:batch], idx[:batch]) {
		return nil, fmt.Errorf("shapes %v and %v differ in their first %d dimensions", x, idx, batch)
	}
	depth := idx[len(idx)-1]
	if depth < 1 || depth > len(x)-batch {
		return nil, fmt.Errorf("indices %v address %d of the %d dimensions", idx, depth, len(x)-batch)
	}
	dims, st := x[batch:batch+depth], strides(x)[batch:]
	batches, rest := product(x[:batch]), product(x[batch:])
	inner := product(x[batch+depth:])
	each := product(idx[batch : len(idx)-1])
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		o, i := 0, in[1].I
		for n := range batches {
			for range each {
				from := n * rest
				for d, v := range i[:depth] {
					j, err := index(v, dims[d])
					if err != nil {
						return err
					}
					from += j * st[d]
				}
				i = i[depth:]
				copyBlock(out[0], o, in[0], from, inner)
				o += inner
			}
		}
		return nil
	}
	return b.kernel(run, like(b.in[0], slices.Concat(idx[:len(idx)-1], x[batch+depth:])))
}
