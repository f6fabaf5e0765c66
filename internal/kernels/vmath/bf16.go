package vmath

import (
	"math"

	"github.com/onetomany/caption/internal/kernels/cpu"
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

// The functions below compute in float32 and round once. dst gives the length; the
// others may be longer. dst may be one of the arguments, but must not overlap one
// otherwise.

// hasBF16 reports whether n values go to the assembly.
func hasBF16(n int) bool { return cpu.ActiveUnit != cpu.NoUnit && n > 0 }

// ToBF16 sets dst = src, rounded as by RoundBF16.
func ToBF16(dst []BF16, src []float32) {
	src = src[:len(dst)]
	if hasBF16(len(dst)) {
		toBF16Asm(dst, src)
		return
	}
	for i, x := range src {
		dst[i] = RoundBF16(x)
	}
}

// FromBF16 sets dst = src, exactly.
func FromBF16(dst []float32, src []BF16) {
	src = src[:len(dst)]
	if hasBF16(len(dst)) {
		fromBF16Asm(dst, src)
		return
	}
	for i, x := range src {
		dst[i] = x.Float32()
	}
}

// AddBF16 sets dst = a + b.
func AddBF16(dst, a, b []BF16) {
	a, b = a[:len(dst)], b[:len(dst)]
	if hasBF16(len(dst)) {
		addBF16Asm(dst, a, b)
		return
	}
	for i, x := range a {
		dst[i] = RoundBF16(x.Float32() + b[i].Float32())
	}
}

// MulBF16 sets dst = a·b, value by value.
func MulBF16(dst, a, b []BF16) {
	a, b = a[:len(dst)], b[:len(dst)]
	if hasBF16(len(dst)) {
		mulBF16Asm(dst, a, b)
		return
	}
	for i, x := range a {
		dst[i] = RoundBF16(x.Float32() * b[i].Float32())
	}
}

// AccumulateBF16 sets dst += x, without rounding.
func AccumulateBF16(dst []float32, x []BF16) {
	x = x[:len(dst)]
	if hasBF16(len(dst)) {
		accumulateBF16Asm(dst, x)
		return
	}
	for i, v := range x {
		dst[i] += v.Float32()
	}
}

// ApplyBF16 sets dst = f(src), as Apply does.
func (f Activation) ApplyBF16(dst, src []BF16, alpha, beta float32) {
	var x [512]float32 // stays in the first-level cache
	src = src[:len(dst)]
	for len(dst) > 0 {
		n := min(len(dst), len(x))
		FromBF16(x[:n], src)
		f.Apply(x[:n], x[:n], alpha, beta)
		ToBF16(dst[:n], x[:n])
		dst, src = dst[n:], src[n:]
	}
}
