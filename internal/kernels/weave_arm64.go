//go:build !purego

package kernels

// weaveNEON works on whole squares of 4×4: rows and cols are multiples of 4,
// and not 0.
//
//go:noescape
func weaveNEON(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int)

// weaveFast weaves the first r rows and c columns.
func weaveFast(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int) (r, c int) {
	r, c = rows&^3, cols&^3
	if active == generic || r == 0 || c == 0 {
		return 0, 0
	}
	weaveNEON(dst, off, src, lds, scale, r, c)
	return r, c
}
