package kernels

// transpose sets dst[c·ldd+r] = src[r·lds+c].
func transpose(dst []float32, ldd int, src []float32, lds int, rows, cols int) {
	r, c := transposeFast(dst, ldd, src, lds, rows, cols)
	if c < cols && r > 0 {
		transposeGeneric(dst[c*ldd:], ldd, src[c:], lds, r, cols-c)
	}
	if r < rows && cols > 0 {
		transposeGeneric(dst[r:], ldd, src[r*lds:], lds, rows-r, cols)
	}
}

func transposeGeneric(dst []float32, ldd int, src []float32, lds int, rows, cols int) {
	for r := range rows {
		d := dst[r:]
		for c, v := range src[r*lds:][:cols] {
			d[c*ldd] = v
		}
	}
}
