package float16

import "encoding/binary"

// Decode sets dst to the numbers in src, little-endian as files hold them, two bytes
// for each element of dst. Exact, except that a signalling NaN may become a quiet
// one.
func Decode(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	for i := decodeBlocks(dst, src); i < len(dst); i++ {
		dst[i] = ToFloat32(binary.LittleEndian.Uint16(src[2*i:]))
	}
}
