// Package safetensors reads and writes tensors in the safetensors format
// (github.com/huggingface/safetensors, "Format"): 8 bytes little-endian header
// length, a JSON header, the tensors' bytes without gaps.
//
// Reading is as strict as the reference implementation, and stricter in what
// it knows: a file that opens has one header object without duplicate or
// unknown keys, and tensors that fill the rest of the file exactly. Values are
// not looked at: NaN and infinities pass.
package safetensors

import (
	"errors"
	"fmt"
	"math"

	"github.com/onetomany/caption/internal/element"
	"github.com/onetomany/caption/internal/message"
)

// ErrFormat is wrapped by every error that says a file is not valid.
var ErrFormat = errors.New("not a valid safetensors file")

// MaxHeader is the largest header in bytes, as in the reference implementation.
const MaxHeader = 100_000_000

// DType is the type of a tensor's elements.
type DType string

const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
	I16  DType = "I16"
	I8   DType = "I8"
	U64  DType = "U64"
	U32  DType = "U32"
	U16  DType = "U16"
	U8   DType = "U8"
	Bool DType = "BOOL"
)

var types = map[DType]element.Type{
	F64: element.F64, F32: element.F32, F16: element.F16, BF16: element.BF16,
	I64: element.I64, I32: element.I32, I16: element.I16, I8: element.I8,
	U64: element.U64, U32: element.U32, U16: element.U16, U8: element.U8, Bool: element.Bool,
}

// Size is the size of an element in bytes, 0 for an unknown type.
func (d DType) Size() int { return types[d].Bits() / 8 }

// Info names a tensor and says what it holds, row-major.
type Info struct {
	Name  string
	DType DType
	Shape []int // empty for a scalar
}

// bytes is the size of the tensor's data; ok is false for an unknown type, a
// negative dimension or an overflow.
func (i Info) bytes() (n int64, ok bool) {
	n = int64(i.DType.Size())
	if n == 0 {
		return 0, false
	}
	for _, d := range i.Shape {
		if d < 0 {
			return 0, false
		}
		if d != 0 && n > math.MaxInt/int64(d) { // int: what a slice can have
			return 0, false
		}
		n *= int64(d)
	}
	return n, true
}

func formatError(format string, args ...any) error {
	// Names of tensors, and what else the header has, may be of any length.
	return fmt.Errorf("%w: %s", ErrFormat, message.Clean(fmt.Sprintf(format, args...), 300))
}
