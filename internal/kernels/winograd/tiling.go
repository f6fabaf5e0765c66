package winograd

import (
	"fmt"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A tiling is a convolution under way, whose output is cut into tiles.
type tiling[T kernels.Value] struct {
	g            kernels.Conv
	x, y         []T
	ldy          int
	ep           kernels.EpilogueOf[T]
	rows, cols   int // output pixels of a tile
	down, across int // tiles of a picture
	tiles        int // of all pictures
}

// start sets t, but for rows and cols, for filters of c input and n output channels.
// It panics where they do not fit.
func (t *tiling[T]) start(g *kernels.Conv, c, n, batch int, x, y []T, ldy int, ep *kernels.EpilogueOf[T]) {
	t.g = g.Defaults()
	g = &t.g
	if !g.Unit3x3() || g.C != c {
		panic(fmt.Sprintf("winograd: filters of %d channels for %+v", c, *g))
	}
	pixels := batch * g.OH * g.OW
	kernels.CheckMatrix("X", false, batch*g.H*g.W, g.C, x, g.Ld)
	kernels.CheckMatrix("Y", false, pixels, n, y, ldy)
	t.x, t.y, t.ldy, t.ep = x, y, ldy, kernels.EpilogueOf[T]{}
	if ep != nil {
		t.ep = *ep
		ep.Check(pixels, n)
	}
	t.down, t.across = kernels.Ceil(g.OH, t.rows), kernels.Ceil(g.OW, t.cols)
	t.tiles = batch * t.down * t.across
}

// release forgets what t points to.
func (t *tiling[T]) release() { t.x, t.y, t.ep = nil, nil, kernels.EpilogueOf[T]{} }

// A place is that of a tile: its picture, its first output pixel, and how many of its
// rows and columns there are.
type place struct{ picture, oy, ox, rows, cols int }

func (t *tiling[T]) place(tile int) place {
	n, i := tile/(t.down*t.across), tile%(t.down*t.across)
	oy, ox := i/t.across*t.rows, i%t.across*t.cols
	return place{n, oy, ox, min(t.rows, t.g.OH-oy), min(t.cols, t.g.OW-ox)}
}

// pixel counts the first output pixel of p over all pictures.
func (t *tiling[T]) pixel(p place) int { return (p.picture*t.g.OH+p.oy)*t.g.OW + p.ox }

// window finds the positions of the pixels of X that a tile takes.
func (t *tiling[T]) window(off []int, p place) {
	g, width := &t.g, t.cols+2
	for y := p.oy - g.PadTop; len(off) > 0; y++ {
		for i := range width {
			x := p.ox - g.PadLeft + i
			off[i] = kernels.Outside
			if uint(y) < uint(g.H) && uint(x) < uint(g.W) {
				off[i] = ((p.picture*g.H+y)*g.W + x) * g.Ld
			}
		}
		off = off[width:]
	}
}

// limits returns what the results are limited to, infinite for nothing.
func (t *tiling[T]) limits() (lo, hi float32) {
	if lo, hi, ok := t.ep.Clamp(); ok {
		return lo, hi
	}
	return -vmath.Inf, vmath.Inf
}
