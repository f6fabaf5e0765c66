//go:build !purego

package kernels

// AVX-512 takes at least 16 channels.

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

func depthwiseLanes(t *strip) {
	if active == avx512 && t.channels >= 2*lanes {
		t.depthwiseWide()
		return
	}
	u := *t
	for i := 0; i < t.pixels; {
		i = u.few(t, i)
		depthwiseAVX2(&u)
	}
}

func maxPoolLanes(t *strip) { maxPoolAVX2(t) }
func sumPoolLanes(t *strip) { sumPoolAVX2(t) }

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
