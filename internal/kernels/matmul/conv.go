package matmul

import (
	"fmt"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Conv computes Y = act(X ∗ B + …) for batch pictures. B holds the filters as a
// matrix of KH·KW·C rows, in that order, and a column for each output channel.
// X is [batch, H, W, Ld], Y is [batch, OH, OW, ldy]; rows of ep are pixels of Y.
// The result does not depend on the size of team.
func (b *PackedB) Conv(g *kernels.Conv, batch int, x, y []float32, ldy int, ep *kernels.Epilogue, team *workers.Team) {
	m, src := windows(g, b.k, batch, x)
	b.mul(m, src, y, ldy, ep, team)
}

// ConvGroups is Conv for groups of channels: filters, all alike, that each read C
// channels of X behind those of the group before, and give as many channels of Y
// as they have columns, in that order. Rows of ep are pixels of Y.
func ConvGroups(groups []*PackedB, g *kernels.Conv, batch int, x, y []float32, ldy int, ep *kernels.Epilogue, team *workers.Team) {
	if len(groups) == 1 {
		groups[0].Conv(g, batch, x, y, ldy, ep, team)
		return
	}
	q := g.Defaults()
	for _, b := range groups {
		if b.k != q.KH*q.KW*q.C || b.n != groups[0].n || b.kernel != groups[0].kernel {
			panic(fmt.Sprintf("matmul: filters of %d×%d×%d for a matrix of %d×%d", q.KH, q.KW, q.C, b.k, b.n))
		}
	}
	kernels.CheckMatrix("X", false, batch*q.H*q.W, len(groups)*q.C, x, q.Ld)
	src := rows[float32]{a: x, windows: true, conv: q, unit: q.C, count: q.KH * q.KW, pad: 1}
	p := productPool.Get().(*product)
	defer p.release()
	p.mul(groups, q.C, batch*q.OH*q.OW, src, y, ldy, ep, team)
}

// windows returns the windows of batch pictures as rows of a matrix, m of them, for
// filters of k taps and channels.
func windows[T kernels.Value](g *kernels.Conv, k, batch int, x []T) (m int, src rows[T]) {
	q := g.Defaults()
	if q.KH*q.KW*q.C != k {
		panic(fmt.Sprintf("matmul: filters of %d×%d×%d for a matrix of %d rows", q.KH, q.KW, q.C, k))
	}
	kernels.CheckMatrix("X", false, batch*q.H*q.W, q.C, x, q.Ld)
	return batch * q.OH * q.OW, convRows(q, x)
}

// fewChannels is the number below which taps are not worth a segment each.
const fewChannels = 16

// convRows gives the windows of g, the result of defaults, as rows of a matrix.
func convRows[T kernels.Value](g kernels.Conv, x []T) rows[T] {
	if g.KH == 1 && g.KW == 1 && g.StrideH == 1 && g.StrideW == 1 && g.PadTop == 0 && g.PadLeft == 0 && g.OH == g.H && g.OW == g.W {
		return matrixRows(false, x, g.Ld, g.C)
	}
	a := rows[T]{a: x, lda: g.Ld * g.StrideW, windows: true, conv: g, unit: g.C, count: g.KH * g.KW, pad: 1}
	if g.C < fewChannels && g.KW*g.C <= maxDepth {
		a.runs, a.unit, a.count = true, g.KW*g.C, g.KH
	}
	return a
}

// findWindows fills off, h for each segment, with the positions of the segments of n
// windows. A segment is one tap, or all taps of a filter's row (runs); it
// reports false where such a row is not in one piece.
func findWindows(g *kernels.Conv, off []int, h, pixel, n int, d depth, runs bool) bool {
	if runs && (g.DilW != 1 || g.Ld != g.C) {
		return false
	}
	w := g.Window(pixel)
	for r := range n {
		if r > 0 {
			g.Next(&w)
		}
		if runs {
			if w.X < 0 || w.X+g.KW > g.W {
				return false
			}
			for s := range d.segs {
				y := w.Y + (d.k0/d.segLen+s)*g.DilH
				off[s*h+r] = kernels.Outside
				if uint(y) < uint(g.H) {
					off[s*h+r] = w.Picture + (y*g.W+w.X)*g.Ld
				}
			}
			continue
		}
		tap, c := d.k0/g.C, d.k0%g.C
		ky, kx := tap/g.KW, tap%g.KW
		for s := range d.segs {
			y, x := w.Y+ky*g.DilH, w.X+kx*g.DilW
			off[s*h+r] = kernels.Outside
			if uint(y) < uint(g.H) && uint(x) < uint(g.W) {
				off[s*h+r] = w.Picture + (y*g.W+x)*g.Ld + c
			}
			if kx++; kx == g.KW {
				ky, kx = ky+1, 0
			}
		}
	}
	return true
}

// gather copies the taps of w, whole rows of the filter, to dst.
func gather[T kernels.Value](g *kernels.Conv, dst, x []T, w *kernels.Window, d depth) {
	lo, hi := kernels.Inside(w.X, g.KW, g.DilW, g.W)
	for s := range d.segs {
		y := w.Y + (d.k0/d.segLen+s)*g.DilH
		row := dst[s*d.segLen:][:d.segLen]
		if uint(y) >= uint(g.H) || lo == hi {
			clear(row)
			continue
		}
		taps := row[lo*g.C : hi*g.C]
		clear(row[:lo*g.C])
		clear(row[hi*g.C:])
		from := x[w.Picture+(y*g.W+w.X+lo*g.DilW)*g.Ld:]
		if g.DilW == 1 && g.Ld == g.C {
			copy(taps, from)
			continue
		}
		for k := range hi - lo {
			copy(taps[k*g.C:][:g.C], from[k*g.DilW*g.Ld:])
		}
	}
}
