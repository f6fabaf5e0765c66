package ops

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/float16"
)

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

// An elementType is one of ONNX as package graph has it: its own type is wider, or
// the same.
type elementType struct {
	graph   graph.DType
	float   func(float32) float32 // rounds to the type; nil where that changes nothing
	integer func(int64) int64
}

var elementTypes = map[int]elementType{
	onnxFloat:    {graph: graph.Float},
	onnxDouble:   {graph: graph.Float},
	onnxFloat16:  {graph: graph.Float, float: toFloat16},
	onnxBfloat16: {graph: graph.Float, float: toBfloat16},
	onnxBool:     {graph: graph.Bool},
	onnxInt64:    {graph: graph.Int},
	onnxUint64:   {graph: graph.Int},
	onnxInt32:    {graph: graph.Int, integer: wrap[int32]},
	onnxUint32:   {graph: graph.Int, integer: wrap[uint32]},
	onnxInt16:    {graph: graph.Int, integer: wrap[int16]},
	onnxUint16:   {graph: graph.Int, integer: wrap[uint16]},
	onnxInt8:     {graph: graph.Int, integer: wrap[int8]},
	onnxUint8:    {graph: graph.Int, integer: wrap[uint8]},
	onnxInt4:     {graph: graph.Int, integer: func(v int64) int64 { return v << 60 >> 60 }},
	onnxUint4:    {graph: graph.Int, integer: func(v int64) int64 { return v & 15 }},
}

func wrap[T int32 | uint32 | int16 | uint16 | int8 | uint8](v int64) int64 { return int64(T(v)) }

// round rounds the elements of t to those of e.
func (e elementType) round(t *graph.Tensor) {
	if e.float != nil {
		mapSlice(t.F, t.F, e.float)
	}
	if e.integer != nil {
		mapSlice(t.I, t.I, e.integer)
	}
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
	c := graph.Alloc(dt, t.Shape)
	convert(c, t)
	return c
}
