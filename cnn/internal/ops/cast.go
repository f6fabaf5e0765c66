package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "Cast", Since: 6, Sig: "a", Attrs: "to:int=0", Limits: "not to strings, complex numbers or 8-bit and 4-bit floats",
		Pictures: op.Elementwise, Work: 1, Head: op.Reshapes, Bind: bindCast},
	{Name: "CastLike", Since: 15, Sig: "a a~", Limits: "to float32, int64 or bool",
		Pictures: op.Elementwise, Work: 1, Bind: func(b *op.Binding) *op.Kernel { return cast(b, graph.ElementType{Type: b.In[1].Type}) }},
	{Name: "DequantizeLinear", Since: 10, Sig: "i f i?", Attrs: "axis:int=1 block_size@21:int=0 output_dtype@23:int=0", Limits: "of integers",
		Pictures: alongQuantized, Work: 1, Bind: bindDequantizeLinear},
})

// cast binds a conversion.
func cast(b *op.Binding, to graph.ElementType) *op.Kernel {
	k := b.Computes(func(in, out op.Tensors) {
		graph.Convert(out[0], in[0])
		to.Round(out[0])
	}, graph.Tensor{Type: to.Type, Shape: b.Shape()})
	k.Keeps = b.In[0].Type == to.Type && !to.Rounds()
	return k
}

func bindCast(b *op.Binding) *op.Kernel {
	b.RefuseIf(!b.Has("to"), "attribute to is missing")
	to, ok := graph.ElementTypeOf(b.Int("to"))
	if !ok {
		b.Unsupported("to element type %d", b.Int("to"))
	}
	k := cast(b, to)
	k.Out[0].Element = b.Int("to")
	return k
}

// quantized is what the scale and the zero point of a quantised tensor belong to:
// one number for all, for each index of an axis (13), or for each block along an
// axis (21).
type quantized struct {
	outer, n, inner int // elements before, along and after the axis
	block           int // 0 for whole axes
}

// newQuantized checks scale, input at, and zero point, which follows it, against shape x.
func newQuantized(b *op.Binding, x []int, at, block int) *quantized {
	scale := b.In[at].Shape
	if zero := b.X(at + 1); zero != nil && zero.Len() != tensor.Size(scale) {
		b.Refuse("zero point %v and scale %v differ", zero.Shape, scale)
	}
	b.RefuseIf(block < 0 || block > tensor.MaxElements, "block_size %d is out of range", block)
	q := &quantized{1, 1, tensor.Size(x), block}
	if len(scale) <= 1 && tensor.Size(scale) == 1 && block == 0 {
		return q
	}
	b.RefuseIf(b.Opset < 13, "scale %v is not a scalar before opset 13", scale)
	axis := b.Axis()
	q.outer, q.n, q.inner = tensor.Size(x[:axis]), x[axis], tensor.Size(x[axis+1:])
	want := []int{q.n}
	if block > 0 {
		want = slices.Clone(x)
		want[axis] = (q.n + block - 1) / block
	}
	b.RefuseIf(!slices.Equal(scale, want), "scale %v does not fit axis %d of %v in blocks of %d", scale, axis, x, max(block, 1))
	return q
}

// each calls f for the elements lo to hi-1, whose scale and zero point are number s.
func (q *quantized) each(f func(lo, hi, s int)) {
	for o := range q.outer {
		for d := range q.n {
			at := (o*q.n + d) * q.inner
			if q.block == 0 {
				f(at, at+q.inner, d)
				continue
			}
			s := (o*((q.n+q.block-1)/q.block) + d/q.block) * q.inner
			for i := range q.inner {
				f(at+i, at+i+1, s+i)
			}
		}
	}
}

// ZeroPoint returns the zero point number s, input i, 0 where that is left out.
func ZeroPoint(in op.Tensors, i, s int) int64 {
	if i < len(in) && in[i] != nil {
		return in[i].I[s]
	}
	return 0
}

// alongQuantized is the rule for operators whose scale belongs to an axis.
var alongQuantized = op.Along(func(b *op.Binding) []int {
	switch {
	case b.Int("block_size") != 0:
		return tensor.AllAxes(len(b.Shape()))
	case b.In[1].Len() == 1:
		return nil
	}
	return []int{b.Axis()}
})

// bindDequantizeLinear: y = (x - zero point) · scale.
func bindDequantizeLinear(b *op.Binding) *op.Kernel {
	q := newQuantized(b, b.Shape(), 1, b.Int("block_size"))
	var round graph.ElementType
	if to := b.Int("output_dtype"); to != 0 {
		if round, _ = graph.ElementTypeOf(to); round.Type != graph.Float {
			b.Unsupported("to element type %d", to)
		}
	}
	return b.Computes(func(in, out op.Tensors) {
		y, x := out[0].F, in[0].I
		q.each(func(lo, hi, s int) {
			zero, scale := ZeroPoint(in, 2, s), in[1].F[s]
			for i := lo; i < hi; i++ {
				y[i] = float32(x[i]-zero) * scale
			}
		})
		round.Round(out[0])
	}, op.Float(b.Shape()...))
}
