//go:build (amd64 || arm64) && !purego

package vmath

import "github.com/onetomany/caption/internal/kernels/cpu"

// The assembly, for AVX2 or NEON, works on blocks of 8 values: len(dst), or that
// of the first argument, is a multiple of that and not 0. What is left over goes
// through a block of its own, so that every value sees the same arithmetic.
const lanes = 8

//go:noescape
func expAsm(dst, src []float32)

//go:noescape
func tanhAsm(dst, src []float32)

//go:noescape
func sigmoidAsm(dst, src []float32)

//go:noescape
func siluAsm(dst, src []float32)

//go:noescape
func erfAsm(dst, src []float32)

//go:noescape
func geluAsm(dst, src []float32)

//go:noescape
func scaleAsm(dst, src []float32, p float32)

//go:noescape
func shiftAsm(dst, src []float32, p, q float32)

//go:noescape
func clampAsm(dst, src []float32, p, q float32)

//go:noescape
func leakyAsm(dst, src []float32, p float32)

//go:noescape
func hardSigmoidAsm(dst, src []float32, p, q float32)

//go:noescape
func hardSwishAsm(dst, src []float32, p, q float32)

//go:noescape
func axpyAsm(dst, src []float32, p float32)

//go:noescape
func addAsm(dst, a, b []float32)

//go:noescape
func subAsm(dst, a, b []float32)

//go:noescape
func mulAsm(dst, a, b []float32)

//go:noescape
func mulAddAsm(dst, a, b []float32)

// dotAsm returns eight partial sums.
//
//go:noescape
func dotAsm(s *[lanes]float32, a, b []float32)

// dot4Asm returns the products of a with four rows, ldb apart. The length of a is
// a multiple of 16.
//
//go:noescape
func dot4Asm(s *[4]float32, a, b []float32, ldb int)

//go:noescape
func sumAsm(s *[lanes]float32, x []float32)

//go:noescape
func sumExpAsm(s *[lanes]float32, x []float32, m float32)

//go:noescape
func largestAsm(s *[lanes]float32, x []float32)

func unary(f Activation, dst, src []float32, p, q float32) {
	src = src[:len(dst)]
	if cpu.Active == cpu.Generic {
		unaryGeneric(f, dst, src, p, q)
		return
	}
	n := len(dst) &^ (lanes - 1)
	if n > 0 {
		unaryLanes(f, dst[:n], src, p, q)
	}
	if n < len(dst) {
		var x, y [lanes]float32
		copy(x[:], src[n:])
		copy(y[:], dst[n:])
		unaryLanes(f, y[:], x[:], p, q)
		copy(dst[n:], y[:])
	}
}

func unaryLanes(f Activation, dst, src []float32, p, q float32) {
	if unaryRows(f, dst, src, 1, len(dst), 0, 0, p, q) {
		return
	}
	switch f {
	case fnExp:
		expAsm(dst, src)
	case ActTanh:
		tanhAsm(dst, src)
	case ActSigmoid:
		sigmoidAsm(dst, src)
	case ActSiLU:
		siluAsm(dst, src)
	case fnErf:
		erfAsm(dst, src)
	case ActGELU:
		geluAsm(dst, src)
	case fnScale:
		scaleAsm(dst, src, p)
	case fnShift:
		shiftAsm(dst, src, p, q)
	case ActClip:
		clampAsm(dst, src, p, q)
	case ActLeakyReLU:
		leakyAsm(dst, src, p)
	case ActHardSigmoid:
		hardSigmoidAsm(dst, src, p, q)
	case ActHardSwish:
		hardSwishAsm(dst, src, p, q)
	case fnAxpy:
		axpyAsm(dst, src, p)
	}
}

func binary(op operation, dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	if cpu.Active == cpu.Generic {
		binaryGeneric(op, dst, a, b)
		return
	}
	n := len(dst) &^ (lanes - 1)
	if n > 0 {
		binaryLanes(op, dst[:n], a, b)
	}
	if n < len(dst) {
		var x, y, z [lanes]float32
		copy(x[:], a[n:])
		copy(y[:], b[n:])
		copy(z[:], dst[n:])
		binaryLanes(op, z[:], x[:], y[:])
		copy(dst[n:], z[:])
	}
}

func binaryLanes(op operation, dst, a, b []float32) {
	switch op {
	case opAdd:
		addAsm(dst, a, b)
	case opSub:
		subAsm(dst, a, b)
	case opMul:
		mulAsm(dst, a, b)
	case opMulAdd:
		mulAddAsm(dst, a, b)
	}
}

func dot(a, b []float32) float32 {
	if cpu.Active == cpu.Generic {
		return dotGeneric(a, b)
	}
	var s [lanes]float32
	n := len(a) &^ (lanes - 1)
	if n > 0 {
		dotAsm(&s, a[:n], b)
	}
	for i, x := range a[n:] {
		s[i] += x * b[n+i]
	}
	return total(&s)
}

func dot4(a, b []float32, ldb int) [4]float32 {
	if cpu.Active == cpu.Generic {
		return dot4Generic(a, b, ldb)
	}
	var s [4]float32
	n := len(a) &^ 15
	if n > 0 {
		dot4Asm(&s, a[:n], b, ldb)
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
	if cpu.Active == cpu.Generic {
		return sumGeneric(x)
	}
	var s [lanes]float32
	n := len(x) &^ (lanes - 1)
	if n > 0 {
		sumAsm(&s, x[:n])
	}
	for i, v := range x[n:] {
		s[i] += v
	}
	return total(&s)
}

func sumExp(x []float32, m float32) float32 {
	if cpu.Active == cpu.Generic {
		return sumExpGeneric(x, m)
	}
	var s [lanes]float32
	n := len(x) &^ (lanes - 1)
	if n > 0 {
		sumExpAsm(&s, x[:n], m)
	}
	if n < len(x) {
		var y [lanes]float32
		n := copy(y[:], x[n:])
		for i := range y[:n] {
			y[i] -= m
		}
		unaryLanes(fnExp, y[:], y[:], 0, 0)
		for i, v := range y[:n] {
			s[i] += v
		}
	}
	return total(&s)
}

func largest(x []float32) float32 {
	n := len(x) &^ (lanes - 1)
	if cpu.Active == cpu.Generic || n == 0 {
		return largestGeneric(x)
	}
	var s [lanes]float32
	largestAsm(&s, x[:n])
	return max(largestGeneric(s[:]), largestGeneric(x[n:]))
}
