package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Operators that keep the elements as they lie, or tell their number.
var _ = op.Register([]op.Row{
	{Name: "Reshape", Since: 5, Sig: "a i", Attrs: "allowzero@14:flag=0", Pictures: reshapedPictures, Work: 1, Head: op.Reshapes, Bind: bindReshape},
	{Name: "Flatten", Since: 1, Sig: "a", Attrs: "axis:int=1", Pictures: reshapedPictures, Work: 1, Head: op.Reshapes, Bind: bindFlatten},
	{Name: "Squeeze", Since: 1, Sig: "a i?", Attrs: "axes-12:ints", Pictures: reshapedPictures, Work: 1, Head: op.Reshapes, Bind: bindSqueeze},
	{Name: "Unsqueeze", Since: 1, Sig: "a i?", Attrs: "axes-12:ints", Pictures: reshapedPictures, Work: 1, Head: op.Reshapes, Bind: bindUnsqueeze},
	{Name: "Identity", Since: 1, Sig: "a", Pictures: op.Elementwise, Work: 1, Head: op.Passes, Bind: func(b *op.Binding) *op.Kernel { return reshaped(b, b.Shape()) }},
	{Name: "Dropout", Since: 7, Sig: "f f? b?", Limits: "inference only: training_mode must be false",
		Pictures: op.AlongAll, Work: 1, Head: op.Passes, Bind: bindDropout},
	{Name: "Shape", Since: 1, Sig: "a#", Attrs: "start@15:int=0 end@15:int=2147483647", Pictures: op.Unknown, Work: 1, Bind: bindShape},
	{Name: "Size", Since: 1, Sig: "a#", Pictures: op.Unknown, Work: 1, Bind: bindSize},
})

// reshaped binds a node whose output is its first input under another shape.
func reshaped(b *op.Binding, shape []int) *op.Kernel {
	n := op.Try(tensor.Count(shape))
	b.RefuseIf(n != b.In[0].Len(), "shape %v does not hold the elements of %v", shape, b.Shape())
	k := b.Computes(func(in, out op.Tensors) { graph.Assign(out[0], in[0]) }, op.Like(b.In[0], shape))
	k.Keeps = true
	return k
}

// bindReshape: -1 takes what is left, 0 the input's dimension unless allowzero (14) is set.
func bindReshape(b *op.Binding) *op.Kernel {
	x := b.Shape()
	want := b.ConstInts(1, "shape")
	allowZero := b.Flag("allowzero")
	shape, open := slices.Clone(want), -1
	for i, d := range want {
		switch {
		case d == -1 && open >= 0:
			b.Refuse("shape %v has more than one -1", want)
		case d == -1:
			open, shape[i] = i, 1
		case d == 0 && !allowZero:
			b.RefuseIf(i >= len(x), "shape %v copies dimension %d, which %v has not", want, i, x)
			shape[i] = x[i]
		}
	}
	n := op.Try(tensor.Count(shape))
	if open >= 0 {
		b.RefuseIf(n == 0 || b.In[0].Len()%n != 0, "shape %v does not hold the elements of %v", want, x)
		shape[open] = b.In[0].Len() / n
	}
	return reshaped(b, shape)
}

func bindFlatten(b *op.Binding) *op.Kernel {
	x := b.Shape()
	a := b.Int("axis")
	if a < 0 && b.Opset >= 11 {
		a += len(x)
	}
	b.RefuseIf(a < 0 || a > len(x), "axis %d is out of range for %d dimensions", b.Int("axis"), len(x))
	return reshaped(b, []int{tensor.Size(x[:a]), tensor.Size(x[a:])})
}

// bindSqueeze: the axes are an attribute up to opset 12, an input from then on;
// Without them all dimensions of 1 go.
func bindSqueeze(b *op.Binding) *op.Kernel {
	x := b.Shape()
	axes := b.AttrOrInput("axes", 1)
	if axes == nil {
		return reshaped(b, slices.DeleteFunc(slices.Clone(x), func(d int) bool { return d == 1 }))
	}
	axes = op.Try(tensor.Axes(axes, len(x)))
	shape := []int{}
	for d, n := range x {
		switch {
		case !slices.Contains(axes, d):
			shape = append(shape, n)
		case n != 1:
			b.Refuse("axis %d of %v is not 1", d, x)
		}
	}
	return reshaped(b, shape)
}

func bindUnsqueeze(b *op.Binding) *op.Kernel {
	x := b.Shape()
	axes := b.AttrOrInput("axes", 1)
	b.RefuseIf(axes == nil, "axes are missing")
	rank := len(x) + len(axes)
	b.RefuseIf(rank > tensor.MaxRank, "%d dimensions, at most %d are supported", rank, tensor.MaxRank)
	axes = op.Try(tensor.Axes(axes, rank))
	shape := make([]int, rank)
	for d := range shape {
		if slices.Contains(axes, d) {
			shape[d] = 1
		} else {
			shape[d], x = x[0], x[1:]
		}
	}
	return reshaped(b, shape)
}

// bindDropout passes its input through; the mask keeps all.
func bindDropout(b *op.Binding) *op.Kernel {
	b.RefuseIf(len(b.In) > 1 && b.Opset < 12, "has %d inputs, takes one before opset 12", len(b.In))
	if t := b.X(2); t != nil {
		b.RefuseIf(!t.Known(), "input 2 (training_mode) %w", op.ErrNotConstant)
		b.RefuseIf(len(t.B) != 1, "input 2 (training_mode) is %s, not a scalar", t)
		if t.B[0] {
			b.Unsupported("training_mode")
		}
	}
	mask := op.Boolean(b.Shape()...)
	if b.Opset < 10 {
		mask.Type = graph.Float
	}
	k := b.Computes(func(in, out op.Tensors) {
		graph.Assign(out[0], in[0])
		if len(out) > 1 {
			graph.Convert(out[1], &graph.Tensor{Type: graph.Bool, Shape: mask.Shape, B: slices.Repeat([]bool{true}, len(out[0].F))})
		}
	}, op.Float(mask.Shape...), mask)
	k.Keeps = true
	return k
}

// bindShape: from opset 15 on, start and end may choose a range of dimensions.
func bindShape(b *op.Binding) *op.Kernel {
	x := slices.Clone(b.Shape())
	start, n := sliceRange(b.Int("start"), b.Int("end"), 1, len(x))
	x = x[start : start+n]
	return b.Computes(func(in, out op.Tensors) {
		tensor.Map(out[0].I, x, func(d int) int64 { return int64(d) })
	}, op.Integer(n))
}

func bindSize(b *op.Binding) *op.Kernel {
	n := b.In[0].Len()
	return b.Computes(func(in, out op.Tensors) { out[0].I[0] = int64(n) }, op.Integer())
}

// reshapedPictures: see tensor.ReshapedAxis.
var reshapedPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	if !op.OnlyFirst(axes) {
		return 0, false
	}
	return tensor.ReshapedAxis(b.Shape(), b.OutShape(), axes[0])
})
