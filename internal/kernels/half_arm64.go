//go:build !purego

package kernels

// fromHalfNEON widens len(dst) numbers, a multiple of 16 and not 0.
//
//go:noescape
func fromHalfNEON(dst []float32, src []byte)

// fromHalfFast widens the first n numbers.
func fromHalfFast(dst []float32, src []byte) (n int) {
	n = len(dst) &^ 15
	if active == generic || n == 0 {
		return 0
	}
	fromHalfNEON(dst[:n], src)
	return n
}
