//go:build !amd64 || purego

package kernels

func halfProducts() bool { return false }

func halfDotsFast(s *[12]float32, a []float32, off1, off2 int, b []byte, ldb, k int) (n int) {
	return 0
}
