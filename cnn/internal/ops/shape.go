package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Operators that keep the elements as they lie, or tell their number.
var shapeOps = []Op{
	{Name: "Reshape", Since: 5, Sig: "a i", bind: bindReshape},
	{Name: "Flatten", Since: 1, Sig: "a", bind: bindFlatten},
	{Name: "Squeeze", Since: 1, Sig: "a i?", bind: bindSqueeze},
	{Name: "Unsqueeze", Since: 1, Sig: "a i?", bind: bindUnsqueeze},
	{Name: "Identity", Since: 1, Sig: "a", bind: bindIdentity},
	{Name: "Dropout", Since: 7, Sig: "f f? b?", Limits: "inference only: training_mode must be false", bind: bindDropout},
	{Name: "Shape", Since: 1, Sig: "a", bind: bindShape},
	{Name: "Size", Since: 1, Sig: "a", bind: bindSize},
}

// reshaped binds a node whose output is its first input under another shape.
func (b *binding) reshaped(shape []int) (*Kernel, error) {
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		assign(out[0], in[0])
		return nil
	}
	n, err := count(shape)
	if err != nil {
		return nil, err
	}
	if n != b.in[0].Len() {
		return nil, fmt.Errorf("shape %v does not hold the elements of %v", shape, b.in[0].Shape)
	}
	return b.kernel(run, like(b.in[0], shape))
}

// bindReshape: -1 takes what is left, 0 the input's dimension unless allowzero (14) is set.
func bindReshape(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	want, err := b.constInts(1, "shape")
	if err != nil {
		return nil, err
	}
	allowZero := false
	if b.opset >= 14 {
		if allowZero, err = b.flag("allowzero", 0); err != nil {
			return nil, err
		}
	}
	shape, open := slices.Clone(want), -1
	for i, d := range want {
		switch {
		case d == -1 && open >= 0:
			return nil, fmt.Errorf("shape %v has more than one -1", want)
		case d == -1:
			open, shape[i] = i, 1
		case d == 0 && !allowZero:
			if i >= len(x) {
				return nil, fmt.Errorf("shape %v copies dimension %d, which %v has not", want, i, x)
			}
			shape[i] = x[i]
		}
	}
	n, err := count(shape)
	if err != nil {
		return nil, err
	}
	if open >= 0 {
		if n == 0 || b.in[0].Len()%n != 0 {
			return nil, fmt.Errorf("shape %v does not hold the elements of %v", want, x)
		}
		shape[open] = b.in[0].Len() / n
	}
	return b.reshaped(shape)
}

func bindFlatten(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	a := b.Int("axis", 1)
	if a < 0 && b.opset >= 11 {
		a += len(x)
	}
	if a < 0 || a > len(x) {
		return nil, fmt.Errorf("axis %d is out of range for %d dimensions", b.Int("axis", 1), len(x))
	}
	return b.reshaped([]int{product(x[:a]), product(x[a:])})
}

// bindSqueeze: the axes are an attribute up to opset 12, an input from then on;
// without them all dimensions of 1 go.
func bindSqueeze(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	axes, err := b.attrOrInput("axes", 12, 1)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		return b.reshaped(slices.DeleteFunc(slices.Clone(x), func(d int) bool { return d == 1 }))
	}
	if axes, err = axesOf(axes, len(x)); err != nil {
		return nil, err
	}
	shape := []int{}
	for d, n := range x {
		switch {
		case !slices.Contains(axes, d):
			shape = append(shape, n)
		case n != 1:
			return nil, fmt.Errorf("axis %d of %v is not 1", d, x)
		}
	}
	return b.reshaped(shape)
}

func bindUnsqueeze(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	axes, err := b.attrOrInput("axes", 12, 1)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		return nil, fmt.Errorf("axes are missing")
	}
	rank := len(x) + len(axes)
	if rank > maxRank {
		return nil, fmt.Errorf("%d dimensions, at most %d are supported", rank, maxRank)
	}
	if axes, err = axesOf(axes, rank); err != nil {
		return nil, err
	}
	shape := make([]int, rank)
	for d := range shape {
		if slices.Contains(axes, d) {
			shape[d] = 1
		} else {
			shape[d], x = x[0], x[1:]
		}
	}
	return b.reshaped(shape)
}

func bindIdentity(b *binding) (*Kernel, error) { return b.reshaped(b.in[0].Shape) }

// bindDropout passes its input through; the mask keeps all.
func bindDropout(b *binding) (*Kernel, error) {
	if len(b.in) > 1 && b.opset < 12 {
		return nil, fmt.Errorf("has %d inputs, takes one before opset 12", len(b.in))
	}
	if t := b.x(2); t != nil {
		if !t.Known() {
			return nil, fmt.Errorf("input 2 (training_mode) %w", ErrNotConstant)
		}
		if len(t.B) != 1 {
			return nil, fmt.Errorf("input 2 (training_mode) is %s, not a scalar", describe(t))
		}
		if t.B[0] {
			return nil, b.unsupported("training_mode")
		}
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		assign(out[0], in[0])
		if len(out) > 1 {
			for i := range out[1].F {
				out[1].F[i] = 1
			}
			for i := range out[1].B {
				out[1].B[i] = true
			}
		}
		return nil
	}
	x := b.in[0]
	mask := graph.Tensor{Type: graph.Bool, Shape: x.Shape}
	if b.opset < 10 {
		mask.Type = graph.Float
	}
	return b.kernel(run, like(x, x.Shape), mask)
}

// bindShape: from opset 15 on, start and end may choose a range of dimensions.
func bindShape(b *binding) (*Kernel, error) {
	x := slices.Clone(b.in[0].Shape)
	if b.opset >= 15 {
		start, n := sliceRange(b.Int("start", 0), b.Int("end", len(x)), 1, len(x))
		x = x[start : start+n]
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		for i, d := range x {
			out[0].I[i] = int64(d)
		}
		return nil
	}
	return b.kernel(run, graph.Tensor{Type: graph.Int, Shape: []int{len(x)}})
}

func bindSize(b *binding) (*Kernel, error) {
	n := b.in[0].Len()
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		out[0].I[0] = int64(n)
		return nil
	}
	return b.kernel(run, graph.Tensor{Type: graph.Int})
}
