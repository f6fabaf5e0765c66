package matmul

import "github.com/onetomany/caption/internal/kernels/cpu"

// Transpose sets dst[c·ldd+r] = src[r·lds+c].
func Transpose(dst []float32, ldd int, src []float32, lds int, rows, cols int) {
	k := &levels[cpu.Active]
	r, c := k.squares(rows, cols)
	if r > 0 {
		k.transpose(dst, ldd, src, lds, r, c)
	}
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

// scatter transposes and scales src, rows of lds floats of which cols count, and
// puts the columns of it where off says: dst[off[c]+r] = src[r·lds+c]·scale[r]. It
// packs filters: a row is one filter, off gives the order of its taps.
func scatter(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int) {
	k := &levels[cpu.Active]
	r, c := k.squares(rows, cols)
	if r > 0 {
		k.scatter(dst, off, src, lds, scale, r, c)
	}
	if c < cols && r > 0 {
		scatterGeneric(dst, off[c:], src[c:], lds, scale, r, cols-c)
	}
	if r < rows && cols > 0 {
		scatterGeneric(dst[r:], off, src[r*lds:], lds, scale[r:], rows-r, cols)
	}
}

func scatterGeneric(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int) {
	off = off[:cols]
	for r := range rows {
		d, f := dst[r:], scale[r]
		for c, v := range src[r*lds:][:cols] {
			d[off[c]] = v * f
		}
	}
}

// squares returns up to what row and column there are whole squares for the
// assembly.
func (k *kernel) squares(rows, cols int) (r, c int) {
	if k.square == 0 {
		return 0, 0
	}
	r, c = rows&^(k.square-1), cols&^(k.square-1)
	if r == 0 || c == 0 {
		return 0, 0
	}
	return r, c
}
