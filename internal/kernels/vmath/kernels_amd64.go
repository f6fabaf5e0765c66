//go:build !purego

package vmath

import (
	"math"

	_ "github.com/onetomany/caption/internal/kernels/asm" // included by the assembly
	"github.com/onetomany/caption/internal/kernels/cpu"
)

// constants holds the constants of avx2_amd64.s, each in a whole vector.
var constants = func(x ...float32) (v [27][lanes]float32) {
	for i, f := range x {
		for j := range v[i] {
			v[i][j] = f
		}
	}
	return v
}(
	expLow, expHigh, log2e, ln2High, ln2Low, exp7, exp6, exp5, exp4, exp3, exp2,
	1, 2, tanhHigh,
	erfHigh, erfP6, erfP5, erfP4, erfP3, erfP2, erfP1, erfP0, erfQ4, erfQ3, erfQ2, erfQ1, erfQ0,
)

// rowsJob is the argument of the functions of AVX-512: rows of values, which need
// not be whole vectors. The assembly reads the fields by the names in go_asm.h; of
// a slice it takes the address only.
type rowsJob struct {
	dst, src   []float32
	rows, cols int // at least 1
	ldd, lds   int // floats from a row to the next
	p, q       float32

	scale, shift []float32 // one for each column; affine and mul only
}

//go:noescape
func expAVX512(t *rowsJob)

//go:noescape
func sigmoidAVX512(t *rowsJob)

//go:noescape
func siluAVX512(t *rowsJob)

//go:noescape
func geluAVX512(t *rowsJob)

//go:noescape
func leakyAVX512(t *rowsJob)

//go:noescape
func hardSigmoidAVX512(t *rowsJob)

//go:noescape
func hardSwishAVX512(t *rowsJob)

// mulAVX512 computes src·scale.
//
//go:noescape
func mulAVX512(t *rowsJob)

// affineAVX512 computes src·scale + shift within p…q.
//
//go:noescape
func affineAVX512(t *rowsJob)

// scalars holds the constants that avx512_amd64.s broadcasts, by their place. log₂e
// is in two parts, the second what the first lacks.
var scalars = [...]float32{
	expLow, expHigh, log2e, log2e - log2eFloat,
	-expHigh, -expLow, -log2e, -(log2e - log2eFloat),
	3 << 17, math.Ln2 * math.Ln2 * math.Ln2 / 6, math.Ln2 * math.Ln2 / 2, math.Ln2,
	1,
	-erfHigh, erfHigh, 1 / math.Sqrt2, 0.5,
	erfP6, erfP5, erfP4, erfP3, erfP2, erfP1, erfP0,
	erfQ4, erfQ3, erfQ2, erfQ1, erfQ0,
}

// log2eFloat is log₂e as float32 has it.
const log2eFloat = 12102203. / (1 << 23)

// powers holds 2^(j/32).
var powers = func() (v [32]float32) {
	for j := range v {
		v[j] = float32(math.Exp2(float64(j) / 32))
	}
	return v
}()

// unaryRows computes dst = f(src) on rows of cols values, ldd and lds apart. It
// reports false where there is no kernel that does all rows at once.
func unaryRows(f Activation, dst, src []float32, rows, cols, ldd, lds int, p, q float32) bool {
	if cpu.Active != cpu.AVX512 {
		return false
	}
	t := rowsJob{dst: dst, src: src, rows: rows, cols: cols, ldd: ldd, lds: lds, p: p, q: q}
	switch f {
	case fnExp:
		expAVX512(&t)
	case ActSigmoid:
		sigmoidAVX512(&t)
	case ActSiLU:
		siluAVX512(&t)
	case ActGELU:
		geluAVX512(&t)
	case ActLeakyReLU:
		leakyAVX512(&t)
	case ActHardSigmoid:
		hardSigmoidAVX512(&t)
	case ActHardSwish:
		hardSwishAVX512(&t)
	default:
		return false
	}
	return true
}

// affineRows is Affine, where there is a kernel that does all rows at once.
func affineRows(dst, src, scale, shift []float32, lo, hi float32) bool {
	if cpu.Active != cpu.AVX512 {
		return false
	}
	c := len(scale)
	t := rowsJob{dst: dst, src: src, rows: len(dst) / c, cols: c, ldd: c, lds: c, p: lo, q: hi, scale: scale, shift: shift}
	if shift == nil {
		mulAVX512(&t)
	} else {
		affineAVX512(&t)
	}
	return true
}

// The functions of BF16 take any length but 0. They hold 32 numbers as two vectors
// of float32, those of even index and those of odd index: each is a shift or a mask
// away.

//go:noescape
func toBF16Asm(dst []BF16, src []float32)

//go:noescape
func fromBF16Asm(dst []float32, src []BF16)

//go:noescape
func addBF16Asm(dst, a, b []BF16)

//go:noescape
func mulBF16Asm(dst, a, b []BF16)

//go:noescape
func accumulateBF16Asm(dst []float32, x []BF16)

// zipWords makes two halves of 16 words into one of 32, taking turns.
var zipWords = func() (v [32]uint16) {
	for i := range v {
		v[i] = uint16(i/2 + i%2*16)
	}
	return v
}()
