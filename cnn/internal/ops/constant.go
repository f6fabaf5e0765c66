package ops

import (
	"fmt"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Operators that make tensors from nothing but constants.
var constantOps = []Op{
	{Name: "Constant", Since: 1, Sig: "", Limits: "no strings, no sparse tensors", bind: bindConstant},
	{Name: "ConstantOfShape", Since: 9, Sig: "i", bind: bindConstantOfShape},
	{Name: "Range", Since: 11, Sig: "n = =", bind: bindRange},
}

func bindConstant(b *binding) (*Kernel, error) {
	var t *graph.Tensor
	switch {
	case b.has("value"):
		t = b.Attrs["value"].T
	case b.has("value_float"):
		t = &graph.Tensor{Type: graph.Float, F: []float32{b.Attrs["value_float"].F}}
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
		return nil, b.unsupported("a constant that is neither a tensor nor numbers")
	}
	if err := valid(t); err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	if !t.Known() {
		return nil, fmt.Errorf("value %w", ErrNotConstant)
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		assign(out[0], t)
		return nil
	}
	return b.kernel(run, like(t, t.Shape))
}

func bindConstantOfShape(b *binding) (*Kernel, error) {
	shape, err := b.constInts(0, "shape")
	if err != nil {
		return nil, err
	}
	if _, err := count(shape); err != nil {
		return nil, err
	}
	value := &graph.Tensor{Type: graph.Float, F: []float32{0}}
	if a, ok := b.Attrs["value"]; ok {
		if value = a.T; value == nil || valid(value) != nil || dataLen(value) != 1 {
			return nil, fmt.Errorf("value is not a tensor of one element")
		}
	}
	one := like(value, nil)
	one.F, one.I, one.B = value.F, value.I, value.B
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		expand(out[0], &one)
		return nil
	}
	return b.kernel(run, like(value, shape))
}

func bindRange(b *binding) (*Kernel, error) {
	for i, t := range b.in {
		if t.Len() != 1 {
			return nil, fmt.Errorf("input %d is %s, not a scalar", i, describe(t))
		}
		if !t.Known() {
			return nil, fmt.Errorf("input %d %w", i, ErrNotConstant)
		}
	}
	var n float64
	var fill func(out *graph.Tensor)
	if b.in[0].Type == graph.Float {
		start, limit, delta := b.in[0].F[0], b.in[1].F[0], b.in[2].F[0]
		n = math.Ceil((float64(limit) - float64(start)) / float64(delta))
		fill = func(out *graph.Tensor) {
			for i := range out.F {
				out.F[i] = start + float32(i)*delta
			}
		}
	} else {
		start, limit, delta := b.in[0].I[0], b.in[1].I[0], b.in[2].I[0]
		n = math.Ceil((float64(limit) - float64(start)) / float64(delta))
		fill = func(out *graph.Tensor) {
			for i := range out.I {
				out.I[i] = start + int64(i)*delta
			}
		}
	}
	if n != n {
		return nil, fmt.Errorf("start, limit and delta give no length")
	}
	if n > MaxElements {
		return nil, fmt.Errorf("%w: %g elements", ErrTooLarge, n)
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		fill(out[0])
		return nil
	}
	return b.kernel(run, like(b.in[0], []int{int(max(n, 0))}))
}
