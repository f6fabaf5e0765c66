package graph

import (
	"fmt"
	"math"

	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/float16"
)

// An ElementType is a type of ONNX as a Tensor has it: its own type is wider, or the
// same.
type ElementType struct {
	Type    DType
	float   func(float32) float32 // rounds to the type; nil where that changes nothing
	integer func(int64) int64
}

// elementTypes holds them by their number, TensorProto.DataType.
var elementTypes = map[int]ElementType{
	1:  {Type: Float},
	2:  {Type: Int, integer: wrap[uint8]},
	3:  {Type: Int, integer: wrap[int8]},
	4:  {Type: Int, integer: wrap[uint16]},
	5:  {Type: Int, integer: wrap[int16]},
	6:  {Type: Int, integer: wrap[int32]},
	7:  {Type: Int}, // int64
	9:  {Type: Bool},
	10: {Type: Float, float: ToFloat16},
	11: {Type: Float}, // double
	12: {Type: Int, integer: wrap[uint32]},
	13: {Type: Int}, // uint64
	16: {Type: Float, float: ToBfloat16},
	21: {Type: Int, integer: func(v int64) int64 { return v & 15 }},        // uint4
	22: {Type: Int, integer: func(v int64) int64 { return v << 60 >> 60 }}, // int4
}

// ElementTypeOf returns the type with that number in TensorProto.DataType; ok is false
// for those that no Tensor has.
func ElementTypeOf(number int) (e ElementType, ok bool) {
	e, ok = elementTypes[number]
	return e, ok
}

func wrap[T int32 | uint32 | int16 | uint16 | int8 | uint8](v int64) int64 { return int64(T(v)) }

// Rounds reports whether e has fewer numbers than its Type.
func (e ElementType) Rounds() bool { return e.float != nil || e.integer != nil }

// Round rounds the elements of t to those of e.
func (e ElementType) Round(t *Tensor) {
	if e.float != nil {
		tensor.Map(t.F, t.F, e.float)
	}
	if e.integer != nil {
		tensor.Map(t.I, t.I, e.integer)
	}
}

// ToFloat16 rounds to the nearest number of IEEE 754 binary16, ties to even.
func ToFloat16(x float32) float32 { return float16.ToFloat32(float16.FromFloat32(x)) }

// ToBfloat16 rounds to the nearest float32 with 7 bits of fraction, ties to even.
func ToBfloat16(x float32) float32 {
	if x != x {
		return x
	}
	bits := math.Float32bits(x)
	bits += 1<<15 - 1 + bits>>16&1
	return math.Float32frombits(bits &^ (1<<16 - 1))
}

// Truncate truncates; what int64 cannot hold becomes its nearest value, NaN 0.
func Truncate(x float32) int64 {
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

// Convert fills dst with src, a tensor of the same shape, converted to dst's type.
func Convert(dst, src *Tensor) {
	switch {
	case dst.Type == src.Type:
		Assign(dst, src)
	case dst.Type == Float && src.Type == Int:
		tensor.Map(dst.F, src.I, func(v int64) float32 { return float32(v) })
	case dst.Type == Float:
		tensor.Map(dst.F, src.B, boolTo[float32])
	case dst.Type == Int && src.Type == Float:
		tensor.Map(dst.I, src.F, Truncate)
	case dst.Type == Int:
		tensor.Map(dst.I, src.B, boolTo[int64])
	case src.Type == Float:
		tensor.Map(dst.B, src.F, func(v float32) bool { return v != 0 })
	default:
		tensor.Map(dst.B, src.I, func(v int64) bool { return v != 0 })
	}
}

func boolTo[T float32 | int64](v bool) T {
	if v {
		return 1
	}
	return 0
}

// Converted returns t as a tensor of type dt.
func Converted(t *Tensor, dt DType) *Tensor {
	if t.Type == dt {
		return t
	}
	c := Alloc(dt, t.Shape)
	Convert(c, t)
	return c
}

// Data returns the elements of t, none if it has none in memory.
func (t *Tensor) Data() tensor.Data {
	switch t.Type {
	case Float:
		return tensor.Slice[float32](t.F)
	case Int:
		return tensor.Slice[int64](t.I)
	}
	return tensor.Slice[bool](t.B)
}

// Assign copies the elements of src, a tensor of the same type and as many elements.
func Assign(dst, src *Tensor) {
	copy(dst.F, src.F)
	copy(dst.I, src.I)
	copy(dst.B, src.B)
}

// Expand fills dst with src, which broadcasts to its shape.
func Expand(dst, src *Tensor) {
	w := tensor.BroadcastWalk(dst.Shape, src.Shape)
	dst.Data().Gather(src.Data(), 0, &w)
}

func (t DType) String() string {
	switch t {
	case Float:
		return "float"
	case Int:
		return "int"
	case Bool:
		return "bool"
	}
	return "invalid"
}

// String returns type and shape, for messages.
func (t *Tensor) String() string { return t.Type.String() + fmt.Sprint(t.Shape) }
