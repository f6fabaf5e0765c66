//go:build !purego

package kernels

// fullStrip is how many pixels a strip has at most; it has as many or one.
const fullStrip = 4

// The assembly takes at least 8 channels. Where their number is no multiple of
// that, the last 8 overlap those before.

//go:noescape
func depthwiseAVX2(t *strip)

//go:noescape
func maxPoolAVX2(t *strip)

//go:noescape
func sumPoolAVX2(t *strip)

func (t *strip) depthwise() {
	if active < avx2 || t.channels < lanes || t.kh <= 0 || t.kw <= 0 {
		depthwiseGeneric(t)
		return
	}
	depthwiseAVX2(t)
}

func (t *strip) max() {
	if active < avx2 || t.channels < lanes {
		maxPoolGeneric(t)
		return
	}
	maxPoolAVX2(t)
}

func (t *strip) sum() {
	if active < avx2 || t.channels < lanes {
		sumPoolGeneric(t)
		return
	}
	sumPoolAVX2(t)
}
