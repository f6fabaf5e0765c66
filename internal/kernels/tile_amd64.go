//go:build !purego

package kernels

//go:noescape
func tileAVX2(t *tile)

//go:noescape
func tileAVX512(t *tile)

// run computes t with the given version.
func (t *tile) run(v isa) {
	switch {
	case v == avx512:
		tileAVX512(t)
	case v == avx2 && t.cols == t.width:
		tileAVX2(t)
	case v == avx2:
		// AVX2 stores whole vectors only.
		var acc [6 * 16]float32
		u := t.products(acc[:], 16)
		tileAVX2(&u)
		t.finish(acc[:], 16)
	default:
		tileGeneric(t)
	}
}
