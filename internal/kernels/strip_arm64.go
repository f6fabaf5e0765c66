//go:build !purego

package kernels

// fullStrip is how many pixels a strip has at most; it has as many or one.
const fullStrip = 4

// The assembly takes at least 8 channels. Where their number is no multiple of
// that, the last 8 overlap those before.

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
	depthwiseNEON(t)
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
