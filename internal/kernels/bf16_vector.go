package kernels

// The functions of this file compute in float32 and round once. dst gives the
// length; the others may be longer. dst may be one of the arguments, but must
// not overlap one otherwise.

// AddBF16 sets dst = a + b.
func AddBF16(dst, a, b []BF16) { addBF16(dst, a[:len(dst)], b[:len(dst)]) }

// MulBF16 sets dst = a·b, value by value: pixels times the scales of channels,
// for one.
func MulBF16(dst, a, b []BF16) { mulBF16(dst, a[:len(dst)], b[:len(dst)]) }

// ApplyBF16 sets dst = f(src), as Apply does.
func (f Activation) ApplyBF16(dst, src []BF16, alpha, beta float32) {
	var x [512]float32 // stays in the first-level cache
	src = src[:len(dst)]
	for len(dst) > 0 {
		n := min(len(dst), len(x))
		fromBF16(x[:n], src[:n])
		f.Apply(x[:n], x[:n], alpha, beta)
		toBF16(dst[:n], x[:n])
		dst, src = dst[n:], src[n:]
	}
}

// addFloat32 sets dst += x.
func addFloat32(dst []float32, x []BF16) { addWide(dst, x[:len(dst)]) }

func toBF16Generic(dst []BF16, src []float32) {
	for i := range dst {
		dst[i] = RoundBF16(src[i])
	}
}

func fromBF16Generic(dst []float32, src []BF16) {
	for i := range dst {
		dst[i] = src[i].Float32()
	}
}

func addBF16Generic(dst, a, b []BF16) {
	for i := range dst {
		dst[i] = RoundBF16(a[i].Float32() + b[i].Float32())
	}
}

func mulBF16Generic(dst, a, b []BF16) {
	for i := range dst {
		dst[i] = RoundBF16(a[i].Float32() * b[i].Float32())
	}
}

func addWideGeneric(dst []float32, x []BF16) {
	for i := range dst {
		dst[i] += x[i].Float32()
	}
}
