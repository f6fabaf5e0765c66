//go:build !purego

package kernels

// The assembly takes at least 8 channels. Where their number is no multiple of
// that, the last 8 overlap those before.

// depthwiseNEON takes 1 or 4 pixels.
//
//go:noescape
func depthwiseNEON(t *strip)

//go:noescape
func maxPoolNEON(t *strip)

//go:noescape
func sumPoolNEON(t *strip)

func (t *strip) depthwise() {
	if active == generic || t.channels < lanes || t.kh <= 0 || t.kw <= 0 {
		depthwiseGeneric(t)
		return
	}
	u := *t
	for i := 0; i < t.pixels; i += u.pixels {
		u.pixels = 1
		if t.pixels >= 4 { // the last ones overlap those before
			u.pixels, i = 4, min(i, t.pixels-4)
		}
		u.x, u.y = t.x[i*t.xPix:], t.y[i*t.yPix:]
		depthwiseNEON(&u)
	}
}

func (t *strip) max() {
	if active == generic || t.channels < lanes {
		maxPoolGeneric(t)
		return
	}
	maxPoolNEON(t)
}

func (t *strip) sum() {
	if active == generic || t.channels < lanes {
		sumPoolGeneric(t)
		return
	}
	sumPoolNEON(t)
}
