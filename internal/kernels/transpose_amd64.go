//go:build !purego

package kernels

// transposeAVX2 works on whole squares of 8×8: rows and cols are multiples of
// 8, and not 0.
//
//go:noescape
func transposeAVX2(dst []float32, ldd int, src []float32, lds int, rows, cols int)

// transposeFast transposes the first r rows and c columns.
func transposeFast(dst []float32, ldd int, src []float32, lds int, rows, cols int) (r, c int) {
	r, c = rows&^7, cols&^7
	if active < avx2 || r == 0 || c == 0 {
		return 0, 0
	}
	transposeAVX2(dst, ldd, src, lds, r, c)
	return r, c
}
