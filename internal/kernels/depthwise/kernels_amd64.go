//go:build !purego

package depthwise

import "github.com/onetomany/caption/internal/kernels/cpu"

func init() {
	levels[cpu.AVX2], levels[cpu.AVX512] = common, common
	levels[cpu.AVX512].depthwise, levels[cpu.AVX512].shortRows = depthwise512, true
	units[cpu.AVX512BF16] = kernelBF16{strip512, spread}
	units[cpu.AMX] = units[cpu.AVX512BF16]
}

// The kernels of AVX-512 take at least 16 channels; those for rows of 3, 5 or 7 taps
// at least 4 pixels, as far apart as the taps or twice as far.

func depthwiseAVX512(t *strip)
func depthwise3AVX512(t *strip)
func depthwise5AVX512(t *strip)
func depthwise7AVX512(t *strip)
func depthwise3Stride2AVX512(t *strip)
func depthwise5Stride2AVX512(t *strip)

// depthwise512 picks one of them.
func depthwise512(t *strip) {
	one, two := t.pixels >= 4 && t.xPix == t.xCol, t.pixels >= 4 && t.xPix == 2*t.xCol
	switch {
	case t.channels < 16:
		depthwiseFours(t)
	case one && t.kw == 3:
		depthwise3AVX512(t)
	case one && t.kw == 5:
		depthwise5AVX512(t)
	case one && t.kw == 7:
		depthwise7AVX512(t)
	case two && t.kw == 3:
		depthwise3Stride2AVX512(t)
	case two && t.kw == 5:
		depthwise5Stride2AVX512(t)
	default:
		depthwiseAVX512(t)
	}
}

// The kernels of BF16 hold 32 numbers as two vectors of float32, those of even
// index and those of odd index: each is a shift or a mask away.

func depthwiseBF16AVX512(t *stripBF16)
func maxPoolBF16AVX512(t *stripBF16)
func sumPoolBF16AVX512(t *stripBF16)

func strip512(t *stripBF16, k kind) {
	switch k {
	case depthwise:
		depthwiseBF16AVX512(t)
	case maxPool:
		maxPoolBF16AVX512(t)
	default:
		sumPoolBF16AVX512(t)
	}
}

// spreadAVX512 arranges whole blocks.
//
//go:noescape
func spreadAVX512(dst, src []float32)

// spread sets dst, whole blocks, to the values of src with zeros behind them: in
// each block first those of even index, then those of odd index.
func spread(dst, src []float32) {
	n := len(src) &^ (spreadBlock - 1)
	if n > 0 {
		spreadAVX512(dst[:n], src)
	}
	if n < len(src) {
		var x [spreadBlock]float32
		copy(x[:], src[n:])
		spreadAVX512(dst[n:][:spreadBlock], x[:])
	}
}

// Orders of values for the assembly: two halves of 16 words into one of 32,
// taking turns; the same of float32, to two vectors; and the way back.
var (
	zipWords   [32]uint16
	zipFloats  [2][16]uint32
	evenAndOdd [2][16]uint32
)

func init() {
	for i := range uint32(16) {
		zipWords[2*i], zipWords[2*i+1] = uint16(i), uint16(i+16)
		zipFloats[i/8][2*i%16], zipFloats[i/8][2*i%16+1] = i, i+16
		evenAndOdd[0][i], evenAndOdd[1][i] = 2*i, 2*i+1
	}
}
