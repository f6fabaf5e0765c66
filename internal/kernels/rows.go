package kernels

import "sync"

// rows is where the rows of A come from: a matrix, or the windows of a
// convolution. The k columns are count units of equal length; a unit, or a part
// of a unit, is a segment of a tile.
type rows struct {
	a     []float32
	lda   int
	trans bool

	windows bool // of conv, rather than a matrix
	conv    Conv
	runs    bool // a unit is a row of taps, not one tap

	unit, count int
	copied      bool // rows are copied together first
}

func matrixRows(trans bool, a []float32, lda, k int) rows {
	return rows{a: a, lda: lda, trans: trans, copied: trans && k > 0, unit: k, count: 1}
}

// conflicting reports whether the rows of a tile fall on the same few sets of
// the first-level cache, so that they would push each other out.
func (a *rows) conflicting(v isa) bool {
	return v.rows() > 8 && a.lda%512 == 0
}

// A depth is a range of the k columns, worked on in one go: some whole units or
// a part of one.
type depth struct {
	k0           int
	segs, segLen int
}

func (a *rows) first() depth { return a.depth(0) }

func (a *rows) next(d depth) (depth, bool) {
	if a.last(d) {
		return d, false
	}
	return a.depth(d.k0 + d.segs*d.segLen), true
}

func (a *rows) last(d depth) bool { return d.k0+d.segs*d.segLen == a.unit*a.count }

func (a *rows) depth(k0 int) depth {
	if a.unit > maxDepth {
		part := ceil(a.unit, ceil(a.unit, maxDepth))
		return depth{k0, 1, min(part, a.unit-k0%a.unit)}
	}
	if a.unit == 0 {
		return depth{segs: 1}
	}
	return depth{k0, min(maxDepth/a.unit, a.count-k0/a.unit), a.unit}
}

// A scratch is the room that one block needs.
type scratch struct {
	off    []int     // positions, for each tile segs × isa.rows()
	copied []bool    // for each tile, whether its rows are in buf
	buf    []float32 // rows copied together, lineLen apart
}

// lineLen keeps copied rows from falling on the same cache sets.
const lineLen = maxDepth + 16

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

// zeros is what segments outside of a picture read.
var zeros [maxDepth]float32

// load finds the rows i0…i1-1 of A in the columns of d, for tiles of v.
func (a *rows) load(s *scratch, v isa, i0, i1 int, d depth) {
	h := v.rows()
	tiles := ceil(i1-i0, h)
	if n := tiles * d.segs * h; cap(s.off) < n {
		s.off = make([]int, n)
	}
	if cap(s.copied) < tiles {
		s.copied = make([]bool, tiles)
	}
	s.copied = s.copied[:tiles]
	if a.trans && a.copied {
		transpose(s.lines(), lineLen, a.a[d.k0*a.lda+i0:], a.lda, d.segLen, i1-i0)
	}
	for i := range tiles {
		r0 := i0 + i*h
		n := min(h, i1-r0)
		off := s.off[i*d.segs*h : (i+1)*d.segs*h]
		s.copied[i] = !a.find(off, h, r0, n, d) || a.copied
		if !s.copied[i] {
			continue
		}
		if !a.trans {
			a.copy(s.lines()[i*h*lineLen:], off, h, r0, n, d)
		}
		for r := range n {
			off[r] = (i*h + r) * lineLen
		}
	}
}

// lines returns the room for copied rows.
func (s *scratch) lines() []float32 {
	if s.buf == nil {
		s.buf = make([]float32, blockRows*lineLen)
	}
	return s.buf
}

// set points t at the rows of tile i.
func (s *scratch) set(t *tile, a *rows, v isa, i int, d depth) {
	t.off = s.off[i*d.segs*v.rows():]
	if s.copied[i] {
		t.a, t.segs, t.segLen = s.buf, 1, d.segs*d.segLen
	} else {
		t.a, t.segs, t.segLen = a.a, d.segs, d.segLen
	}
}

// find fills off, h for each segment, with the positions of the n rows from r0
// on. It reports false where a segment is not contiguous.
func (a *rows) find(off []int, h, r0, n int, d depth) bool {
	if d.segLen == 0 {
		for r := range n {
			off[r] = outside
		}
		return true
	}
	if a.windows {
		return a.conv.find(off, h, r0, n, d, a.runs)
	}
	if a.trans {
		return false
	}
	for r := range n {
		off[r] = (r0+r)*a.lda + d.k0
	}
	return true
}

// copy gathers n rows from r0 on into dst, lineLen apart. What find has left in
// off is used where it could.
func (a *rows) copy(dst []float32, off []int, h, r0, n int, d depth) {
	for r := range n {
		line := dst[r*lineLen:][:d.segs*d.segLen]
		if a.runs {
			a.conv.gather(line, a.a, r0+r, d)
			continue
		}
		for s := range d.segs {
			x := line[s*d.segLen:][:d.segLen]
			if o := off[s*h+r]; o < 0 {
				clear(x)
			} else {
				copy(x, a.a[o:])
			}
		}
	}
}
