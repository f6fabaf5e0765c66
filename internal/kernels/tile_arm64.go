//go:build !purego

package kernels

//go:noescape
func tileNEON(t *tile)

// run computes t with the given version.
func (t *tile) run(v isa) {
	switch {
	case v != neon:
		tileGeneric(t)
	case t.cols == t.width:
		tileNEON(t)
	default:
		// The assembly stores whole vectors only.
		var acc [6 * 16]float32
		u := t.products(acc[:], 16)
		tileNEON(&u)
		t.finish(acc[:], 16)
	}
}
