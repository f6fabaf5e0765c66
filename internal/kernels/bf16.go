package kernels

import (
	"math"
	"os"
)

// A BF16 is a bfloat16 number: the upper half of a float32, with 8 significant
// bits and the same range. Its subnormal numbers count as zeros.
type BF16 uint16

// RoundBF16 gives the BF16 nearest to x, of two the even one, as the processors'
// instructions do: a subnormal x becomes a zero of its sign, a value beyond the
// largest BF16 an infinity, a NaN stays one.
func RoundBF16(x float32) BF16 {
	b := math.Float32bits(x)
	switch exponent := b & 0x7f800000; {
	case exponent == 0:
		return BF16(b >> 16 & 0x8000)
	case x != x:
		return BF16(b>>16 | 0x40)
	}
	return BF16((b + 0x7fff + b>>16&1) >> 16)
}

// Float32 gives the value, exactly.
func (x BF16) Float32() float32 { return math.Float32frombits(uint32(x) << 16) }

// ToBF16 sets dst = src, rounded as by RoundBF16. dst gives the length; src may
// be longer.
func ToBF16(dst []BF16, src []float32) { toBF16(dst, src[:len(dst)]) }

// FromBF16 sets dst = src, exactly. dst gives the length; src may be longer.
func FromBF16(dst []float32, src []BF16) { fromBF16(dst, src[:len(dst)]) }

// unit is the part of a processor that multiplies BF16 numbers.
type unit uint8

const (
	plain      unit = iota // none: plain Go
	avx512BF16             // AVX-512 with AVX512_BF16
	amx                    // AMX_TILE and AMX_BF16, besides AVX512_BF16
)

// activeUnit is the one in use. It is set once at start; tests switch it.
var activeUnit = chooseUnit(os.Getenv("CAPTION_CPU"), active, bestUnit())

// chooseUnit returns the best unit that goes with the version v. The name
// avx512 stands for AVX512_BF16 also where there is AMX.
func chooseUnit(name string, v isa, best unit) unit {
	switch {
	case v != avx512:
		return plain
	case name == isaNames[avx512]:
		return min(best, avx512BF16)
	}
	return best
}

// BF16Unit names the instructions that the BF16 kernels use: amx, avx512_bf16,
// or none where the processor lacks both or CAPTION_CPU asks for avx2 or
// generic. Then the kernels compute the same in plain Go, which is slower than
// float32: good for tests only. With CAPTION_CPU=avx512 a processor with AMX
// uses avx512_bf16.
func BF16Unit() string {
	return [...]string{plain: "", avx512BF16: "avx512_bf16", amx: "amx"}[activeUnit]
}
