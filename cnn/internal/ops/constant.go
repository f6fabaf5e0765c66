package ops

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Operators that make tensors from nothing but constants.
var _ = register(
	Op{Name: "Constant", Since: 1, Sig: "", Attrs: "value:tensor value_float:float=0 value_int:int=0 value_floats:floats value_ints:ints",
		Limits: "no strings, no sparse tensors", Pictures: unknown, Work: 1, bind: bindConstant},
	Op{Name: "ConstantOfShape", Since: 9, Sig: "i", Attrs: "value:tensor", Pictures: unknown, Work: 1, bind: bindConstantOfShape},
	Op{Name: "Range", Since: 11, Sig: "n = =", Pictures: unknown, Work: 1, bind: bindRange},
)

func bindConstant(b *binding) *Kernel {
	var t *graph.Tensor
	switch {
	case b.has("value"):
		t = b.Attrs["value"].T
	case b.has("value_float"):
		t = &graph.Tensor{Type: graph.Float, F: []float32{b.Float("value_float")}}
	case b.has("value_int"):
		t = &graph.Tensor{Type: graph.Int, I: []int64{b.Attrs["value_int"].I}}
	case b.has("value_floats"):
		v := append([]float32{}, b.Attrs["value_floats"].Floats...)
		t = &graph.Tensor{Type: graph.Float, Shape: []int{len(v)}, F: v}
	case b.has("value_ints"):
		v := append([]int64{}, b.Attrs["value_ints"].Ints...)
		t = &graph.Tensor{Type: graph.Int, Shape: []int{len(v)}, I: v}
	}
	if t == nil {
		b.unsupported("a constant that is neither a tensor nor numbers")
	}
	err := valid(t)
	b.refuseIf(err != nil, "value: %w", err)
	b.refuseIf(!t.Known(), "value %w", ErrNotConstant)
	return b.computes(func(in, out tensors) { assign(out[0], t) }, like(t, t.Shape))
}

func bindConstantOfShape(b *binding) *Kernel {
	shape := b.constInts(0, "shape")
	try(tensor.Count(shape))
	value := &graph.Tensor{Type: graph.Float, F: []float32{0}}
	if b.has("value") {
		if value = b.Attrs["value"].T; value == nil || valid(value) != nil || dataLen(value) != 1 {
			b.refuse("value is not a tensor of one element")
		}
	}
	one := *value
	one.Shape = nil
	return b.computes(func(in, out tensors) { expand(out[0], &one) }, like(value, shape))
}

func bindRange(b *binding) *Kernel {
	for i, t := range b.in {
		b.refuseIf(t.Len() != 1, "input %d is %s, not a scalar", i, describe(t))
		b.refuseIf(!t.Known(), "input %d %w", i, ErrNotConstant)
	}
	if b.in[0].Type == graph.Float {
		return sequence(b, b.in[0].F[0], b.in[1].F[0], b.in[2].F[0], floats)
	}
	return sequence(b, b.in[0].I[0], b.in[1].I[0], b.in[2].I[0], ints)
}

func sequence[T number](b *binding, start, limit, delta T, data func(*graph.Tensor) []T) *Kernel {
	n := math.Ceil((float64(limit) - float64(start)) / float64(delta))
	b.refuseIf(n != n, "start, limit and delta give no length")
	b.refuseIf(n > tensor.MaxElements, "%w: %g elements", tensor.ErrTooLarge, n)
	return b.computes(func(in, out tensors) {
		v := data(out[0])
		for i := range v {
			v[i] = start + T(i)*delta
		}
	}, like(b.in[0], []int{int(max(n, 0))}))
}
