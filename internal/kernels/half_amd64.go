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
