// Package hugepage allocates large slices so that the system may back them with
// huge pages. Where memory is touched for the first time, each page costs a fault:
// 100 MB in pages of 4 KB are 25,000 of them and take longer to get than to fill.
package hugepage

import "unsafe"

// size is that of the huge pages of amd64, and of arm64 with pages of 4 KB.
const size = 2 << 20

// Floats returns n zeros. Of a large slice the part that fills whole huge pages
// is marked for them; it is ordinary garbage-collected memory all the same.
func Floats(n int) []float32 {
	if 4*n < 2*size {
		return make([]float32, n)
	}
	// Some more, to begin where a huge page does; what is never touched costs nothing.
	all := make([]float32, n+size/4)
	p := uintptr(unsafe.Pointer(unsafe.SliceData(all)))
	skip := int(-p & (size - 1) / 4)
	f := all[skip : skip+n : skip+n]
	advise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(f))), 4*n&^(size-1)))
	return f
}
