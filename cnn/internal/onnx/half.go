package onnx

import "math"

// fromHalf converts an IEEE 754 binary16.
func fromHalf(h uint16) float32 {
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

// toHalf rounds to the nearest IEEE 754 binary16, ties to even. It reports
// false where a finite f would become infinite.
func toHalf(f float32) (h uint16, ok bool) {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	bits &= 0x7fffffff
	abs := math.Float32frombits(bits)
	switch {
	case bits > 0x7f800000: // NaN
		return sign | 0x7e00, true
	case bits == 0x7f800000:
		return sign | 0x7c00, true
	case abs >= 65520: // halfway between the largest, 65504, and 65536
		return 0, false
	case abs < 0x1p-14: // subnormal: a multiple of 2^-24
		return sign | uint16(math.RoundToEven(float64(abs)*0x1p24)), true
	}
	bits += 0xfff + bits>>13&1
	return sign | uint16(bits>>13-112<<10), true
}
