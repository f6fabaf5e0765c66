package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = register(
	Op{Name: "Cast", Since: 6, Sig: "a", Attrs: "to:int=0", Limits: "not to strings, complex numbers or 8-bit and 4-bit floats",
		Pictures: elementwise, Work: 1, Head: Reshapes, bind: bindCast},
	Op{Name: "CastLike", Since: 15, Sig: "a a~", Limits: "to float32, int64 or bool",
		Pictures: elementwise, Work: 1, bind: func(b *binding) *Kernel { return b.cast(elementType{graph: b.in[1].Type}) }},
	Op{Name: "DequantizeLinear", Since: 10, Sig: "i f i?", Attrs: "axis:int=1 block_size@21:int=0 output_dtype@23:int=0", Limits: "of integers",
		Pictures: alongQuantized, Work: 1, bind: bindDequantizeLinear},
)

// cast binds a conversion.
func (b *binding) cast(to elementType) *Kernel {
	k := b.computes(func(in, out tensors) {
		convert(out[0], in[0])
		to.round(out[0])
	}, graph.Tensor{Type: to.graph, Shape: b.shape()})
	k.Keeps = b.in[0].Type == to.graph && to.float == nil && to.integer == nil
	return k
}

func bindCast(b *binding) *Kernel {
	b.refuseIf(!b.has("to"), "attribute to is missing")
	to, ok := elementTypes[b.Int("to")]
	if !ok {
		b.unsupported("to element type %d", b.Int("to"))
	}
	return b.cast(to)
}

// quantized is what the scale and the zero point of a quantised tensor belong to:
// one number for all, for each index of an axis (13), or for each block along an
// axis (21).
type quantized struct {
	outer, n, inner int // elements before, along and after the axis
	block           int // 0 for whole axes
}

// quantized checks scale, input at, and zero point, which follows it, against shape x.
func (b *binding) quantized(x []int, at, block int) *quantized {
	scale := b.in[at].Shape
	if zero := b.x(at + 1); zero != nil && zero.Len() != tensor.Size(scale) {
		b.refuse("zero point %v and scale %v differ", zero.Shape, scale)
	}
	b.refuseIf(block < 0 || block > tensor.MaxElements, "block_size %d is out of range", block)
	q := &quantized{1, 1, tensor.Size(x), block}
	if len(scale) <= 1 && tensor.Size(scale) == 1 && block == 0 {
		return q
	}
	b.refuseIf(b.opset < 13, "scale %v is not a scalar before opset 13", scale)
	axis := b.axis()
	q.outer, q.n, q.inner = tensor.Size(x[:axis]), x[axis], tensor.Size(x[axis+1:])
	want := []int{q.n}
	if block > 0 {
		want = slices.Clone(x)
		want[axis] = (q.n + block - 1) / block
	}
	b.refuseIf(!slices.Equal(scale, want), "scale %v does not fit axis %d of %v in blocks of %d", scale, axis, x, max(block, 1))
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

// zeroPoint returns the zero point number s, input i, 0 where that is left out.
func zeroPoint(in tensors, i, s int) int64 {
	if i < len(in) && in[i] != nil {
		return in[i].I[s]
	}
	return 0
}

// alongQuantized is the rule for operators whose scale belongs to an axis.
var alongQuantized = along(func(b *binding) []int {
	switch {
	case b.Int("block_size") != 0:
		return tensor.AllAxes(len(b.shape()))
	case b.in[1].Len() == 1:
		return nil
	}
	return []int{b.axis()}
})

// bindDequantizeLinear: y = (x - zero point) · scale.
func bindDequantizeLinear(b *binding) *Kernel {
	q := b.quantized(b.shape(), 1, b.Int("block_size"))
	var round elementType
	if to := b.Int("output_dtype"); to != 0 {
		if round = elementTypes[to]; round.graph != graph.Float {
			b.unsupported("to element type %d", to)
		}
	}
	return b.computes(func(in, out tensors) {
		y, x := out[0].F, in[0].I
		q.each(func(lo, hi, s int) {
			zero, scale := zeroPoint(in, 2, s), in[1].F[s]
			for i := lo; i < hi; i++ {
				y[i] = float32(x[i]-zero) * scale
			}
		})
		round.round(out[0])
	}, float(b.shape()...))
}
