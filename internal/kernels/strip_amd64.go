//go:build !purego

package kernels

// The assembly takes at least 8 channels, in AVX-512 16. Where their number is no
// multiple of that, the last ones overlap those before.

// depthwiseAVX2 takes 1 or 4 pixels.
//
//go:noescape
func depthwiseAVX2(t *strip)

//go:noescape
func depthwiseAVX512(t *strip)

//go:noescape
func maxPoolAVX2(t *strip)

//go:noescape
func sumPoolAVX2(t *strip)

func (t *strip) depthwise() {
	switch {
	case active < avx2 || t.channels < lanes || t.kh <= 0 || t.kw <= 0:
		depthwiseGeneric(t)
	case active == avx512 && t.channels >= 2*lanes:
		depthwiseAVX512(t)
	default:
		u := *t
		for i := 0; i < t.pixels; i += u.pixels {
			u.pixels = 1
			if t.pixels >= 4 { // the last ones overlap those before
				u.pixels, i = 4, min(i, t.pixels-4)
			}
			u.x, u.y = t.x[i*t.xPix:], t.y[i*t.yPix:]
			depthwiseAVX2(&u)
		}
	}
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
