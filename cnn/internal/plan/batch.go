package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/ops"
)

// batches finds out whether the net computes the same for each picture of a
// batch as for the picture alone, whatever their number, and marks for each
// value the axis along which the pictures lie. That axis may hold several indices
// a picture, one picture's after the other's. It reports false if it cannot tell;
// then pictures go through in batches of the exporter's size.
//
// That the exporter fixed a batch size does not matter, then: the constants that
// hold it, such as the targets of reshapes, are no longer there.
func (g *net) batches() bool {
	g.input.batch = 0
	for _, n := range g.nodes {
		for _, v := range n.in {
			if v != nil && v.data != nil {
				if v.fromBatch {
					return false
				}
				v.batch = -1
			}
		}
		axis, ok := n.batch()
		if !ok {
			return false
		}
		for _, v := range n.out {
			v.batch = axis
			if axis < 0 || axis >= len(v.shape) || v.shape[axis]%g.base != 0 {
				return false
			}
		}
	}
	return g.output.batch == 0
}

// batch returns the axis of n's output along which the pictures lie.
func (n *node) batch() (axis int, ok bool) {
	if len(n.in) == 0 || n.in[0] == nil {
		return 0, false
	}
	out := n.out[0].shape
	axis = n.in[0].batch
	keeps := func(axes ...int) (int, bool) { return axis, axis >= 0 && !slices.Contains(axes, axis) }
	last := len(n.in[0].shape) - 1
	switch o := n.op.(type) {
	case reshapeOp:
		return ops.ReshapedBatch(n.in[0].shape, out, axis)
	case *transposeOp:
		return slices.Index(o.perm, axis), axis >= 0
	case *convOp, *poolOp, meanOp:
		if axis != 0 {
			return 0, false
		}
	case *denseOp, *normOp, softmaxOp:
		axis, ok = keeps(last)
		if !ok {
			return 0, false
		}
	case *scaleOp:
		return keeps(o.axis)
	case *sliceOp:
		return keeps(o.axis)
	case *padOp:
		return axis, axis >= 0 && o.before[axis] == 0 && o.after[axis] == 0
	case *concatOp:
		for _, v := range n.in {
			if axis < 0 || v.batch != axis || v.shape[axis] != n.in[0].shape[axis] {
				return 0, false
			}
		}
		return keeps(o.axis)
	case *actOp:
		return keeps()
	case *binaryOp:
		return broadcastBatch(n.in, out)
	case *genericOp:
		return o.batch(n)
	}
	// A residual must lie like the output.
	for _, v := range n.in[1:] {
		if v.batch != axis {
			return 0, false
		}
	}
	return axis, true
}

// broadcastBatch finds the axis of the pictures for operators on broadcast
// elements. Operands without pictures must be the same for all of them.
func broadcastBatch(in []*value, out []int) (axis int, ok bool) {
	axis = -1
	for _, v := range in {
		if v == nil || v.batch < 0 {
			continue
		}
		a := v.batch + len(out) - len(v.shape)
		if axis >= 0 && a != axis || v.shape[v.batch] != out[a] {
			return 0, false
		}
		axis = a
	}
	if axis < 0 {
		return 0, false
	}
	for _, v := range in {
		if v == nil || v.batch >= 0 {
			continue
		}
		if a := axis - len(out) + len(v.shape); a >= 0 && v.shape[a] != 1 {
			return 0, false
		}
	}
	return axis, true
}
