//go:build !purego

package kernels

// The assembly works on whole vectors of 8 values; len(dst), or of the only
// argument, is a multiple of that. What is left over goes through a vector of
// its own, so that every value sees the same arithmetic.

const lanes = 8

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

func unaryAVX2(f function, dst, src []float32, p, q float32) {
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

func unary(f function, dst, src []float32, p, q float32) {
	src = src[:len(dst)]
	if active < avx2 {
		unaryGeneric(f, dst, src, p, q)
		return
	}
	n := len(dst) &^ (lanes - 1)
	if n > 0 {
		unaryAVX2(f, dst[:n], src, p, q)
	}
	if n < len(dst) {
		var x [lanes]float32
		copy(x[:], src[n:])
		unaryAVX2(f, x[:], x[:], p, q)
		copy(dst[n:], x[:])
	}
}

func binaryAVX2(f function, dst, a, b []float32) {
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

func binary(f function, dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	if active < avx2 {
		binaryGeneric(f, dst, a, b)
		return
	}
	n := len(dst) &^ (lanes - 1)
	if n > 0 {
		binaryAVX2(f, dst[:n], a, b)
	}
	if n < len(dst) {
		var x, y, z [lanes]float32
		copy(x[:], a[n:])
		copy(y[:], b[n:])
		copy(z[:], dst[n:])
		binaryAVX2(f, z[:], x[:], y[:])
		copy(dst[n:], z[:])
	}
}

func axpy(dst []float32, alpha float32, x []float32) {
	if active < avx2 {
		axpyGeneric(dst, alpha, x)
		return
	}
	n := len(dst) &^ (lanes - 1)
	if n > 0 {
		axpyAVX2(dst[:n], x, alpha)
	}
	if n < len(dst) {
		var y, z [lanes]float32
		copy(y[:], x[n:])
		copy(z[:], dst[n:])
		axpyAVX2(z[:], y[:], alpha)
		copy(dst[n:], z[:])
	}
}

func dot(a, b []float32) float32 {
	if active < avx2 {
		return dotGeneric(a, b)
	}
	var s [lanes]float32
	n := len(a) &^ (lanes - 1)
	if n > 0 {
		dotAVX2(&s, a[:n], b)
	}
	for i, x := range a[n:] {
		s[i] += x * b[n+i]
	}
	return sum8(&s)
}

func dot4(a, b []float32, ldb int) [4]float32 {
	if active < avx2 {
		return dot4Generic(a, b, ldb)
	}
	var s [4]float32
	n := len(a) &^ 15
	if n > 0 {
		dot4AVX2(&s, a[:n], b, ldb)
	}
	if n < len(a) {
		for i := range s {
			for l, x := range a[n:] {
				s[i] += x * b[i*ldb+n+l]
			}
		}
	}
	return s
}

func sum(x []float32) float32 {
	if active < avx2 {
		return sumGeneric(x)
	}
	var s [lanes]float32
	n := len(x) &^ (lanes - 1)
	if n > 0 {
		sumAVX2(&s, x[:n])
	}
	for i, v := range x[n:] {
		s[i] += v
	}
	return sum8(&s)
}

func sumExp(x []float32, m float32) float32 {
	if active < avx2 {
		return sumExpGeneric(x, m)
	}
	var s [lanes]float32
	n := len(x) &^ (lanes - 1)
	if n > 0 {
		sumExpAVX2(&s, x[:n], m)
	}
	if n < len(x) {
		var y [lanes]float32
		n := copy(y[:], x[n:])
		for i := range y[:n] {
			y[i] -= m
		}
		expAVX2(y[:], y[:])
		for i, v := range y[:n] {
			s[i] += v
		}
	}
	return sum8(&s)
}

func largest(x []float32) float32 {
	n := len(x) &^ (lanes - 1)
	if active < avx2 || n == 0 {
		return largestGeneric(x)
	}
	var s [lanes]float32
	largestAVX2(&s, x[:n])
	return max(largestGeneric(s[:]), largestGeneric(x[n:]))
}
