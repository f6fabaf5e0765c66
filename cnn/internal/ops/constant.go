package ops

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Operators that make tensors from nothing but constants.
var _ = op.Register([]op.Row{
	{Name: "Constant", Since: 1, Sig: "", Attrs: "value:tensor value_float:float=0 value_int:int=0 value_floats:floats value_ints:ints",
		Limits: "no strings, no sparse tensors", Pictures: op.Unknown, Work: 1, Bind: bindConstant},
	{Name: "ConstantOfShape", Since: 9, Sig: "i", Attrs: "value:tensor", Pictures: op.Unknown, Work: 1, Bind: bindConstantOfShape},
	{Name: "Range", Since: 11, Sig: "n = =", Pictures: op.Unknown, Work: 1, Bind: bindRange},
})

func bindConstant(b *op.Binding) *op.Kernel {
	var t *graph.Tensor
	switch {
	case b.Has("value"):
		t = b.Attrs["value"].T
	case b.Has("value_float"):
		t = &graph.Tensor{Type: graph.Float, F: []float32{b.Float("value_float")}}
	case b.Has("value_int"):
		t = &graph.Tensor{Type: graph.Int, I: []int64{b.Attrs["value_int"].I}}
	case b.Has("value_floats"):
		v := append([]float32{}, b.Attrs["value_floats"].Floats...)
		t = &graph.Tensor{Type: graph.Float, Shape: []int{len(v)}, F: v}
	case b.Has("value_ints"):
		v := append([]int64{}, b.Attrs["value_ints"].Ints...)
		t = &graph.Tensor{Type: graph.Int, Shape: []int{len(v)}, I: v}
	}
	if t == nil {
		b.Unsupported("a constant that is neither a tensor nor numbers")
	}
	err := op.Valid(t)
	b.RefuseIf(err != nil, "value: %w", err)
	b.RefuseIf(!t.Known(), "value %w", op.ErrNotConstant)
	out := op.Like(t, t.Shape)
	out.Element = t.Element
	return b.Computes(func(in, out op.Tensors) { graph.Assign(out[0], t) }, out)
}

func bindConstantOfShape(b *op.Binding) *op.Kernel {
	shape := b.ConstInts(0, "shape")
	op.Try(tensor.Count(shape))
	value := &graph.Tensor{Type: graph.Float, F: []float32{0}}
	if b.Has("value") {
		if value = b.Attrs["value"].T; value == nil || op.Valid(value) != nil || !value.Known() || value.Len() != 1 {
			b.Refuse("value is not a tensor of one element")
		}
	}
	one := *value
	one.Shape = nil
	return b.Computes(func(in, out op.Tensors) { graph.Expand(out[0], &one) }, op.Like(value, shape))
}

func bindRange(b *op.Binding) *op.Kernel {
	for i, t := range b.In {
		b.RefuseIf(t.Len() != 1, "input %d is %s, not a scalar", i, t)
		b.RefuseIf(!t.Known(), "input %d %w", i, op.ErrNotConstant)
	}
	if b.In[0].Type == graph.Float {
		return sequence(b, b.In[0].F[0], b.In[1].F[0], b.In[2].F[0], floats)
	}
	return sequence(b, b.In[0].I[0], b.In[1].I[0], b.In[2].I[0], ints)
}

func sequence[T number](b *op.Binding, start, limit, delta T, data func(*graph.Tensor) []T) *op.Kernel {
	n := math.Ceil((float64(limit) - float64(start)) / float64(delta))
	b.RefuseIf(n != n, "start, limit and delta give no length")
	b.RefuseIf(n > tensor.MaxElements, "%w: %g elements", tensor.ErrTooLarge, n)
	return b.Computes(func(in, out op.Tensors) {
		v := data(out[0])
		for i := range v {
			v[i] = start + T(i)*delta
		}
	}, op.Like(b.In[0], []int{int(max(n, 0))}))
}
