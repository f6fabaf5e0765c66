package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// A PicturesRule says where the pictures of a batch are in the output of an operator,
// if it computes the same for each picture as for that picture alone. They lie along
// one axis, which may hold several indices a picture, one picture's after the other's.
type PicturesRule struct {
	// axis returns the axis of the outputs along which the pictures lie, given that
	// of each input, -1 for inputs that are the same for all pictures; ok is false
	// where there is none. Not all of axes are -1.
	axis func(b *binding, axes []int) (axis int, ok bool)
}

// Pictures returns the axis of the outputs of node along which the pictures of a
// batch lie, given that of each of its inputs: -1 for those that are the same for
// all pictures, or left out. ok is false where the outputs are not made of one part
// for each picture, or that is not known. in are the node's inputs, as for Bind.
func Pictures(node *graph.Node, opset int, in tensors, axes []int) (axis int, ok bool) {
	o, err := Lookup(node.Op, opset)
	if err != nil || len(axes) == 0 || slices.Max(axes) < 0 {
		return 0, false
	}
	err = refused(func() { axis, ok = o.Pictures.axis(&binding{Node: node, op: o, opset: opset, in: in}, axes) })
	return axis, ok && err == nil
}

// Rules that need no more than a name.
var (
	// unknown: the pictures are not apart in the output.
	unknown = &PicturesRule{func(*binding, []int) (int, bool) { return 0, false }}

	// elementwise: with broadcasting.
	elementwise = &PicturesRule{broadcastPictures}

	// alongAll: each element of the first input on its own.
	alongAll = along(func(*binding) []int { return nil })

	// alongFirst: each index of the first axis of the first input on its own.
	alongFirst = along(func(b *binding) []int { return tensor.AllAxes(len(b.shape()))[1:] })

	// alongOthers: the indices of the node's axis are mixed, not those of others.
	alongOthers = along(func(b *binding) []int { return []int{b.axis()} })

	// beforeAxis: the indices from the node's axis on are mixed.
	beforeAxis = along(func(b *binding) []int { return tensor.AllAxes(len(b.shape()))[b.axis():] })
)

// broadcastPictures is the rule for operators on broadcast elements: the pictures must
// lie along the same axis of all inputs, and inputs without pictures must be the same
// for all of them.
func broadcastPictures(b *binding, axes []int) (axis int, ok bool) {
	rank := 0
	for _, t := range b.in {
		if t != nil {
			rank = max(rank, len(t.Shape))
		}
	}
	axis, size := -1, 0
	for i, t := range b.in {
		if axes[i] < 0 {
			continue
		}
		a := axes[i] + rank - len(t.Shape)
		if axis >= 0 && (a != axis || t.Shape[axes[i]] != size) {
			return 0, false
		}
		axis, size = a, t.Shape[axes[i]]
	}
	for i, t := range b.in {
		if t == nil || axes[i] >= 0 {
			continue
		}
		if a := axis - rank + len(t.Shape); a >= 0 && t.Shape[a] != 1 {
			return 0, false
		}
	}
	return axis, true
}

// onlyFirst reports whether the first input alone holds pictures.
func onlyFirst(axes []int) bool {
	return axes[0] >= 0 && !slices.ContainsFunc(axes[1:], func(a int) bool { return a >= 0 })
}

// along is the rule for operators that keep the axes of the first input and mix the
// indices of some of them: pictures may lie along the others. Other inputs hold none.
func along(mixed func(b *binding) []int) *PicturesRule {
	return &PicturesRule{func(b *binding, axes []int) (int, bool) {
		return axes[0], onlyFirst(axes) && !slices.Contains(mixed(b), axes[0])
	}}
}
