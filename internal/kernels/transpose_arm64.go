//go:build !purego

package kernels

// transposeNEON works on whole squares of 4×4: rows and cols are multiples of
// 4, and not 0.
//
//go:noescape
func transposeNEON(dst []float32, ldd int, src []float32, lds int, rows, cols int)

// transposeFast transposes the first r rows and c columns.
func transposeFast(dst []float32, ldd int, src []float32, lds int, rows, cols int) (r, c int) {
	r, c = rows&^3, cols&^3
	if active == generic || r == 0 || c == 0 {
		return 0, 0
	}
	transposeNEON(dst, ldd, src, lds, r, c)
	return r, c
}
