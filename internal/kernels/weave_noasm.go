//go:build (!amd64 && !arm64) || purego

package kernels

func weaveFast(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int) (r, c int) {
	return 0, 0
}
