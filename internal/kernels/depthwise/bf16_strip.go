package depthwise

import (
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A stripBF16 is a strip of BF16 pictures; sums, weights and bias are float32.
// The assembly reads the fields by the names in go_asm.h; of a slice it takes
// the address only. Distances are in values.
type stripBF16 struct {
	x      []vmath.BF16 // first tap of the first window
	xRow   int          // from a row of taps to the next
	xCol   int          // from a tap to the next
	xPix   int          // from a window to the next
	kh, kw int

	w    []float32 // first weight; depthwise only
	wRow int
	wCol int

	y    []vmath.BF16
	f    []float32 // result without rounding, instead of y; nil for none
	yPix int

	pixels   int // 1 or a multiple of 4
	channels int

	bias   []float32 // depthwise only; nil for none
	scale  float32   // for the sum
	clamp  bool      // limit to lo…hi; depthwise only
	lo, hi float32
}

// A kernelBF16 is what a unit has for strips.
type kernelBF16 struct {
	strip  func(*stripBF16, kind)   // computes one that has taps
	spread func(dst, src []float32) // how it wants weights and bias, in blocks of spreadBlock; nil for as they are
}

const spreadBlock = 32

// units holds the kernels by unit; kernels_amd64.go enters its own.
var units = [cpu.Units]kernelBF16{cpu.NoUnit: {strip: stripBF16Generic}}

// stripBF16Generic computes t in plain Go; it may have no taps.
func stripBF16Generic(t *stripBF16, kind kind) {
	for p := range t.pixels {
		for c := range t.channels {
			s := float32(0)
			switch {
			case kind == maxPool:
				s = -vmath.Inf
			case t.bias != nil:
				s = t.bias[c]
			}
			for ky := range t.kh {
				for kx := range t.kw {
					x := t.x[p*t.xPix+ky*t.xRow+kx*t.xCol+c].Float32()
					switch kind {
					case depthwise:
						s += x * t.w[ky*t.wRow+kx*t.wCol+c]
					case maxPool:
						s = max(s, x)
					case averagePool:
						s += x
					}
				}
			}
			if kind == averagePool {
				s *= t.scale
			}
			if t.clamp {
				s = min(max(s, t.lo), t.hi)
			}
			if t.f != nil {
				t.f[p*t.yPix+c] = s
			} else {
				t.y[p*t.yPix+c] = vmath.RoundBF16(s)
			}
		}
	}
}
