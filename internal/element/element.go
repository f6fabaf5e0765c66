// Package element knows the types of numbers in files, which are little-endian.
package element

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/onetomany/caption/internal/float16"
)

// Type is the type of a number. The zero value is none.
type Type uint8

const (
	F16  Type = iota + 1 // IEEE binary16
	BF16                 // the upper half of an F32
	F32
	F64
	I4 // two in a byte, the first one in the low bits
	U4
	I8
	U8
	I16
	U16
	I32
	U32
	I64
	U64
	Bool // a byte, true unless it is zero
)

var bits = [...]int{F16: 16, BF16: 16, F32: 32, F64: 64, I4: 4, U4: 4, I8: 8, U8: 8, I16: 16, U16: 16, I32: 32, U32: 32, I64: 64, U64: 64, Bool: 8}

// Bits is the size of a number in bits.
func (t Type) Bits() int { return bits[t] }

// Size is the size of n numbers in bytes.
func (t Type) Size(n int64) int64 { return (n*int64(bits[t]) + 7) / 8 }

// Wrap returns the number of an integer type that has the low bits of v; what is above
// the largest int64 wraps too.
func (t Type) Wrap(v int64) int64 {
	above := 64 - bits[t]
	switch t {
	case U4, U8, U16, U32:
		return int64(uint64(v) << above >> above)
	}
	return v << above >> above
}

// Floats converts the len(dst) numbers in b, of a float type.
func (t Type) Floats(dst []float32, b []byte) {
	le := binary.LittleEndian
	switch t {
	case F16:
		float16.Decode(dst, b)
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(le.Uint16(b[2*i:])) << 16)
		}
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(b[4*i:]))
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(le.Uint64(b[8*i:])))
		}
	}
}

// Ints converts the len(dst) numbers in b, of an integer type. It fails where a number
// is above the largest int64.
func (t Type) Ints(dst []int64, b []byte) error {
	le := binary.LittleEndian
	for i := range dst {
		switch t {
		case I4:
			dst[i] = int64(int8(b[i/2]>>(i%2*4)<<4) >> 4)
		case U4:
			dst[i] = int64(b[i/2] >> (i % 2 * 4) & 15)
		case I8:
			dst[i] = int64(int8(b[i]))
		case U8:
			dst[i] = int64(b[i])
		case I16:
			dst[i] = int64(int16(le.Uint16(b[2*i:])))
		case U16:
			dst[i] = int64(le.Uint16(b[2*i:]))
		case I32:
			dst[i] = int64(int32(le.Uint32(b[4*i:])))
		case U32:
			dst[i] = int64(le.Uint32(b[4*i:]))
		case I64, U64:
			u := le.Uint64(b[8*i:])
			if t == U64 && u > math.MaxInt64 {
				return fmt.Errorf("element %d is %d, above the largest supported %d", i, u, int64(math.MaxInt64))
			}
			dst[i] = int64(u)
		}
	}
	return nil
}
