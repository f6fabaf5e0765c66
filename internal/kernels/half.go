package kernels

import "github.com/onetomany/caption/internal/float16"

// FromHalf widens IEEE 754 binary16 numbers, little-endian as files hold them,
// to dst; src holds two bytes for each element of dst. Exact, except that a
// signalling NaN may become a quiet one.
func FromHalf(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	n := fromHalfFast(dst, src)
	fromHalfGeneric(dst[n:], src[2*n:])
}

func fromHalfGeneric(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float16.ToFloat32(uint16(src[2*i]) | uint16(src[2*i+1])<<8)
	}
}
