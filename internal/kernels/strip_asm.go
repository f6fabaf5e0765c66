//go:build (amd64 || arm64) && !purego

package kernels

// The assembly takes at least 8 channels. Where their number is no multiple of
// the vectors, the last ones overlap those before.

func (t *strip) depthwise() {
	if active == generic || t.channels < lanes || t.kh <= 0 || t.kw <= 0 {
		depthwiseGeneric(t)
		return
	}
	depthwiseLanes(t)
}

func (t *strip) max() {
	if active == generic || t.channels < lanes {
		maxPoolGeneric(t)
		return
	}
	maxPoolLanes(t)
}

func (t *strip) sum() {
	if active == generic || t.channels < lanes {
		sumPoolGeneric(t)
		return
	}
	sumPoolLanes(t)
}

// few makes u the job of four pixels of t from pixel i on, the last of which
// overlap those before, or of one where t has fewer than four. It returns the
// pixel after them.
func (u *strip) few(t *strip, i int) int {
	u.pixels = 1
	if t.pixels >= 4 {
		u.pixels, i = 4, min(i, t.pixels-4)
	}
	u.x, u.y = t.x[i*t.xPix:], t.y[i*t.yPix:]
	return i + u.pixels
}
