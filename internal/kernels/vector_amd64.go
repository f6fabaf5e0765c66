//go:build !purego

package kernels

//go:noescape
func expAVX2(dst, src []float32)

//go:noescape
func tanhAVX2(dst, src []float32)

//go:noescape
func sigmoidAVX2(dst, src []float32)

//go:noescape
func siluAVX2(dst, src []float32)

//go:noescape
func erfAVX2(dst, src []float32)

//go:noescape
func geluAVX2(dst, src []float32)

//go:noescape
func scaleAVX2(dst, src []float32, p float32)

//go:noescape
func shiftAVX2(dst, src []float32, p, q float32)

//go:noescape
func clampAVX2(dst, src []float32, p, q float32)

//go:noescape
func leakyAVX2(dst, src []float32, p float32)

//go:noescape
func hardSigmoidAVX2(dst, src []float32, p, q float32)

//go:noescape
func hardSwishAVX2(dst, src []float32, p, q float32)

//go:noescape
func addAVX2(dst, a, b []float32)

//go:noescape
func subAVX2(dst, a, b []float32)

//go:noescape
func mulAVX2(dst, a, b []float32)

//go:noescape
func mulAddAVX2(dst, a, b []float32)

//go:noescape
func axpyAVX2(dst, x []float32, alpha float32)

// dotAVX2 returns eight partial sums.
//
//go:noescape
func dotAVX2(s *[lanes]float32, a, b []float32)

// dot4AVX2 returns the products of a with four rows, ldb apart. The length of a
// is a multiple of 16.
//
//go:noescape
func dot4AVX2(s *[4]float32, a, b []float32, ldb int)

//go:noescape
func sumAVX2(s *[lanes]float32, x []float32)

//go:noescape
func sumExpAVX2(s *[lanes]float32, x []float32, m float32)

//go:noescape
func largestAVX2(s *[lanes]float32, x []float32)

// constants holds the constants of vector_avx2_amd64.s, each in a whole vector.
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

func unaryLanes(f function, dst, src []float32, p, q float32) {
	if f.inRows(dst, src, 1, len(dst), 0, 0, p, q) {
		return
	}
	switch f {
	case fnExp:
		expAVX2(dst, src)
	case fnTanh:
		tanhAVX2(dst, src)
	case fnSigmoid:
		sigmoidAVX2(dst, src)
	case fnSiLU:
		siluAVX2(dst, src)
	case fnErf:
		erfAVX2(dst, src)
	case fnGELU:
		geluAVX2(dst, src)
	case fnScale:
		scaleAVX2(dst, src, p)
	case fnShift:
		shiftAVX2(dst, src, p, q)
	case fnClamp:
		clampAVX2(dst, src, p, q)
	case fnLeaky:
		leakyAVX2(dst, src, p)
	case fnHardSigmoid:
		hardSigmoidAVX2(dst, src, p, q)
	case fnHardSwish:
		hardSwishAVX2(dst, src, p, q)
	}
}

func binaryLanes(f function, dst, a, b []float32) {
	switch f {
	case fnAdd:
		addAVX2(dst, a, b)
	case fnSub:
		subAVX2(dst, a, b)
	case fnMul:
		mulAVX2(dst, a, b)
	case fnMulAdd:
		mulAddAVX2(dst, a, b)
	}
}

func axpyLanes(dst []float32, alpha float32, x []float32) { axpyAVX2(dst, x, alpha) }

func dotLanes(s *[lanes]float32, a, b []float32)            { dotAVX2(s, a, b) }
func dot4Lanes(s *[4]float32, a, b []float32, ldb int)      { dot4AVX2(s, a, b, ldb) }
func sumLanes(s *[lanes]float32, x []float32)               { sumAVX2(s, x) }
func sumExpLanes(s *[lanes]float32, x []float32, m float32) { sumExpAVX2(s, x, m) }
func largestLanes(s *[lanes]float32, x []float32)           { largestAVX2(s, x) }
