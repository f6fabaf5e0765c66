package matmul

import (
	"fmt"
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// A planar is a convolution under way of a picture whose channels lie one after
// the other: the first of a network. Tiles read the picture as it is, a row of
// taps being a segment; only windows at its left and right border are copied
// together, those of a column of pixels for a tile.
type planar struct {
	g    kernels.Conv
	b    *PackedB
	x, y []float32
	ldy  int
	ep   kernels.Epilogue

	rows    int // output rows of all pictures
	perTask int

	bandTask func(int)
}

var planarPool = sync.Pool{New: func() any {
	p := new(planar)
	p.bandTask = func(i int) { p.band(i*p.perTask, min((i+1)*p.perTask, p.rows)) }
	return p
}}

// Planar reports whether ConvPlanar can compute g: there must be few channels.
func Planar(g *kernels.Conv) bool {
	k := g.KH * g.KW * g.C
	return 0 < k && k <= maxDepth && g.DilW <= 1
}

// ConvPlanar is Conv for X of [batch, C, H, W], with the rows of B in the order
// of C, KH, KW, and without residual.
func (b *PackedB) ConvPlanar(g *kernels.Conv, batch int, x, y []float32, ldy int, ep *kernels.Epilogue, team *workers.Team) {
	q := g.Defaults()
	if q.C*q.KH*q.KW != b.k || !Planar(&q) || ep != nil && ep.Residual != nil {
		panic(fmt.Sprintf("matmul: planar convolution by filters of %d×%d×%d, a matrix of %d rows", q.C, q.KH, q.KW, b.k))
	}
	kernels.CheckMatrix("X", false, batch*q.C*q.H, q.W, x, q.W)
	kernels.CheckMatrix("Y", false, batch*q.OH*q.OW, b.n, y, ldy)
	if batch*q.OH*q.OW == 0 || b.n == 0 {
		return
	}
	p := planarPool.Get().(*planar)
	p.g, p.b, p.x, p.y, p.ldy = q, b, x, y, ldy
	if ep != nil {
		p.ep = *ep
		ep.Check(batch*q.OH*q.OW, b.n)
	}
	p.rows = batch * q.OH
	threads := team.For(p.rows * q.OW * b.n * b.k)
	p.perTask = min(b.rows, kernels.Ceil(p.rows, workers.TasksPerThread*threads))
	team.Run(threads, kernels.Ceil(p.rows, p.perTask), p.bandTask)
	p.b, p.x, p.y, p.ep = nil, nil, nil, kernels.Epilogue{}
	planarPool.Put(p)
}

// band computes the output rows r0…r1-1, no more than a tile has.
func (p *planar) band(r0, r1 int) {
	g, h := &p.g, p.b.rows
	s := scratchPool.Get().(*scratch[float32])
	defer scratchPool.Put(s)
	segs := g.C * g.KH
	if n := segs * h; cap(s.off) < n {
		s.off = make([]int, n)
	}
	off := s.off[:segs*h]
	lo, hi, clamp := p.ep.Clamp()
	t := &s.tile
	*t = tile{zero: zeros[:], clamp: clamp, lo: lo, hi: hi}
	defer s.forget()

	left, right := kernels.Whole(g.PadLeft, g.KW, g.StrideW, 1, g.W, g.OW)
	t.off, t.segs, t.segLen = off, segs, g.KW
	for r := r0; r < r1; r++ {
		picture, y := p.place(r)
		for i := range segs {
			at := kernels.Outside
			if line := y + i%g.KH*g.DilH; uint(line) < uint(g.H) {
				at = (i/g.KH*g.H + line) * g.W
			}
			for j := range h {
				off[i*h+j] = at + j*g.StrideW
			}
		}
		t.ldc = p.ldy
		for x := left; x < right; x += t.rows {
			t.rows, t.step = min(right-x, h), 0
			if p.b.anyRows {
				t.rows, t.step = min(right-x, nearTiles*h), h*g.StrideW
			}
			t.a = picture[x*g.StrideW-g.PadLeft:]
			p.panels(t, r*g.OW+x)
		}
	}

	s.line = p.b.k
	t.a, t.segs, t.segLen = s.lines(h), 1, p.b.k
	t.rows, t.step, t.ldc = r1-r0, 0, g.OW*p.ldy
	for j := range h {
		off[j] = j * s.line
	}
	for x := range g.OW {
		if x >= left && x < right {
			continue
		}
		for r := r0; r < r1; r++ {
			p.gather(t.a[off[r-r0]:][:p.b.k], r, x)
		}
		p.panels(t, r0*g.OW+x)
	}

	if p.ep.Late() && !p.b.anyRows {
		p.ep.Activate(p.y[r0*g.OW*p.ldy:], (r1-r0)*g.OW, p.b.n, p.ldy)
	}
}

// place returns the picture of output row r, counted over all of them, and the
// row of it where the windows start.
func (p *planar) place(r int) (picture []float32, y int) {
	g := &p.g
	return p.x[r/g.OH*g.C*g.H*g.W:], r%g.OH*g.StrideH - g.PadTop
}

// panels computes t, whose first row is that pixel, for all columns of B.
func (p *planar) panels(t *tile, pixel int) {
	for i := range p.b.Panels() {
		j, cols, width := p.b.Panel(i)
		t.cols, t.width = cols, width
		t.b, t.ldb = p.b.at(i, 0)
		t.c = p.y[pixel*p.ldy+j:]
		if p.ep.Bias != nil {
			t.bias = p.ep.Bias[j:]
		}
		p.b.kernel.run(t)
		if p.b.anyRows && p.ep.Late() { // while the tile is in the first-level cache
			p.ep.Activate(t.c, t.rows, cols, t.ldc)
		}
	}
}

// gather copies the taps of the window of column x of output row r to dst.
func (p *planar) gather(dst []float32, r, x int) {
	g := &p.g
	picture, y := p.place(r)
	x = x*g.StrideW - g.PadLeft
	lo, hi := kernels.Inside(x, g.KW, 1, g.W)
	clear(dst)
	for i := range g.C * g.KH {
		if line := y + i%g.KH*g.DilH; uint(line) < uint(g.H) && lo < hi {
			copy(dst[i*g.KW+lo:][:hi-lo], picture[(i/g.KH*g.H+line)*g.W+x+lo:])
		}
	}
}
