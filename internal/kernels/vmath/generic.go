package vmath

import "math"

// An operation is a function of two values.
type operation uint8

const (
	opAdd operation = iota
	opSub
	opMul
	opMulAdd
)

// Inf is +Inf.
var Inf = float32(math.Inf(1))

// eˣ = 2ⁿ·eʳ with |r| ≤ ln 2/2; ln 2 in two parts, the first short enough that
// n times it is exact. The polynomial, eʳ = 1 + r + r²·(…), is that of expf in
// the Cephes library (S. Moshier, 1989).
const (
	expLow  = -104 // rounds to 0
	expHigh = 89   // overflows
	log2e   = 1.44269504088896341
	ln2High = 0.693359375
	ln2Low  = -2.12194440e-4

	exp7 = 1.9875691500e-4
	exp6 = 1.3981999507e-3
	exp5 = 8.3334519073e-3
	exp4 = 4.1665795894e-2
	exp3 = 1.6666665459e-1
	exp2 = 5.0000001201e-1
)

// tanhHigh is where tanh has become 1.
const tanhHigh = 10

// erf x = x·P(x²)/Q(x²) for |x| ≤ 4, where it has become 1; the coefficients
// are those of Eigen's erf for float.
const (
	erfHigh = 4

	erfP0 = -1.60960333262415e-02
	erfP1 = -2.95459980854025e-03
	erfP2 = -7.34990630326855e-04
	erfP3 = -5.69250639462346e-05
	erfP4 = -2.10102402082508e-06
	erfP5 = 2.77068142495902e-08
	erfP6 = -2.72614225801306e-10

	erfQ0 = -1.42647390514189e-02
	erfQ1 = -7.37332916720468e-03
	erfQ2 = -1.68282697438203e-03
	erfQ3 = -2.13374055278905e-04
	erfQ4 = -1.45660718464996e-05
)

// reduce returns n and eʳ − 1.
func reduce(x float32) (n, q float32) {
	const magic = 3 << 22 // pushes the digits after the point out
	n = float32(x*log2e+magic) - magic
	r := x - n*ln2High
	r -= n * ln2Low
	q = exp7
	q = q*r + exp6
	q = q*r + exp5
	q = q*r + exp4
	q = q*r + exp3
	q = q*r + exp2
	return n, q*(r*r) + r
}

// power2 returns 2ⁿ, |n| < 127.
func power2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

func exp(x float32) float32 {
	if x != x {
		return x
	}
	n, q := reduce(min(max(x, expLow), expHigh))
	// In two steps, since 2ⁿ alone may be out of range.
	i := int32(n)
	s := power2(i >> 1)
	return (q*s + s) * power2(i-i>>1)
}

func tanh(x float32) float32 {
	if x != x {
		return x
	}
	n, q := reduce(2 * min(max(x, -tanhHigh), tanhHigh))
	s := power2(int32(n))
	e := q*s + (s - 1) // e²ˣ − 1
	return e / (e + 2)
}

func erf(x float32) float32 {
	x = min(max(x, -erfHigh), erfHigh)
	z := x * x
	p := float32(erfP6)
	p = p*z + erfP5
	p = p*z + erfP4
	p = p*z + erfP3
	p = p*z + erfP2
	p = p*z + erfP1
	p = p*z + erfP0
	q := float32(erfQ4)
	q = q*z + erfQ3
	q = q*z + erfQ2
	q = q*z + erfQ1
	q = q*z + erfQ0
	return p / q * x
}

func unaryGeneric(f Activation, dst, src []float32, p, q float32) {
	src = src[:len(dst)]
	switch f {
	case fnExp:
		for i, x := range src {
			dst[i] = exp(x)
		}
	case ActTanh:
		for i, x := range src {
			dst[i] = tanh(x)
		}
	case ActSigmoid:
		for i, x := range src {
			dst[i] = 1 / (1 + exp(-x))
		}
	case ActSiLU:
		for i, x := range src {
			dst[i] = x / (1 + exp(-x))
		}
	case fnErf:
		for i, x := range src {
			dst[i] = erf(x)
		}
	case ActGELU:
		for i, x := range src {
			h := x / 2
			dst[i] = h*erf(x*(1/math.Sqrt2)) + h
		}
	case fnScale:
		for i, x := range src {
			dst[i] = p * x
		}
	case fnShift:
		for i, x := range src {
			dst[i] = x - p - q
		}
	case ActClip:
		for i, x := range src {
			dst[i] = min(max(x, p), q)
		}
	case ActLeakyReLU:
		for i, x := range src {
			if x < 0 {
				x *= p
			}
			dst[i] = x
		}
	case ActHardSigmoid:
		for i, x := range src {
			dst[i] = min(max(p*x+q, 0), 1)
		}
	case ActHardSwish:
		for i, x := range src {
			dst[i] = x * min(max(p*x+q, 0), 1)
		}
	case fnAxpy:
		for i, x := range src {
			dst[i] += p * x
		}
	}
}

func binaryGeneric(op operation, dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	switch op {
	case opAdd:
		for i, x := range a {
			dst[i] = x + b[i]
		}
	case opSub:
		for i, x := range a {
			dst[i] = x - b[i]
		}
	case opMul:
		for i, x := range a {
			dst[i] = x * b[i]
		}
	case opMulAdd:
		for i, x := range a {
			dst[i] += x * b[i]
		}
	}
}

// The sums below keep eight parts, as the vectors do: one long chain of
// roundings would be slower and less exact.

func dotGeneric(a, b []float32) float32 {
	var s [8]float32
	b = b[:len(a)]
	for len(a) >= 8 {
		for i := range s {
			s[i] += a[i] * b[i]
		}
		a, b = a[8:], b[8:]
	}
	for i, x := range a {
		s[i] += x * b[i]
	}
	return total(&s)
}

// dot4Generic returns the products of a with four rows, ldb apart.
func dot4Generic(a, b []float32, ldb int) (s [4]float32) {
	for i := range s {
		s[i] = dotGeneric(a, b[i*ldb:][:len(a)])
	}
	return s
}

func sumGeneric(x []float32) float32 {
	var s [8]float32
	for len(x) >= 8 {
		for i := range s {
			s[i] += x[i]
		}
		x = x[8:]
	}
	for i, v := range x {
		s[i] += v
	}
	return total(&s)
}

// sumExpGeneric returns Σ e^(xᵢ−m).
func sumExpGeneric(x []float32, m float32) float32 {
	var s [8]float32
	for i, v := range x {
		s[i%8] += exp(v - m)
	}
	return total(&s)
}

// total adds the parts up.
func total(s *[8]float32) float32 {
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

func largestGeneric(x []float32) float32 {
	m := -Inf
	for _, v := range x {
		m = max(m, v)
	}
	return m
}
