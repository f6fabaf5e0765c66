package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Operators that keep the elements as they lie, or tell their number.
var _ = register(
	Op{Name: "Reshape", Since: 5, Sig: "a i", Attrs: "allowzero@14:flag=0", Pictures: reshapedPictures, Work: 1, Head: Reshapes, bind: bindReshape},
	Op{Name: "Flatten", Since: 1, Sig: "a", Attrs: "axis:int=1", Pictures: reshapedPictures, Work: 1, Head: Reshapes, bind: bindFlatten},
	Op{Name: "Squeeze", Since: 1, Sig: "a i?", Attrs: "axes-12:ints", Pictures: reshapedPictures, Work: 1, Head: Reshapes, bind: bindSqueeze},
	Op{Name: "Unsqueeze", Since: 1, Sig: "a i?", Attrs: "axes-12:ints", Pictures: reshapedPictures, Work: 1, Head: Reshapes, bind: bindUnsqueeze},
	Op{Name: "Identity", Since: 1, Sig: "a", Pictures: elementwise, Work: 1, Head: Passes, bind: func(b *binding) *Kernel { return b.reshaped(b.shape()) }},
	Op{Name: "Dropout", Since: 7, Sig: "f f? b?", Limits: "inference only: training_mode must be false",
		Pictures: alongAll, Work: 1, Head: Passes, bind: bindDropout},
	Op{Name: "Shape", Since: 1, Sig: "a#", Attrs: "start@15:int=0 end@15:int=2147483647", Pictures: unknown, Work: 1, bind: bindShape},
	Op{Name: "Size", Since: 1, Sig: "a#", Pictures: unknown, Work: 1, bind: bindSize},
)

// reshaped binds a node whose output is its first input under another shape.
func (b *binding) reshaped(shape []int) *Kernel {
	n := try(tensor.Count(shape))
	b.refuseIf(n != b.in[0].Len(), "shape %v does not hold the elements of %v", shape, b.shape())
	k := b.computes(func(in, out tensors) { assign(out[0], in[0]) }, like(b.in[0], shape))
	k.Keeps = true
	return k
}

// bindReshape: -1 takes what is left, 0 the input's dimension unless allowzero (14) is set.
func bindReshape(b *binding) *Kernel {
	x := b.shape()
	want := b.constInts(1, "shape")
	allowZero := b.flag("allowzero")
	shape, open := slices.Clone(want), -1
	for i, d := range want {
		switch {
		case d == -1 && open >= 0:
			b.refuse("shape %v has more than one -1", want)
		case d == -1:
			open, shape[i] = i, 1
		case d == 0 && !allowZero:
			b.refuseIf(i >= len(x), "shape %v copies dimension %d, which %v has not", want, i, x)
			shape[i] = x[i]
		}
	}
	n := try(tensor.Count(shape))
	if open >= 0 {
		b.refuseIf(n == 0 || b.in[0].Len()%n != 0, "shape %v does not hold the elements of %v", want, x)
		shape[open] = b.in[0].Len() / n
	}
	return b.reshaped(shape)
}

func bindFlatten(b *binding) *Kernel {
	x := b.shape()
	a := b.Int("axis")
	if a < 0 && b.opset >= 11 {
		a += len(x)
	}
	b.refuseIf(a < 0 || a > len(x), "axis %d is out of range for %d dimensions", b.Int("axis"), len(x))
	return b.reshaped([]int{tensor.Size(x[:a]), tensor.Size(x[a:])})
}

// bindSqueeze: the axes are an attribute up to opset 12, an input from then on;
// without them all dimensions of 1 go.
func bindSqueeze(b *binding) *Kernel {
	x := b.shape()
	axes := b.attrOrInput("axes", 1)
	if axes == nil {
		return b.reshaped(slices.DeleteFunc(slices.Clone(x), func(d int) bool { return d == 1 }))
	}
	axes = try(tensor.Axes(axes, len(x)))
	shape := []int{}
	for d, n := range x {
		switch {
		case !slices.Contains(axes, d):
			shape = append(shape, n)
		case n != 1:
			b.refuse("axis %d of %v is not 1", d, x)
		}
	}
	return b.reshaped(shape)
}

func bindUnsqueeze(b *binding) *Kernel {
	x := b.shape()
	axes := b.attrOrInput("axes", 1)
	b.refuseIf(axes == nil, "axes are missing")
	rank := len(x) + len(axes)
	b.refuseIf(rank > tensor.MaxRank, "%d dimensions, at most %d are supported", rank, tensor.MaxRank)
	axes = try(tensor.Axes(axes, rank))
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
func bindDropout(b *binding) *Kernel {
	b.refuseIf(len(b.in) > 1 && b.opset < 12, "has %d inputs, takes one before opset 12", len(b.in))
	if t := b.x(2); t != nil {
		b.refuseIf(!t.Known(), "input 2 (training_mode) %w", ErrNotConstant)
		b.refuseIf(len(t.B) != 1, "input 2 (training_mode) is %s, not a scalar", describe(t))
		if t.B[0] {
			b.unsupported("training_mode")
		}
	}
	mask := boolean(b.shape()...)
	if b.opset < 10 {
		mask.Type = graph.Float
	}
	k := b.computes(func(in, out tensors) {
		assign(out[0], in[0])
		if len(out) > 1 {
			convert(out[1], &graph.Tensor{Type: graph.Bool, Shape: mask.Shape, B: slices.Repeat([]bool{true}, len(out[0].F))})
		}
	}, float(mask.Shape...), mask)
	k.Keeps = true
	return k
}

// bindShape: from opset 15 on, start and end may choose a range of dimensions.
func bindShape(b *binding) *Kernel {
	x := slices.Clone(b.shape())
	start, n := sliceRange(b.Int("start"), b.Int("end"), 1, len(x))
	x = x[start : start+n]
	return b.computes(func(in, out tensors) {
		mapSlice(out[0].I, x, func(d int) int64 { return int64(d) })
	}, integer(n))
}

func bindSize(b *binding) *Kernel {
	n := b.in[0].Len()
	return b.computes(func(in, out tensors) { out[0].I[0] = int64(n) }, integer())
}

// reshapedPictures: see tensor.ReshapedAxis.
var reshapedPictures = &PicturesRule{func(b *binding, axes []int) (int, bool) {
	if !onlyFirst(axes) {
		return 0, false
	}
	return tensor.ReshapedAxis(b.shape(), b.op.bind(b).Out[0].Shape, axes[0])
}}
