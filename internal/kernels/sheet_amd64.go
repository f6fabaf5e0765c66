//go:build !purego

package kernels

import "math"

// A sheet is a job of the functions in AVX-512: rows of values, which need not
// be whole vectors. The assembly reads the fields by the names in go_asm.h; of a
// slice it takes the address only.
type sheet struct {
	dst, src   []float32
	rows, cols int // at least 1
	ldd, lds   int // floats from a row to the next
	p, q       float32

	scale, shift []float32 // one for each column; affine and mul only
}

//go:noescape
func expAVX512(t *sheet)

//go:noescape
func sigmoidAVX512(t *sheet)

//go:noescape
func siluAVX512(t *sheet)

//go:noescape
func geluAVX512(t *sheet)

//go:noescape
func leakyAVX512(t *sheet)

//go:noescape
func hardSigmoidAVX512(t *sheet)

//go:noescape
func hardSwishAVX512(t *sheet)

// mulAVX512 computes src·scale.
//
//go:noescape
func mulAVX512(t *sheet)

// affineAVX512 computes src·scale + shift within p…q.
//
//go:noescape
func affineAVX512(t *sheet)

// wideConstants holds the numbers that vector_avx512_amd64.s broadcasts, by their
// place. log₂e is in two parts, the second what the first lacks.
var wideConstants = [...]float32{
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

// inRows computes dst = f(src) on rows of cols values, ldd and lds apart, with
// AVX-512. It reports false where there is no such version of f.
func (f function) inRows(dst, src []float32, rows, cols, ldd, lds int, p, q float32) bool {
	if active != avx512 {
		return false
	}
	t := sheet{dst: dst, src: src, rows: rows, cols: cols, ldd: ldd, lds: lds, p: p, q: q}
	switch f {
	case fnExp:
		expAVX512(&t)
	case fnSigmoid:
		sigmoidAVX512(&t)
	case fnSiLU:
		siluAVX512(&t)
	case fnGELU:
		geluAVX512(&t)
	case fnLeaky:
		leakyAVX512(&t)
	case fnHardSigmoid:
		hardSigmoidAVX512(&t)
	case fnHardSwish:
		hardSwishAVX512(&t)
	default:
		return false
	}
	return true
}

func affine(dst, src, scale, shift []float32, lo, hi float32) {
	if active != avx512 {
		affineRows(dst, src, scale, shift, lo, hi)
		return
	}
	c := len(scale)
	t := sheet{dst: dst, src: src, rows: len(dst) / c, cols: c, ldd: c, lds: c, p: lo, q: hi, scale: scale, shift: shift}
	if shift == nil {
		mulAVX512(&t)
		return
	}
	affineAVX512(&t)
}
