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

// Those for rows of 3, 5 or 7 taps take at least 4 pixels, as far apart as the
// taps or twice as far.

//go:noescape
func depthwise3AVX512(t *strip)

//go:noescape
func depthwise5AVX512(t *strip)

//go:noescape
func depthwise7AVX512(t *strip)

//go:noescape
func depthwise3Stride2AVX512(t *strip)

//go:noescape
func depthwise5Stride2AVX512(t *strip)

//go:noescape
func maxPoolAVX2(t *strip)

//go:noescape
func sumPoolAVX2(t *strip)

func (t *strip) depthwise() {
	switch {
	case active < avx2 || t.channels < lanes || t.kh <= 0 || t.kw <= 0:
		depthwiseGeneric(t)
	case active == avx512 && t.channels >= 2*lanes:
		t.depthwiseWide()
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

// depthwiseWide picks the version for AVX-512.
func (t *strip) depthwiseWide() {
	one, two := t.pixels >= 4 && t.xPix == t.xCol, t.pixels >= 4 && t.xPix == 2*t.xCol
	switch {
	case one && t.kw == 3:
		depthwise3AVX512(t)
	case one && t.kw == 5:
		depthwise5AVX512(t)
	case one && t.kw == 7:
		depthwise7AVX512(t)
	case two && t.kw == 3:
		depthwise3Stride2AVX512(t)
	case two && t.kw == 5:
		depthwise5Stride2AVX512(t)
	default:
		depthwiseAVX512(t)
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
