package matmul

import (
	"sync"
	"unsafe"

	"github.com/onetomany/caption/internal/kernels"
)

// rows is where the rows of A come from: a matrix, or the windows of a
// convolution. The k columns are count units of equal length; a unit, or a part
// of a unit, is a segment of a tile.
type rows[T kernels.Value] struct {
	a     []T
	lda   int
	trans bool

	windows bool // of conv, rather than a matrix
	conv    kernels.Conv
	runs    bool // a unit is a row of taps, not one tap

	unit, count int
	copied      bool // rows are copied together first
	pad         int  // copied rows end with zeros, up to a multiple of it
}

func matrixRows[T kernels.Value](trans bool, a []T, lda, k int) rows[T] {
	return rows[T]{a: a, lda: lda, trans: trans, copied: trans && k > 0, unit: k, count: 1, pad: 1}
}

// conflicting reports whether the h rows of a tile map to the same few sets of the
// first-level cache and would evict each other.
func (a *rows[T]) conflicting(h int) bool {
	var x T
	return h > 8 && a.lda*int(unsafe.Sizeof(x))%2048 == 0
}

// A depth is a range of the k columns that are worked on together: some whole units
// or a part of one.
type depth struct {
	k0           int
	segs, segLen int
}

func (a *rows[T]) first() depth { return a.depth(0) }

func (a *rows[T]) next(d depth) (depth, bool) {
	if a.last(d) {
		return d, false
	}
	return a.depth(d.k0 + d.segs*d.segLen), true
}

func (a *rows[T]) last(d depth) bool { return d.k0+d.segs*d.segLen == a.unit*a.count }

func (a *rows[T]) depth(k0 int) depth {
	if a.unit > maxDepth {
		part := kernels.Ceil(a.unit, kernels.Ceil(a.unit, maxDepth))
		return depth{k0, 1, min(part, a.unit-k0%a.unit)}
	}
	if a.unit == 0 {
		return depth{segs: 1}
	}
	return depth{k0, min(maxDepth/a.unit, a.count-k0/a.unit), a.unit}
}

// A scratch is the working memory of one block.
type scratch[T kernels.Value] struct {
	off    []int  // positions, for each tile segs × rows
	copied []bool // for each tile, whether its rows are in buf
	buf    []T    // rows copied together, line apart
	line   int
	tile   tile // float32 only: it is passed to kernels by their address
}

// lineGap keeps copied rows from falling on the same cache sets.
const lineGap = 16

var scratchPool = sync.Pool{New: func() any { return new(scratch[float32]) }}

// zeros is what segments outside of a picture read.
var zeros [maxDepth]float32

// load finds the rows i0…i1-1 of A in the columns of d, for tiles of h rows. For a
// transposed matrix the caller fills s.lines.
func (a *rows[T]) load(s *scratch[T], h, i0, i1 int, d depth) {
	tiles := kernels.Ceil(i1-i0, h)
	if n := tiles * d.segs * h; cap(s.off) < n {
		s.off = make([]int, n)
	}
	if cap(s.copied) < tiles {
		s.copied = make([]bool, tiles)
	}
	s.copied = s.copied[:tiles]
	s.line = kernels.Ceil(d.segs*d.segLen, a.pad)*a.pad + lineGap
	for i := range tiles {
		r0 := i0 + i*h
		n := min(h, i1-r0)
		off := s.off[i*d.segs*h : (i+1)*d.segs*h]
		s.copied[i] = !a.find(off, h, r0, n, d) || a.copied
		if !s.copied[i] {
			continue
		}
		if !a.trans {
			a.copy(s.lines(tiles * h)[i*h*s.line:], s.line, off, h, r0, n, d)
		}
		for r := range n {
			off[r] = (i*h + r) * s.line
		}
	}
}

// forget drops what s points to.
func (s *scratch[T]) forget() { s.tile = tile{} }

// lines returns memory for n copied rows, at least.
func (s *scratch[T]) lines(n int) []T {
	if n *= s.line; len(s.buf) < n {
		s.buf = make([]T, max(n, min(2*len(s.buf), blockRows*(maxDepth+lineGap))))
	}
	return s.buf
}

// nearTiles is how many tiles stay in the first-level cache for a late epilogue.
const nearTiles = 4

// stretch returns how many tiles, from tile i on, a kernel that takes any number of
// rows computes in one call. Their positions must follow each other.
func (s *scratch[T]) stretch(anyRows, late bool, i int, d depth) int {
	if !anyRows || s.copied[i] && d.segs > 1 {
		return 1
	}
	limit := len(s.copied)
	if late {
		limit = min(limit, i+nearTiles)
	}
	n := 1
	for i+n < limit && s.copied[i+n] == s.copied[i] {
		n++
	}
	return n
}

// segments returns the rows of tile i as a kernel takes them.
func (s *scratch[T]) segments(a *rows[T], h, i int, d depth) (x []T, off []int, segs, segLen int) {
	off = s.off[i*d.segs*h:]
	if s.copied[i] {
		return s.buf, off, 1, d.segs * d.segLen
	}
	return a.a, off, d.segs, d.segLen
}

// find fills off, h for each segment, with the positions of the n rows from r0
// on. It reports false where a segment is not contiguous.
func (a *rows[T]) find(off []int, h, r0, n int, d depth) bool {
	if d.segLen == 0 {
		for r := range n {
			off[r] = kernels.Outside
		}
		return true
	}
	if a.windows {
		return findWindows(&a.conv, off, h, r0, n, d, a.runs)
	}
	if a.trans {
		return false
	}
	for r := range n {
		off[r] = (r0+r)*a.lda + d.k0
	}
	return true
}

// copy gathers n rows from r0 on into dst, line apart, by the positions in off where
// find has set them.
func (a *rows[T]) copy(dst []T, line int, off []int, h, r0, n int, d depth) {
	k := d.segs * d.segLen
	var w kernels.Window
	if a.runs {
		w = a.conv.Window(r0)
	}
	for r := range n {
		row := dst[r*line:][:kernels.Ceil(k, a.pad)*a.pad]
		clear(row[k:])
		if a.runs {
			gather(&a.conv, row[:k], a.a, &w, d)
			a.conv.Next(&w)
			continue
		}
		for s := range d.segs {
			x := row[s*d.segLen:][:d.segLen]
			if o := off[s*h+r]; o < 0 {
				clear(x)
			} else {
				copy(x, a.a[o:])
			}
		}
	}
}
