// Package winograd computes 3×3 convolutions by Winograd's minimal filtering: tiles
// of the picture are transformed, multiplied channel by channel and transformed back.
package winograd

import (
	"fmt"
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Filters are those of a 3×3 convolution with stride 1, transformed for F(4×4, 3×3)
// or F(2×4, 3×3): tiles of 4×4 output pixels take 36 multiplications for a pair of
// channels instead of 144, tiles of 2×4 take 24 instead of 72. They are immutable
// and safe for concurrent use, and take 36 or 24 floats for the nine of a filter.
type Filters struct {
	*kernel
	// Transformed filters one above the other: rows area·c, of which those from
	// t·c on are matrix t.
	u    *matmul.PackedB
	c    int
	rows int // of output pixels of a tile, 4 or 2
}

// New returns the filters of a convolution of c input and n output channels, which
// have no memory yet: see SetMemory. Tiles have the given rows, 4 or 2; Rows says
// which is faster.
func New(rows, c, n int) *Filters {
	if rows != tileOut && rows != shortOut {
		panic(fmt.Sprintf("winograd: tiles of %d rows", rows))
	}
	return &Filters{&levels[cpu.Active], matmul.NewPackedB((rows+2)*tileIn*c, n), c, rows}
}

// in is how many rows of pixels a tile takes, area how many products.
func (w *Filters) in() int   { return w.rows + 2 }
func (w *Filters) area() int { return w.in() * tileIn }

// Size returns how many floats the transformed filters take.
func (w *Filters) Size() int { return w.u.Size() }

// SetMemory gives w Size() zeros, which become its own, for SetFilters to fill.
func (w *Filters) SetMemory(zeros []float32) { w.u.SetMemory(zeros) }

// PanelWidth is the number of filters that are stored together: what SetFilters
// counts in.
func (w *Filters) PanelWidth() int { return w.u.PanelWidth() }

// SetFilters transforms filters j and following, j a multiple of PanelWidth, each
// multiplied by its factor in scale, of which there is one for each: f is
// [filters][c][3][3]. Calls for panels of their own may run at the same time.
func (w *Filters) SetFilters(j int, f, scale []float32) {
	u, c := w.u, w.c
	if len(f) < len(scale)*c*taps || j%u.PanelWidth() != 0 || j+len(scale) > u.N() {
		panic(fmt.Sprintf("winograd: %d filters of %d channels at %d, %d values, for %d", len(scale), c, j, len(f), u.N()))
	}
	if c == 0 || len(scale) == 0 {
		return
	}
	r := filterPool.Get().(*filterScratch)
	defer filterPool.Put(r)
	t := &r.job
	t.w, t.scale, t.u = r.w[:], r.scale[:], r.u[:]
	for i := j / u.PanelWidth(); len(scale) > 0; i++ {
		_, cols, width := u.Panel(i)
		cols = min(cols, len(scale))
		// An odd number of cache lines: the 36 streams then do not fall on the
		// same few sets of a cache.
		t.width, t.next = width, (filterGroup*maxWidth | 16)
		copy(t.scale, scale[:cols])
		if cols < width {
			clear(t.w)
		}
		panel := u.PanelData(i)
		for c0 := 0; c0 < c; c0 += filterGroup {
			t.n = min(filterGroup, c-c0)
			matmul.Transpose(t.w, width, f[c0*taps:], c*taps, cols, t.n*taps)
			w.filter(t)
			for m := range w.area() {
				from := m
				if w.rows == shortOut && m >= 3*tileIn {
					from = m + 2*tileIn // not those of ±b
				}
				copy(panel[(m*c+c0)*width:], t.u[from*t.next:][:t.n*width])
			}
		}
		f, scale = f[cols*c*taps:], scale[cols:]
	}
}

const (
	filterGroup = 8  // input channels whose filters are transformed together
	maxWidth    = 32 // of a panel
)

// A filterScratch is the working memory of SetFilters, which stays in the caches: written
// straight to where they belong, each of the 36 matrices would get a few bytes at
// a time.
type filterScratch struct {
	job   filter
	w     [filterGroup * taps * maxWidth]float32
	scale [maxWidth]float32
	u     [tileArea * (filterGroup*maxWidth | 16)]float32
}

var filterPool = sync.Pool{New: func() any { return new(filterScratch) }}

// Rows reports with what tiles a convolution g with n output channels is the
// fastest: Winograd's of 4 or 2 rows, or 0 for none, a direct convolution. It
// compares estimates, in multiply-adds, that agree to some 20 % with measurements
// over maps from 3×3 to 28×28 and from 8 to 512 channels (AMD EPYC, Zen 4, with
// AVX-512, AVX2 and plain Go; NEON, which has not been measured, counts as AVX2):
// there Winograd takes 0.3 of the time for 28×28 pixels and from 32 channels on,
// 0.5 for 7×7 pixels with 512 channels, and more for 4×4.
func Rows(g *kernels.Conv, n int) (rows int) {
	q := g.Defaults()
	if !q.Unit3x3() || q.C < 8 || n < 8 { // less than a vector
		return 0
	}
	k := &levels[cpu.Active]
	least := q.OH * q.OW * taps * q.C * n * 8 / 10
	for _, out := range []int{tileOut, shortOut} {
		if out == shortOut && !k.short {
			continue
		}
		// To read the filters takes as long as products for a few tiles: of one
		// picture, so that it does not matter how many come together.
		area := (out + 2) * tileIn
		tiles := max(kernels.Ceil(q.OH, out)*kernels.Ceil(q.OW, tileOut), 4)
		if area*q.C*n > 1<<20 {
			tiles = max(tiles, 8) // from memory
		}
		if work := tiles * area * (q.C*n + k.transform*(q.C+n)); work < least {
			least, rows = work, out
		}
	}
	return rows
}

const (
	// blockTiles is how many tiles go through the matrices together. So many rows
	// are worth the passage of the transformed filters, which come from the
	// third-level cache or from memory, and few enough stay in the second.
	blockTiles = 24

	// columnsAtOnce is for about how many output channels the products are computed
	// before they are transformed back.
	columnsAtOnce = 32

	// tilesPerTask is how many tiles a task of the first transform takes.
	tilesPerTask = 4
)

// zeros is what pixels outside of a picture read.
var zeros [512]float32

// A run is one convolution under way: block after block of tiles, first their
// transform, then products and results of some tiles by some columns.
type run struct {
	tiling[float32]
	w          *Filters
	from, to   int // tiles of the block
	taskRows   int // tiles of a task of products
	taskPanels int // of columns
	v          []float32
	ldv, nextV int
	inside     [tileArea]int   // positions of a window within the picture, from its first
	lines      [blockTiles]int // positions of the rows of V of a task

	inputTask, productTask func(int)
}

// A scratch is the working memory of a task.
type scratch struct {
	in   input
	edge [tileArea]int // positions of a window at the edge of the picture
	out  output
	part matmul.Part[float32]
	m    []float32
}

var runPool = sync.Pool{New: func() any {
	r := new(run)
	r.inputTask = r.transform
	r.productTask = r.products
	return r
}}

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

// Conv computes Y = act(X ∗ W + …) for batch pictures as matmul.PackedB.Conv does; g must
// have 3×3 taps and no strides or dilations. Its results are not those of
// matmul.PackedB.Conv to the last bits: the error is four times as large.
func (w *Filters) Conv(g *kernels.Conv, batch int, x, y []float32, ldy int, ep *kernels.Epilogue, team *workers.Team) {
	r := runPool.Get().(*run)
	defer runPool.Put(r)
	r.w, r.rows, r.cols = w, w.rows, tileOut
	r.start(g, w.c, w.u.N(), batch, x, y, ldy, ep)
	if r.tiles > 0 && w.u.N() > 0 {
		r.run(team)
	}
	r.w = nil
	r.release()
}

func (r *run) run(team *workers.Team) {
	tiles := r.tiles
	n, panels := r.w.u.N(), r.w.u.Panels()
	threads := team.For(tiles * r.w.area() * r.w.c * n)
	block := kernels.Ceil(tiles, kernels.Ceil(tiles, blockTiles*threads))

	r.taskRows, r.taskPanels = kernels.Ceil(block, kernels.Ceil(block, blockTiles)), max(1, columnsAtOnce/r.w.u.PanelWidth())
	for threads > 1 && kernels.Ceil(block, r.taskRows)*kernels.Ceil(panels, r.taskPanels) < 3*threads {
		if r.taskPanels > 1 {
			r.taskPanels = kernels.Ceil(r.taskPanels, 2)
		} else if r.taskRows > r.w.u.TileRows() {
			r.taskRows = kernels.Ceil(r.taskRows, 2)
		} else {
			break
		}
	}
	// An odd number of cache lines from a row to the next, and from a matrix to
	// the next, spreads them over the sets of the cache.
	r.ldv = kernels.Ceil(r.w.c, 16)*16 | 16
	r.nextV = block*r.ldv | 16
	if need := r.w.area() * r.nextV; cap(r.v) < need {
		r.v = make([]float32, need)
	}
	for i := range r.inside {
		r.inside[i] = (i/tileIn*r.g.W + i%tileIn) * r.g.Ld
	}
	for i := range r.lines {
		r.lines[i] = i * r.ldv
	}
	for r.from = 0; r.from < tiles; r.from += block {
		r.to = min(r.from+block, tiles)
		team.Run(threads, kernels.Ceil(r.to-r.from, tilesPerTask), r.inputTask)
		team.Run(threads, kernels.Ceil(r.to-r.from, r.taskRows)*kernels.Ceil(panels, r.taskPanels), r.productTask)
	}
}

// transform is the task of the first transform: it fills rows of V.
func (r *run) transform(task int) {
	s := scratchPool.Get().(*scratch)
	defer scratchPool.Put(s)
	t := &s.in
	t.zero, t.next, t.rows = zeros[:], r.nextV, r.w.in()
	first := r.from + task*tilesPerTask
	for i := first; i < min(first+tilesPerTask, r.to); i++ {
		at := r.place(i)
		y, x := at.oy-r.g.PadTop, at.ox-r.g.PadLeft
		t.x, t.off = r.x, s.edge[:t.rows*tileIn]
		if y >= 0 && x >= 0 && y+t.rows <= r.g.H && x+tileIn <= r.g.W {
			t.x, t.off = r.x[((at.picture*r.g.H+y)*r.g.W+x)*r.g.Ld:], r.inside[:]
		} else {
			r.window(t.off, at)
		}
		pixels, row := t.x, r.v[(i-r.from)*r.ldv:]
		for c := 0; c < r.w.c; c += len(zeros) {
			t.x, t.v, t.channels = pixels[c:], row[c:], min(len(zeros), r.w.c-c)
			r.w.input(t)
		}
	}
	t.x, t.v, t.off = nil, nil, nil
}

// products computes some rows by some panels of the products of all matrices, and
// the pixels they are for.
func (r *run) products(task int) {
	u := r.w.u
	groups := kernels.Ceil(u.Panels(), r.taskPanels)
	i0 := r.from + task/groups*r.taskRows
	i1 := min(i0+r.taskRows, r.to)
	p0 := task % groups * r.taskPanels
	p1 := min(p0+r.taskPanels, u.Panels())

	s := scratchPool.Get().(*scratch)
	defer scratchPool.Put(s)
	wide := u.PanelWidth()
	ldm := (p1-p0)*wide | 16
	next := (i1-i0)*ldm | 16
	if need := r.w.area() * next; cap(s.m) < need {
		s.m = make([]float32, need)
	}
	m := s.m[:r.w.area()*next]
	t := &s.part
	*t = matmul.Part[float32]{Off: r.lines[:], Rows: i1 - i0, K: r.w.c, P0: p0, P1: p1, Ldc: ldm}
	for x := range r.w.area() {
		t.A, t.C, t.K0 = r.v[x*r.nextV+(i0-r.from)*r.ldv:], m[x*next:], x*r.w.c
		u.MulPart(t)
	}
	*t = matmul.Part[float32]{}
	s.out.next, s.out.short = next, r.w.rows == shortOut
	for i := i0; i < i1; i++ {
		r.results(&s.out, i, p0, min(p1*wide, u.N()), m[(i-i0)*ldm:])
	}
	s.out = output{}
}

// results transforms the row m of tile i into pixels of the channels from panel
// p0 to j1.
func (r *run) results(t *output, i, p0, j1 int, m []float32) {
	at := r.place(i)
	j0, pixel := p0*r.w.u.PanelWidth(), r.pixel(at)
	t.m, t.channels = m, j1-j0
	t.rows, t.cols = at.rows, at.cols
	t.y, t.yRow, t.yCol = r.y[pixel*r.ldy+j0:], r.g.OW*r.ldy, r.ldy
	if e := &r.ep; e.Residual != nil {
		t.d, t.dRow, t.dCol = e.Residual[pixel*e.LdRes+j0:], r.g.OW*e.LdRes, e.LdRes
	}
	if r.ep.Bias != nil {
		t.bias = r.ep.Bias[j0:]
	}
	t.lo, t.hi = r.limits()
	r.w.output(t)
	if !r.ep.Late() {
		return
	}
	for y := range t.rows {
		p := pixel + y*r.g.OW
		r.ep.Activate(r.y[p*r.ldy+j0:], t.cols, j1-j0, r.ldy)
	}
}
