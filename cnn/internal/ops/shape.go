package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Operators that keep the elements as they lie, or tell their number.
var _ = register(
	Op{Name: "Reshape", Since: 5, Sig: "a i", Attrs: "allowzero@14:flag=0", Batch: reshapedBatch, Work: 1, Head: Reshapes, bind: bindReshape},
	Op{Name: "Flatten", Since: 1, Sig: "a", Attrs: "axis:int=1", Batch: reshapedBatch, Work: 1, Head: Reshapes, bind: bindFlatten},
	Op{Name: "Squeeze", Since: 1, Sig: "a i?", Attrs: "axes-12:ints", Batch: reshapedBatch, Work: 1, Head: Reshapes, bind: bindSqueeze},
	Op{Name: "Unsqueeze", Since: 1, Sig: "a i?", Attrs: "axes-12:ints", Batch: reshapedBatch, Work: 1, Head: Reshapes, bind: bindUnsqueeze},
	Op{Name: "Identity", Since: 1, Sig: "a", Batch: elementwise, Work: 1, Head: Passes, bind: func(b *binding) (*Kernel, error) { return b.reshaped(b.shape()) }},
	Op{Name: "Dropout", Since: 7, Sig: "f f? b?", Limits: "inference only: training_mode must be false",
		Batch: alongAll, Work: 1, Head: Passes, bind: bindDropout},
	Op{Name: "Shape", Since: 1, Sig: "a#", Attrs: "start@15:int=0 end@15:int=2147483647", Batch: unknown, Work: 1, bind: bindShape},
	Op{Name: "Size", Since: 1, Sig: "a#", Batch: unknown, Work: 1, bind: bindSize},
)

// reshaped binds a node whose output is its first input under another shape.
func (b *binding) reshaped(shape []int) (*Kernel, error) {
	n, err := tensor.Count(shape)
	if err != nil {
		return nil, err
	}
	if n != b.in[0].Len() {
		return nil, fmt.Errorf("shape %v does not hold the elements of %v", shape, b.shape())
	}
	k, err := b.computes(func(in, out tensors) { assign(out[0], in[0]) }, like(b.in[0], shape))
	k.Keeps = true
	return k, err
}

// bindReshape: -1 takes what is left, 0 the input's dimension unless allowzero (14) is set.
func bindReshape(b *binding) (*Kernel, error) {
	x := b.shape()
	want, err := b.constInts(1, "shape")
	if err != nil {
		return nil, err
	}
	allowZero := b.flag("allowzero")
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
	n, err := tensor.Count(shape)
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
	x := b.shape()
	a := b.Int("axis")
	if a < 0 && b.opset >= 11 {
		a += len(x)
	}
	if a < 0 || a > len(x) {
		return nil, fmt.Errorf("axis %d is out of range for %d dimensions", b.Int("axis"), len(x))
	}
	return b.reshaped([]int{tensor.Size(x[:a]), tensor.Size(x[a:])})
}

// bindSqueeze: the axes are an attribute up to opset 12, an input from then on;
// without them all dimensions of 1 go.
func bindSqueeze(b *binding) (*Kernel, error) {
	x := b.shape()
	axes, err := b.attrOrInput("axes", 1)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		return b.reshaped(slices.DeleteFunc(slices.Clone(x), func(d int) bool { return d == 1 }))
	}
	if axes, err = tensor.Axes(axes, len(x)); err != nil {
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
	x := b.shape()
	axes, err := b.attrOrInput("axes", 1)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		return nil, fmt.Errorf("axes are missing")
	}
	rank := len(x) + len(axes)
	if rank > tensor.MaxRank {
		return nil, fmt.Errorf("%d dimensions, at most %d are supported", rank, tensor.MaxRank)
	}
	if axes, err = tensor.Axes(axes, rank); err != nil {
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
	mask := boolean(b.shape()...)
	if b.opset < 10 {
		mask.Type = graph.Float
	}
	k, err := b.computes(func(in, out tensors) {
		assign(out[0], in[0])
		if len(out) > 1 {
			convert(out[1], &graph.Tensor{Type: graph.Bool, Shape: mask.Shape, B: slices.Repeat([]bool{true}, len(out[0].F))})
		}
	}, float(mask.Shape...), mask)
	k.Keeps = true
	return k, err
}

// bindShape: from opset 15 on, start and end may choose a range of dimensions.
func bindShape(b *binding) (*Kernel, error) {
	x := slices.Clone(b.shape())
	start, n := sliceRange(b.Int("start"), b.Int("end"), 1, len(x))
	x = x[start : start+n]
	return b.computes(func(in, out tensors) {
		mapSlice(out[0].I, x, func(d int) int64 { return int64(d) })
	}, integer(n))
}

func bindSize(b *binding) (*Kernel, error) {
	n := b.in[0].Len()
	return b.computes(func(in, out tensors) { out[0].I[0] = int64(n) }, integer())
}

// reshapedBatch follows the axis of the pictures through a reshape: the pictures
// must be the slowest to change in the group of axes that holds them.
var reshapedBatch = &BatchRule{func(b *binding, axes []int) (int, bool) {
	k, err := b.op.bind(b)
	if err != nil || !onlyFirst(axes) {
		return 0, false
	}
	return ReshapedBatch(b.shape(), k.Out[0].Shape, axes[0])
}}

// ReshapedBatch returns the axis of shape out along which pictures lie that lie along
// an axis of shape in, which is reshaped to it.
func ReshapedBatch(in, out []int, axis int) (int, bool) {
	for _, g := range tensor.Groups(in, out) {
		if axis < g.FirstIn || axis >= g.FirstIn+g.In {
			continue
		}
		if tensor.Size(in[g.FirstIn:axis]) != 1 {
			return 0, false
		}
		return g.FirstOut, true
	}
	return 0, false
}
