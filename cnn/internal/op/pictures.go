package op

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// A PicturesRule says where the pictures of a batch are in the output of an operator,
// if it computes the same for each picture as for that picture alone. They lie along
// one axis, which may hold several indices a picture, one picture's after the other's.
type PicturesRule struct {
	axis func(b *Binding, axes []int) (axis int, ok bool)
}

// Pictures returns the axis of the outputs of node along which the pictures of a
// batch lie, given that of each of its inputs: -1 for those that are the same for
// all pictures, or left out. ok is false where the outputs are not made of one part
// for each picture, or that is not known. in are the node's inputs, as for Bind.
func Pictures(node *graph.Node, opset int, in Tensors, axes []int) (axis int, ok bool) {
	o, err := Lookup(node.Op, opset)
	if err != nil || len(axes) == 0 || slices.Max(axes) < 0 {
		return 0, false
	}
	err = refused(func() { axis, ok = o.Pictures.Axis(&Binding{Node: node, row: o, Opset: opset, In: in}, axes) })
	return axis, ok && err == nil
}

// Rules that need no more than a name.
var (
	// Unknown: the pictures are not apart in the output.
	Unknown = Rule(func(*Binding, []int) (int, bool) { return 0, false })

	// Elementwise: with broadcasting.
	Elementwise = Rule(broadcastPictures)

	// AlongAll: each element of the first input on its own.
	AlongAll = Along(func(*Binding) []int { return nil })

	// AlongFirst: each index of the first axis of the first input on its own.
	AlongFirst = Along(func(b *Binding) []int { return tensor.AllAxes(len(b.Shape()))[1:] })

	// AlongOthers: the indices of the node's axis are mixed, not those of others.
	AlongOthers = Along(func(b *Binding) []int { return []int{b.Axis()} })

	// BeforeAxis: the indices from the node's axis on are mixed.
	BeforeAxis = Along(func(b *Binding) []int { return tensor.AllAxes(len(b.Shape()))[b.Axis():] })
)

// broadcastPictures is the rule for operators on broadcast elements: the pictures must
// lie along the same axis of all inputs, and inputs without pictures must be the same
// for all of them.
func broadcastPictures(b *Binding, axes []int) (axis int, ok bool) {
	rank := 0
	for _, t := range b.In {
		if t != nil {
			rank = max(rank, len(t.Shape))
		}
	}
	axis, size := -1, 0
	for i, t := range b.In {
		if axes[i] < 0 {
			continue
		}
		a := axes[i] + rank - len(t.Shape)
		if axis >= 0 && (a != axis || t.Shape[axes[i]] != size) {
			return 0, false
		}
		axis, size = a, t.Shape[axes[i]]
	}
	for i, t := range b.In {
		if t == nil || axes[i] >= 0 {
			continue
		}
		if a := axis - rank + len(t.Shape); a >= 0 && t.Shape[a] != 1 {
			return 0, false
		}
	}
	return axis, true
}

// Rule makes a rule of a function that returns the axis of the outputs along which the
// pictures lie, given that of each input, -1 for inputs that are the same for all
// pictures; ok is false where there is none. Not all of axes are -1.
func Rule(f func(b *Binding, axes []int) (axis int, ok bool)) *PicturesRule { return &PicturesRule{f} }

// Axis applies the rule.
func (r *PicturesRule) Axis(b *Binding, axes []int) (axis int, ok bool) { return r.axis(b, axes) }

// OnlyFirst reports whether the first input alone holds pictures.
func OnlyFirst(axes []int) bool {
	return axes[0] >= 0 && !slices.ContainsFunc(axes[1:], func(a int) bool { return a >= 0 })
}

// Along is the rule for operators that keep the axes of the first input and mix the
// indices of some of them: pictures may lie along the others. Other inputs hold none.
func Along(mixed func(b *Binding) []int) *PicturesRule {
	return Rule(func(b *Binding, axes []int) (int, bool) {
		return axes[0], OnlyFirst(axes) && !slices.Contains(mixed(b), axes[0])
	})
}
