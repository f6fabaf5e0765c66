//go:build (!amd64 && !arm64) || purego

package kernels

func transposeFast(dst []float32, ldd int, src []float32, lds int, rows, cols int) (r, c int) {
	return 0, 0
}
