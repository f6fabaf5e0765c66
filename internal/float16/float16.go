// Package float16 converts between float32 and IEEE 754 binary16, in which
// models store their weights in half the space.
package float16

import "math"

// ToFloat32 widens h; exact.
func ToFloat32(h uint16) float32 {
	// Exponent and fraction moved to their places give the value times
	// 2^-112, subnormals included; infinities and NaN then need the largest
	// exponent.
	bits := uint32(h&0x7fff) << 13
	f := math.Float32frombits(bits) * 0x1p112
	if h&0x7c00 == 0x7c00 {
		f = math.Float32frombits(bits | 0x7f800000)
	}
	return math.Float32frombits(math.Float32bits(f) | uint32(h&0x8000)<<16)
}

// FromFloat32 rounds f to nearest, ties to even; values of 65,520 and above
// become infinite. NaN stay NaN.
func FromFloat32(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN: quiet, with the top of its payload
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case Overflows(f) || b == 0x7f800000:
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: subnormal
		// Adding 0.5 puts 2^-24 at the last bit of the float, so the addition
		// rounds as is wanted.
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-0x3f000000)
	}
	b += 0x0fff + b>>13&1 // round the 13 bits that go, ties to even
	return sign | uint16((b-(127-15)<<23)>>13)
}

// Overflows reports whether f is finite and FromFloat32(f) is not.
func Overflows(f float32) bool {
	// 65,520 is halfway between the largest binary16, 65,504, and 65,536.
	b := math.Float32bits(f) & 0x7fffffff
	return b >= 0x477ff000 && b < 0x7f800000
}
