package ops

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
)

const onnxUint8 = 2 // in TensorProto.DataType

var _ = op.Register([]op.Row{
	{Name: "QuantizeLinear", Since: 10, Sig: "n f i?", Limits: "to integers, with a zero point that is a constant", Pictures: alongQuantized, Work: 2, Bind: bindQuantizeLinear,
		Attrs: "axis:int=1 block_size@21:int=0 output_dtype@21:int=0"},
	{Name: "DynamicQuantizeLinear", Since: 11, Sig: "f", Pictures: op.Unknown, Work: 2, Bind: bindDynamicQuantizeLinear},
})

// QuantizedType returns the type of zero point input i, or of the attribute
// output_dtype where there is none, by default uint8.
func QuantizedType(b *op.Binding, i int) Quantization {
	number := onnxUint8
	if zero := b.X(i); zero != nil {
		if number = zero.Element; number == 0 {
			b.Unsupported("a zero point whose type is not known")
		}
	} else if b.Op == "QuantizeLinear" && b.Int("output_dtype") != 0 {
		number = b.Int("output_dtype")
	}
	e, _ := graph.ElementTypeOf(number)
	lo, hi, ok := e.Range()
	if !ok {
		b.Unsupported("quantisation to element type %d", number)
	}
	return Quantization{float64(lo), float64(hi)}
}

// Quantization is to the integers from lo to hi.
type Quantization struct{ lo, hi float64 }

// Of rounds x, in units of the scale, to the nearest number, ties to even; NaN is zero.
func (q Quantization) Of(x float64, zero int64) int64 {
	if x != x {
		return zero
	}
	return int64(min(max(math.RoundToEven(x)+float64(zero), q.lo), q.hi))
}

// bindQuantizeLinear: y = x / scale + zero point, rounded and saturated.
func bindQuantizeLinear(b *op.Binding) *op.Kernel {
	q, to := newQuantized(b, b.Shape(), 1, b.Int("block_size")), QuantizedType(b, 2)
	k := b.Computes(func(in, out op.Tensors) {
		x, y := graph.Converted(in[0], graph.Float).F, out[0].I
		q.each(func(lo, hi, s int) {
			zero, scale := ZeroPoint(in, 2, s), in[1].F[s]
			for i := lo; i < hi; i++ {
				y[i] = to.Of(float64(x[i]/scale), zero)
			}
		})
	}, op.Integer(b.Shape()...))
	if b.In[0].Type == graph.Int {
		k.Workspace = 4 * int64(b.In[0].Len())
	}
	return k
}

// bindDynamicQuantizeLinear chooses scale and zero point, the further outputs, so that
// the numbers of uint8 reach from the least to the largest element, and to 0.
func bindDynamicQuantizeLinear(b *op.Binding) *op.Kernel {
	to := Quantization{0, math.MaxUint8}
	return b.Computes(func(in, out op.Tensors) {
		var lo, hi float32
		for _, x := range in[0].F {
			lo, hi = min(lo, x), max(hi, x)
		}
		scale, zero := (hi-lo)/math.MaxUint8, int64(0)
		if scale > 0 {
			zero = to.Of(float64(-lo/scale), 0)
		}
		for i, x := range in[0].F {
			out[0].I[i] = zero
			if scale > 0 {
				out[0].I[i] = to.Of(float64(x/scale), zero)
			}
		}
		if len(out) > 1 {
			out[1].F[0] = scale
		}
		if len(out) > 2 {
			out[2].I[0] = zero
		}
	}, op.Integer(b.Shape()...), op.Float(), op.Integer())
}
