//go:build (amd64 || arm64) && !purego

package matmul

import _ "github.com/onetomany/caption/internal/kernels/asm" // included by the assembly

// tile6x16 computes tiles of up to 6 rows and whole vectors of columns, cols being
// width.
//
//go:noescape
func tile6x16(t *tile)

// run6x16 is tile6x16 for any number of columns.
func run6x16(t *tile) {
	if t.cols == t.width {
		tile6x16(t)
		return
	}
	var acc [6 * 16]float32
	u := t.products(acc[:], 16)
	tile6x16(&u)
	t.finish(acc[:], 16)
}

//go:noescape
func transposeSquares(dst []float32, ldd int, src []float32, lds int, rows, cols int)

//go:noescape
func scatterSquares(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int)
