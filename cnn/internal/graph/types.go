package graph

import (
	"fmt"
	"math"

	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/element"
	"github.com/onetomany/caption/internal/float16"
)

// An ElementType is a type of ONNX: how files have its numbers, and what they become
// in a Tensor, the same or a wider type.
type ElementType struct {
	Name string
	Type DType        // Invalid where no Tensor has it
	Raw  element.Type // in a file; the zero value, as any type that is no narrower, rounds nothing
}

// elementTypes holds them by their number, TensorProto.DataType.
var elementTypes = [...]ElementType{
	1:  {"FLOAT", Float, element.F32},
	2:  {"UINT8", Int, element.U8},
	3:  {"INT8", Int, element.I8},
	4:  {"UINT16", Int, element.U16},
	5:  {"INT16", Int, element.I16},
	6:  {"INT32", Int, element.I32},
	7:  {"INT64", Int, element.I64},
	8:  {Name: "STRING"},
	9:  {"BOOL", Bool, element.Bool},
	10: {"FLOAT16", Float, element.F16},
	11: {"DOUBLE", Float, element.F64},
	12: {"UINT32", Int, element.U32},
	13: {"UINT64", Int, element.U64},
	14: {Name: "COMPLEX64"},
	15: {Name: "COMPLEX128"},
	16: {"BFLOAT16", Float, element.BF16},
	17: {Name: "FLOAT8E4M3FN"},
	18: {Name: "FLOAT8E4M3FNUZ"},
	19: {Name: "FLOAT8E5M2"},
	20: {Name: "FLOAT8E5M2FNUZ"},
	21: {"UINT4", Int, element.U4},
	22: {"INT4", Int, element.I4},
	23: {Name: "FLOAT4E2M1"},
	24: {Name: "FLOAT8E8M0"},
	25: {Name: "UINT2"},
	26: {Name: "INT2"},
}

// ElementTypeOf returns the type with that number in TensorProto.DataType; ok is false
// for those that no Tensor has, of which unknown ones have no name either.
func ElementTypeOf(number int) (e ElementType, ok bool) {
	if number < 0 || number >= len(elementTypes) {
		return e, false
	}
	e = elementTypes[number]
	return e, e.Type != Invalid
}

// Range returns the least and the largest integer of e; ok is false for other types,
// and those of 64 bits.
func (e ElementType) Range() (lo, hi int64, ok bool) {
	if e.Type != Int || !e.Rounds() {
		return 0, 0, false
	}
	if half := int64(1) << (e.Raw.Bits() - 1); e.Raw.Wrap(half) < 0 {
		return -half, half - 1, true
	}
	return 0, 1<<e.Raw.Bits() - 1, true
}

// Rounds reports whether e has fewer numbers than its Type.
func (e ElementType) Rounds() bool {
	bits := e.Raw.Bits()
	return bits > 0 && (e.Type == Float && bits < 32 || e.Type == Int && bits < 64)
}

// Round rounds the elements of t to those of e.
func (e ElementType) Round(t *Tensor) {
	switch {
	case e.Raw == element.F16:
		tensor.Map(t.F, t.F, ToFloat16)
	case e.Raw == element.BF16:
		tensor.Map(t.F, t.F, ToBfloat16)
	case e.Type == Int && e.Rounds():
		tensor.Map(t.I, t.I, e.Raw.Wrap)
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
