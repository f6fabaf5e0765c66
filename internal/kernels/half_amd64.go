//go:build !purego

package kernels

// fromHalfAVX2 widens len(dst) numbers, a multiple of 32 and not 0.
//
//go:noescape
func fromHalfAVX2(dst []float32, src []byte)

// hasF16C reports whether the processor converts binary16; no processor with
// AVX2 is known that does not.
func hasF16C() bool

var f16c = hasF16C()

// fromHalfFast widens the first n numbers.
func fromHalfFast(dst []float32, src []byte) (n int) {
	n = len(dst) &^ 31
	if active < avx2 || !f16c || n == 0 {
		return 0
	}
	fromHalfAVX2(dst[:n], src)
	return n
}

// halfDotsAVX2 sets s[4i+j] to the product of row i of a, which begin at 0, off1
// and off2, with row j of b, ldb bytes apart, each of k numbers, a multiple of 8
// and not 0.
//
//go:noescape
func halfDotsAVX2(s *[12]float32, a []float32, off1, off2 int, b []byte, ldb, k int)

// halfProducts tells whether halfDots is fast.
func halfProducts() bool { return active >= avx2 && f16c }

// halfDotsFast adds up the products of the first n numbers.
func halfDotsFast(s *[12]float32, a []float32, off1, off2 int, b []byte, ldb, k int) (n int) {
	n = k &^ 7
	if !halfProducts() || n == 0 {
		return 0
	}
	halfDotsAVX2(s, a, off1, off2, b, ldb, n)
	return n
}
