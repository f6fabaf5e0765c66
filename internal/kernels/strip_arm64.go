//go:build !purego

package kernels

// depthwiseNEON takes 1 or 4 pixels.
//
//go:noescape
func depthwiseNEON(t *strip)

//go:noescape
func maxPoolNEON(t *strip)

//go:noescape
func sumPoolNEON(t *strip)

func depthwiseLanes(t *strip) {
	u := *t
	for i := 0; i < t.pixels; {
		i = u.few(t, i)
		depthwiseNEON(&u)
	}
}

func maxPoolLanes(t *strip) { maxPoolNEON(t) }
func sumPoolLanes(t *strip) { sumPoolNEON(t) }
