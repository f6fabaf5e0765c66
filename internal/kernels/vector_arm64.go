//go:build !purego

package kernels

import "math"

//go:noescape
func expNEON(dst, src []float32)

//go:noescape
func tanhNEON(dst, src []float32)

//go:noescape
func sigmoidNEON(dst, src []float32)

//go:noescape
func siluNEON(dst, src []float32)

//go:noescape
func erfNEON(dst, src []float32)

//go:noescape
func geluNEON(dst, src []float32)

//go:noescape
func scaleNEON(dst, src []float32, p float32)

//go:noescape
func shiftNEON(dst, src []float32, p, q float32)

//go:noescape
func clampNEON(dst, src []float32, p, q float32)

//go:noescape
func leakyNEON(dst, src []float32, p float32)

//go:noescape
func hardSigmoidNEON(dst, src []float32, p, q float32)

//go:noescape
func hardSwishNEON(dst, src []float32, p, q float32)

//go:noescape
func addNEON(dst, a, b []float32)

//go:noescape
func subNEON(dst, a, b []float32)

//go:noescape
func mulNEON(dst, a, b []float32)

//go:noescape
func mulAddNEON(dst, a, b []float32)

//go:noescape
func axpyNEON(dst, x []float32, alpha float32)

// dotNEON returns eight partial sums.
//
//go:noescape
func dotNEON(s *[lanes]float32, a, b []float32)

// dot4NEON returns the products of a with four rows, ldb apart. The length of a
// is a multiple of 16.
//
//go:noescape
func dot4NEON(s *[4]float32, a, b []float32, ldb int)

//go:noescape
func sumNEON(s *[lanes]float32, x []float32)

//go:noescape
func sumExpNEON(s *[lanes]float32, x []float32, m float32)

//go:noescape
func largestNEON(s *[lanes]float32, x []float32)

// What vector_neon_arm64.s keeps in registers.
var (
	expConstants = [...]float32{expLow, expHigh, log2e, ln2High, ln2Low, exp7, exp6, exp5, exp4, exp3, exp2, 1, 2, tanhHigh}
	erfConstants = [...]float32{erfHigh, erfP6, erfP5, erfP4, erfP3, erfP2, erfP1, erfP0, erfQ4, erfQ3, erfQ2, erfQ1, erfQ0, 1 / math.Sqrt2, 0.5}
)

func unaryLanes(f function, dst, src []float32, p, q float32) {
	switch f {
	case fnExp:
		expNEON(dst, src)
	case fnTanh:
		tanhNEON(dst, src)
	case fnSigmoid:
		sigmoidNEON(dst, src)
	case fnSiLU:
		siluNEON(dst, src)
	case fnErf:
		erfNEON(dst, src)
	case fnGELU:
		geluNEON(dst, src)
	case fnScale:
		scaleNEON(dst, src, p)
	case fnShift:
		shiftNEON(dst, src, p, q)
	case fnClamp:
		clampNEON(dst, src, p, q)
	case fnLeaky:
		leakyNEON(dst, src, p)
	case fnHardSigmoid:
		hardSigmoidNEON(dst, src, p, q)
	case fnHardSwish:
		hardSwishNEON(dst, src, p, q)
	}
}

func binaryLanes(f function, dst, a, b []float32) {
	switch f {
	case fnAdd:
		addNEON(dst, a, b)
	case fnSub:
		subNEON(dst, a, b)
	case fnMul:
		mulNEON(dst, a, b)
	case fnMulAdd:
		mulAddNEON(dst, a, b)
	}
}

func axpyLanes(dst []float32, alpha float32, x []float32) { axpyNEON(dst, x, alpha) }

func dotLanes(s *[lanes]float32, a, b []float32)            { dotNEON(s, a, b) }
func dot4Lanes(s *[4]float32, a, b []float32, ldb int)      { dot4NEON(s, a, b, ldb) }
func sumLanes(s *[lanes]float32, x []float32)               { sumNEON(s, x) }
func sumExpLanes(s *[lanes]float32, x []float32, m float32) { sumExpNEON(s, x, m) }
func largestLanes(s *[lanes]float32, x []float32)           { largestNEON(s, x) }
