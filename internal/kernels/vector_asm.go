//go:build (amd64 || arm64) && !purego

package kernels

// The assembly works on blocks of 8 values: len(dst), or that of the first
// argument, is a multiple of that and not 0. What is left over goes through a
// block of its own, so that every value sees the same arithmetic.
const lanes = 8

func unary(f function, dst, src []float32, p, q float32) {
	src = src[:len(dst)]
	if active == generic {
		unaryGeneric(f, dst, src, p, q)
		return
	}
	n := len(dst) &^ (lanes - 1)
	if n > 0 {
		unaryLanes(f, dst[:n], src, p, q)
	}
	if n < len(dst) {
		var x [lanes]float32
		copy(x[:], src[n:])
		unaryLanes(f, x[:], x[:], p, q)
		copy(dst[n:], x[:])
	}
}

func binary(f function, dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	if active == generic {
		binaryGeneric(f, dst, a, b)
		return
	}
	n := len(dst) &^ (lanes - 1)
	if n > 0 {
		binaryLanes(f, dst[:n], a, b)
	}
	if n < len(dst) {
		var x, y, z [lanes]float32
		copy(x[:], a[n:])
		copy(y[:], b[n:])
		copy(z[:], dst[n:])
		binaryLanes(f, z[:], x[:], y[:])
		copy(dst[n:], z[:])
	}
}

func axpy(dst []float32, alpha float32, x []float32) {
	if active == generic {
		axpyGeneric(dst, alpha, x)
		return
	}
	n := len(dst) &^ (lanes - 1)
	if n > 0 {
		axpyLanes(dst[:n], alpha, x)
	}
	if n < len(dst) {
		var y, z [lanes]float32
		copy(y[:], x[n:])
		copy(z[:], dst[n:])
		axpyLanes(z[:], alpha, y[:])
		copy(dst[n:], z[:])
	}
}

func dot(a, b []float32) float32 {
	if active == generic {
		return dotGeneric(a, b)
	}
	var s [lanes]float32
	n := len(a) &^ (lanes - 1)
	if n > 0 {
		dotLanes(&s, a[:n], b)
	}
	for i, x := range a[n:] {
		s[i] += x * b[n+i]
	}
	return sum8(&s)
}

func dot4(a, b []float32, ldb int) [4]float32 {
	if active == generic {
		return dot4Generic(a, b, ldb)
	}
	var s [4]float32
	n := len(a) &^ 15
	if n > 0 {
		dot4Lanes(&s, a[:n], b, ldb)
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
	if active == generic {
		return sumGeneric(x)
	}
	var s [lanes]float32
	n := len(x) &^ (lanes - 1)
	if n > 0 {
		sumLanes(&s, x[:n])
	}
	for i, v := range x[n:] {
		s[i] += v
	}
	return sum8(&s)
}

func sumExp(x []float32, m float32) float32 {
	if active == generic {
		return sumExpGeneric(x, m)
	}
	var s [lanes]float32
	n := len(x) &^ (lanes - 1)
	if n > 0 {
		sumExpLanes(&s, x[:n], m)
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
	return sum8(&s)
}

func largest(x []float32) float32 {
	n := len(x) &^ (lanes - 1)
	if active == generic || n == 0 {
		return largestGeneric(x)
	}
	var s [lanes]float32
	largestLanes(&s, x[:n])
	return max(largestGeneric(s[:]), largestGeneric(x[n:]))
}
