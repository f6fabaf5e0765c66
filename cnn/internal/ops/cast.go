package ops

import (
	"fmt"
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/float16"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var castOps = []Op{
	{Name: "Cast", Since: 6, Sig: "a", Limits: "not to strings, complex numbers or 8-bit and 4-bit floats", bind: bindCast},
	{Name: "CastLike", Since: 15, Sig: "a a", Limits: "to float32, int64 or bool", bind: bindCastLike},
	{Name: "DequantizeLinear", Since: 10, Sig: "i f i?", Limits: "of integers", bind: bindDequantizeLinear},
}

// Element types of ONNX, TensorProto.DataType.
const (
	onnxFloat    = 1
	onnxUint8    = 2
	onnxInt8     = 3
	onnxUint16   = 4
	onnxInt16    = 5
	onnxInt32    = 6
	onnxInt64    = 7
	onnxBool     = 9
	onnxFloat16  = 10
	onnxDouble   = 11
	onnxUint32   = 12
	onnxUint64   = 13
	onnxBfloat16 = 16
	onnxUint4    = 21
	onnxInt4     = 22
)

// A narrowing rounds the elements of a tensor to those of an ONNX type that
// package graph widens.
type narrowing func(t *graph.Tensor)

// narrow returns the graph's type for an ONNX element type, and the rounding to it.
func narrow(to int) (graph.DType, narrowing, bool) {
	none := func(*graph.Tensor) {}
	round := func(f func(float32) float32) narrowing {
		return func(t *graph.Tensor) { mapSlice(t.F, t.F, f) }
	}
	wrap := func(f func(int64) int64) narrowing {
		return func(t *graph.Tensor) { mapSlice(t.I, t.I, f) }
	}
	switch to {
	case onnxFloat, onnxDouble:
		return graph.Float, none, true
	case onnxFloat16:
		return graph.Float, round(toFloat16), true
	case onnxBfloat16:
		return graph.Float, round(toBfloat16), true
	case onnxInt64, onnxUint64:
		return graph.Int, none, true
	case onnxInt32:
		return graph.Int, wrap(func(v int64) int64 { return int64(int32(v)) }), true
	case onnxUint32:
		return graph.Int, wrap(func(v int64) int64 { return int64(uint32(v)) }), true
	case onnxInt16:
		return graph.Int, wrap(func(v int64) int64 { return int64(int16(v)) }), true
	case onnxUint16:
		return graph.Int, wrap(func(v int64) int64 { return int64(uint16(v)) }), true
	case onnxInt8:
		return graph.Int, wrap(func(v int64) int64 { return int64(int8(v)) }), true
	case onnxUint8:
		return graph.Int, wrap(func(v int64) int64 { return int64(uint8(v)) }), true
	case onnxInt4:
		return graph.Int, wrap(func(v int64) int64 { return v << 60 >> 60 }), true
	case onnxUint4:
		return graph.Int, wrap(func(v int64) int64 { return v & 15 }), true
	case onnxBool:
		return graph.Bool, none, true
	}
	return graph.Invalid, nil, false
}

// toFloat16 rounds to the nearest number of IEEE 754 binary16, ties to even.
func toFloat16(x float32) float32 { return float16.ToFloat32(float16.FromFloat32(x)) }

// toBfloat16 rounds to the nearest float32 with 7 bits of fraction, ties to even.
func toBfloat16(x float32) float32 {
	if x != x {
		return x
	}
	bits := math.Float32bits(x)
	bits += 1<<15 - 1 + bits>>16&1
	return math.Float32frombits(bits &^ (1<<16 - 1))
}

// toInt truncates; what int64 cannot hold becomes its nearest value, NaN 0.
func toInt(x float32) int64 {
	switch {
	case x != x:
		return 0
	case x >= 1<<63:
		return math.MaxInt64
	case x < -1<<63:
		return math.MinInt64
	}
	return int64(x)
}

