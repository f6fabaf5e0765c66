//go:build (amd64 || arm64) && !purego

package depthwise

import _ "github.com/onetomany/caption/internal/kernels/asm" // included by the assembly

// common holds what AVX2 and NEON have alike.
var common = kernel{least: 8, depthwise: depthwiseFours, maxPool: maxPoolAsm, sumPool: sumPoolAsm}

// depthwiseAsm takes 1 or 4 pixels and windows of any size, 3×3 too: only AVX-512 has
// kernels by size, see depthwise512.
//
//go:noescape
func depthwiseAsm(t *strip)

//go:noescape
func maxPoolAsm(t *strip)

//go:noescape
func sumPoolAsm(t *strip)

// depthwiseFours computes t by fours of pixels, the last of which overlap those
// before, or by single ones where there are fewer than four.
func depthwiseFours(t *strip) {
	u := *t
	u.pixels = 1
	if t.pixels >= 4 {
		u.pixels = 4
	}
	for i := 0; i < t.pixels; i += u.pixels {
		i = min(i, t.pixels-u.pixels)
		u.x, u.y = t.x[i*t.xPix:], t.y[i*t.yPix:]
		depthwiseAsm(&u)
	}
}
