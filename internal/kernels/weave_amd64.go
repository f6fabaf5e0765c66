//go:build !purego

package kernels

// weaveAVX2 works on whole squares of 8×8: rows and cols are multiples of 8,
// and not 0.
//
//go:noescape
func weaveAVX2(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int)

// weaveFast weaves the first r rows and c columns.
func weaveFast(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int) (r, c int) {
	r, c = rows&^7, cols&^7
	if active < avx2 || r == 0 || c == 0 {
		return 0, 0
	}
	weaveAVX2(dst, off, src, lds, scale, r, c)
	return r, c
}
