package kernels

import "fmt"

// A Conv is the geometry of a two-dimensional convolution over pictures in
// NHWC order. Of a grouped convolution C is the channels of one group; Ld and ldy
// count those of all groups.
type Conv struct {
	H, W, C          int // input: rows, columns, channels
	Ld               int // floats from an input pixel to the next, at least C; 0 for C
	KH, KW           int // filter
	StrideH, StrideW int // 0 counts as 1
	DilH, DilW       int // 0 counts as 1
	PadTop, PadLeft  int
	OH, OW           int // output: rows, columns; padding below and right follows
}

// Conv computes Y = act(X ∗ B + …) for batch pictures. B holds the filters as a
// matrix of KH·KW·C rows, in that order, and a column for each output channel.
// X is [batch, H, W, Ld], Y is [batch, OH, OW, ldy]; rows of ep are pixels of Y.
// The result does not depend on the size of team.
func (b *PackedB) Conv(g *Conv, batch int, x, y []float32, ldy int, ep *Epilogue, team *Team) {
	q := g.defaults()
	if q.KH*q.KW*q.C != b.k {
		panic(fmt.Sprintf("kernels: filters of %d×%d×%d for a matrix of %d rows", q.KH, q.KW, q.C, b.k))
	}
	checkMatrix("X", false, batch*q.H*q.W, q.C, x, q.Ld)
	b.mul(batch*q.OH*q.OW, convRows(q, x), y, ldy, ep, team)
}

// ConvGroups is Conv for groups of channels: filters, all alike, that each read C
// channels of X behind those of the group before, and give as many channels of Y
// as they have columns, in that order. Rows of ep are pixels of Y.
func ConvGroups(groups []*PackedB, g *Conv, batch int, x, y []float32, ldy int, ep *Epilogue, team *Team) {
	if len(groups) == 1 {
		groups[0].Conv(g, batch, x, y, ldy, ep, team)
		return
	}
	q := g.defaults()
	for _, b := range groups {
		if b.k != q.KH*q.KW*q.C || b.n != groups[0].n || b.v != groups[0].v {
			panic(fmt.Sprintf("kernels: filters of %d×%d×%d for a matrix of %d×%d", q.KH, q.KW, q.C, b.k, b.n))
		}
	}
	checkMatrix("X", false, batch*q.H*q.W, len(groups)*q.C, x, q.Ld)
	src := rows[float32]{a: x, windows: true, conv: q, unit: q.C, count: q.KH * q.KW, pad: 1}
	p := productPool.Get().(*product)
	defer p.release()
	p.mul(groups, q.C, batch*q.OH*q.OW, src, y, ldy, ep, team)
}

// defaults fills in what may be left out, and panics where a size is negative.
func (g Conv) defaults() Conv {
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

// fewChannels is the number below which taps are not worth a segment each.
const fewChannels = 16

// convRows gives the windows of g, the result of defaults, as rows of a matrix.
func convRows[T value](g Conv, x []T) rows[T] {
	if g.KH == 1 && g.KW == 1 && g.StrideH == 1 && g.StrideW == 1 && g.PadTop == 0 && g.PadLeft == 0 && g.OH == g.H && g.OW == g.W {
		return matrixRows(false, x, g.Ld, g.C)
	}
	a := rows[T]{a: x, lda: g.Ld * g.StrideW, windows: true, conv: g, unit: g.C, count: g.KH * g.KW, pad: 1}
	if g.C < fewChannels && g.KW*g.C <= maxDepth {
		a.runs, a.unit, a.count = true, g.KW*g.C, g.KH
	}
	return a
}

// window is the place of the filter for one output pixel.
type window struct {
	picture int // position of the picture
	y, x    int // input pixel of the first tap
	oy, ox  int // output pixel
}

func (g *Conv) window(pixel int) window {
	n, p := pixel/(g.OH*g.OW), pixel%(g.OH*g.OW)
	oy, ox := p/g.OW, p%g.OW
	return window{
		picture: n * g.H * g.W * g.Ld,
		y:       oy*g.StrideH - g.PadTop,
		x:       ox*g.StrideW - g.PadLeft,
		oy:      oy, ox: ox,
	}
}

// next moves w on by one output pixel.
func (g *Conv) next(w *window) {
	w.x += g.StrideW
	if w.ox++; w.ox < g.OW {
		return
	}
	w.ox, w.x = 0, -g.PadLeft
	w.y += g.StrideH
	if w.oy++; w.oy < g.OH {
		return
	}
	w.oy, w.y = 0, -g.PadTop
	w.picture += g.H * g.W * g.Ld
}

// find fills off, h for each segment, with the positions of the segments of n
// windows. A segment is one tap, or all taps of a filter's row (runs); it
// reports false where such a row is not in one piece.
func (g *Conv) find(off []int, h, pixel, n int, d depth, runs bool) bool {
	if runs && (g.DilW != 1 || g.Ld != g.C) {
		return false
	}
	w := g.window(pixel)
	for r := range n {
		if r > 0 {
			g.next(&w)
		}
		if runs {
			if w.x < 0 || w.x+g.KW > g.W {
				return false
			}
			for s := range d.segs {
				y := w.y + (d.k0/d.segLen+s)*g.DilH
				off[s*h+r] = outside
				if uint(y) < uint(g.H) {
					off[s*h+r] = w.picture + (y*g.W+w.x)*g.Ld
				}
			}
			continue
		}
		tap, c := d.k0/g.C, d.k0%g.C
		ky, kx := tap/g.KW, tap%g.KW
		for s := range d.segs {
			y, x := w.y+ky*g.DilH, w.x+kx*g.DilW
			off[s*h+r] = outside
			if uint(y) < uint(g.H) && uint(x) < uint(g.W) {
				off[s*h+r] = w.picture + (y*g.W+x)*g.Ld + c
			}
			if kx++; kx == g.KW {
				ky, kx = ky+1, 0
			}
		}
	}
	return true
}

// gather copies the taps of w, whole rows of the filter, to dst.
func gather[T value](g *Conv, dst, x []T, w *window, d depth) {
	lo, hi := inside(w.x, g.KW, g.DilW, g.W)
	for s := range d.segs {
		y := w.y + (d.k0/d.segLen+s)*g.DilH
		row := dst[s*d.segLen:][:d.segLen]
		if uint(y) >= uint(g.H) || lo == hi {
			clear(row)
			continue
		}
		taps := row[lo*g.C : hi*g.C]
		clear(row[:lo*g.C])
		clear(row[hi*g.C:])
		from := x[w.picture+(y*g.W+w.x+lo*g.DilW)*g.Ld:]
		if g.DilW == 1 && g.Ld == g.C {
			copy(taps, from)
			continue
		}
		for k := range hi - lo {
			copy(taps[k*g.C:][:g.C], from[k*g.DilW*g.Ld:])
		}
	}
}
