package kernels

// The functions of this file compute in float32 and round once. dst gives the
// length; the others may be longer. dst may be one of the arguments, but must
// not overlap one otherwise.

// AddBF16 sets dst = a + b.
func AddBF16(dst, a, b []BF16) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i, x := range a {
		dst[i] = RoundBF16(x.Float32() + b[i].Float32())
	}
}

// MulBF16 sets dst = a·b, value by value: pixels times the scales of channels,
// for one.
func MulBF16(dst, a, b []BF16) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i, x := range a {
		dst[i] = RoundBF16(x.Float32() * b[i].Float32())
	}
}

// ScaleBF16 sets dst = x·scale + shift, value by value; without shift where
// that is nil.
func ScaleBF16(dst, x []BF16, scale, shift []float32) {
	x, scale = x[:len(dst)], scale[:len(dst)]
	for i, v := range x {
		y := v.Float32() * scale[i]
		if shift != nil {
			y += shift[i]
		}
		dst[i] = RoundBF16(y)
	}
}

// ApplyBF16 sets dst = f(src), as Apply does.
func (f Activation) ApplyBF16(dst, src []BF16, alpha, beta float32) {
	var x [256]float32
	src = src[:len(dst)]
	for len(dst) > 0 {
		n := min(len(dst), len(x))
		fromBF16(x[:n], src)
		f.Apply(x[:n], x[:n], alpha, beta)
		toBF16(dst[:n], x[:n])
		dst, src = dst[n:], src[n:]
	}
}

// addFloat32 sets dst += x.
func addFloat32(dst []float32, x []BF16) {
	for i, v := range x[:len(dst)] {
		dst[i] += v.Float32()
	}
}
