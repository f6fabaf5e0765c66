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
