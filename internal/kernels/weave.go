package kernels

// weave transposes and scales src, rows of lds floats of which cols count, and
// puts the columns of it where off says: dst[off[c]+r] = src[r·lds+c]·scale[r].
// It packs filters: a row is one filter, off gives the order of its taps.
func weave(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int) {
	r, c := weaveFast(dst, off, src, lds, scale, rows, cols)
	if c < cols && r > 0 {
		weaveGeneric(dst, off[c:], src[c:], lds, scale, r, cols-c)
	}
	if r < rows && cols > 0 {
		weaveGeneric(dst[r:], off, src[r*lds:], lds, scale[r:], rows-r, cols)
	}
}

func weaveGeneric(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int) {
	off = off[:cols]
	for r := range rows {
		d, f := dst[r:], scale[r]
		for c, v := range src[r*lds:][:cols] {
			d[off[c]] = v * f
		}
	}
}
