// Package kernels holds the numeric inner loops shared by the CNN engine, the
// decoder and its training: matrix product and vector maths on float32.
package kernels

// Gemm computes C = A·B, or C += A·B where accumulate is set. A is m×k and B is
// k×n after the optional transposition; lda, ldb and ldc are row strides of the
// slices as stored (row-major). At most threads goroutines work on it
// (0 counts as 1); the result does not depend on their number.
func Gemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int, threads int) {
	for i := range m {
		for j := range n {
			var s float32
			for l := range k {
				x, y := 0, 0
				if transA {
					x = l*lda + i
				} else {
					x = i*lda + l
				}
				if transB {
					y = j*ldb + l
				} else {
					y = l*ldb + j
				}
				s += a[x] * b[y]
			}
			if accumulate {
				s += c[i*ldc+j]
			}
			c[i*ldc+j] = s
		}
	}
}
