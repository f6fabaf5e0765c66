package kernels

import (
	"fmt"
	"math"
)

// A Conv is the geometry of a two-dimensional convolution over pictures in
// NHWC order. Of a grouped convolution C is the channels of one group; Ld and ldy
// count those of all groups.
type Conv struct {
	H, W, C          int // input: rows, columns, channels
	Ld               int // values from an input pixel to the next, at least C; 0 for C
	KH, KW           int // filter
	StrideH, StrideW int // 0 counts as 1
	DilH, DilW       int // 0 counts as 1
	PadTop, PadLeft  int
	OH, OW           int // output: rows, columns; padding below and right follows
}

// Defaults fills in what may be left out, and panics where a size is negative.
func (g Conv) Defaults() Conv {
	for _, n := range []int{g.H, g.W, g.C, g.Ld, g.KH, g.KW, g.StrideH, g.StrideW, g.DilH, g.DilW, g.OH, g.OW} {
		if n < 0 {
			panic(fmt.Sprintf("kernels: geometry %+v", g))
		}
	}
	for _, p := range []*int{&g.StrideH, &g.StrideW, &g.DilH, &g.DilW} {
		*p = max(*p, 1)
	}
	if g.Ld == 0 {
		g.Ld = g.C
	}
	return g
}

// Unit3x3 reports whether the filter has 3×3 taps and neither strides nor
// dilations.
func (g *Conv) Unit3x3() bool {
	return g.KH == 3 && g.KW == 3 && max(g.StrideH, g.StrideW, g.DilH, g.DilW) <= 1
}

// A Window is the place of the filter for one output pixel.
type Window struct {
	Picture int // position of the picture in X
	Y, X    int // input pixel of the first tap
	oy, ox  int // output pixel
}

// Window returns the window of an output pixel, counted over all pictures. Those of
// the Conv must be filled in.
func (g *Conv) Window(pixel int) Window {
	n, p := pixel/(g.OH*g.OW), pixel%(g.OH*g.OW)
	oy, ox := p/g.OW, p%g.OW
	return Window{
		Picture: n * g.H * g.W * g.Ld,
		Y:       oy*g.StrideH - g.PadTop,
		X:       ox*g.StrideW - g.PadLeft,
		oy:      oy, ox: ox,
	}
}

// Next moves w on by one output pixel.
func (g *Conv) Next(w *Window) {
	w.X += g.StrideW
	if w.ox++; w.ox < g.OW {
		return
	}
	w.ox, w.X = 0, -g.PadLeft
	w.Y += g.StrideH
	if w.oy++; w.oy < g.OH {
		return
	}
	w.oy, w.Y = 0, -g.PadTop
	w.Picture += g.H * g.W * g.Ld
}

// Inside returns which of n taps, step apart from position p on, lie in 0…size-1:
// those from lo up to hi.
func Inside(p, n, step, size int) (lo, hi int) {
	if p < 0 {
		lo = min(Ceil(-p, step), n)
	}
	if p+(n-1)*step >= size {
		hi = max(Ceil(size-p, step), lo)
		return lo, min(hi, n)
	}
	return lo, n
}

// Whole returns which of n windows have all k taps inside of 0…size-1: those from
// lo up to hi.
func Whole(pad, k, stride, dil, size, n int) (lo, hi int) {
	lo = min(Ceil(max(pad, 0), stride), n)
	if last := size - 1 - (k-1)*dil + pad; last >= 0 {
		hi = min(last/stride+1, n)
	}
	return lo, max(lo, hi)
}

// Outside marks a position outside of the picture. Added to any address, also times
// four, it stays negative.
const Outside = math.MinInt / 16

// Ceil returns a/b, rounded up.
func Ceil(a, b int) int { return (a + b - 1) / b }
