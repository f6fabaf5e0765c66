// Package tensor holds the arithmetic of dense row-major arrays that the ONNX
// operators and the planner share: shapes, axes, strided walks, transpositions
// and the windows of convolutions and poolings. It knows no operators, and no
// data beyond slices.
package tensor

import (
	"errors"
	"fmt"
	"slices"
)

const (
	// MaxElements is the largest number of elements of a tensor.
	MaxElements = 1<<31 - 1

	// MaxRank is the largest number of dimensions of a tensor.
	MaxRank = 32
)

// ErrTooLarge says that a tensor has more elements than it may have.
var ErrTooLarge = errors.New("tensor too large")

// Size returns the number of elements of a shape, the product of its dimensions.
func Size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Count is Size for shapes that are not trusted: it fails for more than MaxRank
// dimensions, negative ones, and more than MaxElements elements. A shape with an
// empty dimension is bounded by its other dimensions all the same, so that no
// product of a part of it overflows.
func Count(shape []int) (int, error) {
	if len(shape) > MaxRank {
		return 0, fmt.Errorf("%d dimensions, at most %d are supported", len(shape), MaxRank)
	}
	n, empty := 1, false
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("negative dimension in shape %v", shape)
		case d == 0:
			empty = true
		case d > MaxElements/n:
			return 0, fmt.Errorf("%w: shape %v", ErrTooLarge, shape)
		default:
			n *= d
		}
	}
	if empty {
		return 0, nil
	}
	return n, nil
}

// Strides returns the row-major strides of a shape.
func Strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= max(shape[i], 1)
	}
	return s
}

// Permuted returns v in the order of perm: of a shape, that of the transposition.
func Permuted(v, perm []int) []int {
	p := make([]int, len(perm))
	for i, a := range perm {
		p[i] = v[a]
	}
	return p
}

// Inverse returns the permutation that undoes perm.
func Inverse(perm []int) []int {
	inv := make([]int, len(perm))
	for i, a := range perm {
		inv[a] = i
	}
	return inv
}

// FromEnd returns an index into n that may count from the end: negative ones do.
func FromEnd(i, n int) int {
	if i < 0 {
		i += n
	}
	return i
}

// Axis resolves an axis that may count from the end.
func Axis(a, rank int) (int, error) {
	if a < -rank || a >= rank {
		return 0, fmt.Errorf("axis %d is out of range for %d dimensions", a, rank)
	}
	return FromEnd(a, rank), nil
}

// Axes resolves axes, which must differ.
func Axes(axes []int, rank int) ([]int, error) {
	v := make([]int, len(axes))
	for i, a := range axes {
		a, err := Axis(a, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(v[:i], a) {
			return nil, fmt.Errorf("axis %d comes twice", a)
		}
		v[i] = a
	}
	return v, nil
}

// AllAxes returns 0, 1, ..., rank-1.
func AllAxes(rank int) []int {
	axes := make([]int, rank)
	for d := range axes {
		axes[d] = d
	}
	return axes
}

// Broadcast returns the shape that all shapes stretch to, after ONNX's (and
// numpy's) multidirectional rule.
func Broadcast(shapes ...[]int) ([]int, error) {
	var out []int
	for _, s := range shapes {
		if len(s) > len(out) {
			out = append(slices.Repeat([]int{1}, len(s)-len(out)), out...)
		}
		for i, d := range s {
			o := &out[len(out)-len(s)+i]
			switch {
			case *o == 1:
				*o = d
			case d != 1 && d != *o:
				return nil, fmt.Errorf("shapes %v do not broadcast", shapes)
			}
		}
	}
	return out, nil
}

// BroadcastsTo reports whether a tensor of shape s stretches to shape out.
func BroadcastsTo(s, out []int) bool {
	got, err := Broadcast(s, out)
	return err == nil && slices.Equal(got, out)
}

// Stretch returns the strides along shape out of a tensor of shape s that
// broadcasts to it.
func Stretch(s, out []int) []int {
	st := make([]int, len(out))
	off := len(out) - len(s)
	for d, x := range Strides(s) {
		if s[d] != 1 {
			st[off+d] = x
		}
	}
	return st
}

// A Group is a run of dimensions that a reshape turns into another run of the
// same product.
type Group struct{ FirstIn, In, FirstOut, Out int }

// Groups splits a reshape into its smallest groups, nil where it has none.
func Groups(in, out []int) []Group {
	var groups []Group
	i, j := 0, 0
	for i < len(in) && j < len(out) {
		g := Group{FirstIn: i, In: 1, FirstOut: j, Out: 1}
		p, q := in[i], out[j]
		i++
		j++
		for p != q {
			switch {
			case p < q && i < len(in):
				p *= in[i]
				i++
				g.In++
			case p > q && j < len(out):
				q *= out[j]
				j++
				g.Out++
			default:
				return nil
			}
		}
		groups = append(groups, g)
	}
	if len(groups) == 0 {
		return nil
	}
	last := &groups[len(groups)-1] // only ones are left
	last.In += len(in) - i
	last.Out += len(out) - j
	return groups
}

// ReshapedAxis returns the axis of a tensor of shape out along which the parts lie
// that lie along an axis of the same tensor of shape in: they must be the slowest to
// change in the group of axes that holds them.
func ReshapedAxis(in, out []int, axis int) (int, bool) {
	for _, g := range Groups(in, out) {
		if axis >= g.FirstIn && axis < g.FirstIn+g.In {
			return g.FirstOut, Size(in[g.FirstIn:axis]) == 1
		}
	}
	return 0, false
}
