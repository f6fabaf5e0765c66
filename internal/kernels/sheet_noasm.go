//go:build !amd64 || purego

package kernels

func (f function) inRows(dst, src []float32, rows, cols, ldd, lds int, p, q float32) bool {
	return false
}

func affine(dst, src, scale, shift []float32, lo, hi float32) {
	affineRows(dst, src, scale, shift, lo, hi)
}