// convert fills dst with src, a tensor of the same shape, converted to dst's type.
func convert(dst, src *graph.Tensor) {
	switch {
	case dst.Type == src.Type:
		assign(dst, src)
	case dst.Type == graph.Float && src.Type == graph.Int:
		mapSlice(dst.F, src.I, func(v int64) float32 { return float32(v) })
	case dst.Type == graph.Float:
		mapSlice(dst.F, src.B, boolTo[float32])
	case dst.Type == graph.Int && src.Type == graph.Float:
		mapSlice(dst.I, src.F, toInt)
	case dst.Type == graph.Int:
		mapSlice(dst.I, src.B, boolTo[int64])
	case src.Type == graph.Float:
		mapSlice(dst.B, src.F, func(v float32) bool { return v != 0 })
	default:
		mapSlice(dst.B, src.I, func(v int64) bool { return v != 0 })
	}
}

func boolTo[T number](v bool) T {
	if v {
		return 1
	}
	return 0
}

// converted returns t as a tensor of type dt.
func converted(t *graph.Tensor, dt graph.DType) *graph.Tensor {
	if t.Type == dt {
		return t
	}
	c := Alloc(dt, t.Shape)
	convert(c, t)
	return c
}

// cast binds a conversion.
func (b *binding) cast(to graph.DType, round narrowing) (*Kernel, error) {
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		convert(out[0], in[0])
		round(out[0])
		return nil
	}
	return b.kernel(run, graph.Tensor{Type: to, Shape: b.in[0].Shape})
}

func bindCast(b *binding) (*Kernel, error) {
	if !b.has("to") {
		return nil, fmt.Errorf("attribute to is missing")
	}
	to, round, ok := narrow(b.Int("to", 0))
	if !ok {
		return nil, b.unsupported("to element type %d", b.Int("to", 0))
	}
	return b.cast(to, round)
}

func bindCastLike(b *binding) (*Kernel, error) {
	return b.cast(b.in[1].Type, func(*graph.Tensor) {})
}

// bindDequantizeLinear: y = (x - zero point) · scale, with one scale, one for
// each index of an axis (13), or one for each block along an axis (21).
func bindDequantizeLinear(b *binding) (*Kernel, error) {
	x, scale := b.in[0].Shape, b.in[1].Shape
	if zero := b.x(2); zero != nil && zero.Len() != product(scale) {
		return nil, fmt.Errorf("zero point %v and scale %v differ", zero.Shape, scale)
	}
	round := narrowing(func(*graph.Tensor) {})
	if to := b.Int("output_dtype", 0); b.opset >= 23 && to != 0 {
		t, r, ok := narrow(to)
		if !ok || t != graph.Float {
			return nil, b.unsupported("to element type %d", to)
		}
		round = r
	}
	block := 0
	if b.opset >= 21 {
		block = b.Int("block_size", 0)
	}
	if block < 0 || block > MaxElements {
		return nil, fmt.Errorf("block_size %d is out of range", block)
	}
	outer, dim, inner := 1, 1, product(x)
	if len(scale) > 1 || product(scale) != 1 || block > 0 {
		if b.opset < 13 {
			return nil, fmt.Errorf("scale %v is not a scalar before opset 13", scale)
		}
		axis, err := b.axis("axis", 1, len(x))
		if err != nil {
			return nil, err
		}
		outer, dim, inner = product(x[:axis]), x[axis], product(x[axis+1:])
		want := []int{dim}
		if block > 0 {
			want = slices.Clone(x)
			want[axis] = (dim + block - 1) / block
		}
		if !slices.Equal(scale, want) {
			return nil, fmt.Errorf("scale %v does not fit axis %d of %v in blocks of %d", scale, axis, x, max(block, 1))
		}
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		y, x, s := out[0].F, in[0].I, in[1].F
		var zero []int64
		if len(in) > 2 && in[2] != nil {
			zero = in[2].I
		} else {
			zero = make([]int64, len(s))
		}
		blocks := 1
		if block > 0 {
			blocks = (dim + block - 1) / block
		}
		for o := range outer {
			for d := range dim {
				at := (o*dim + d) * inner
				for i := at; i < at+inner; i++ {
					j := d
					if block > 0 {
						j = (o*blocks+d/block)*inner + i - at
					}
					y[i] = float32(x[i]-zero[j]) * s[j]
				}
			}
		}
		round(out[0])
		return nil
	}
	return b.kernel(run, float(x...))
}
