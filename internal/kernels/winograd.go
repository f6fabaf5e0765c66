package kernels

import (
	"fmt"
	"sync"
)

// A Winograd is the filters of a 3×3 convolution with stride 1, transformed for
// F(4×4, 3×3) or F(2×4, 3×3): tiles of 4×4 output pixels take 36 multiplications
// for a pair of channels instead of 144, tiles of 2×4 take 24 instead of 72. It is
// immutable and safe for concurrent use, and holds 36 or 24 floats for the nine of
// a filter.
type Winograd struct {
	// Transformed filters one above the other: rows area·c, of which those from
	// t·c on are matrix t.
	u    *PackedB
	c    int
	rows int // of output pixels of a tile, 4 or 2
}

// NewWinograd returns the filters of a convolution of c input and n output
// channels, which have no memory yet: see SetMemory. Tiles have the given rows, 4
// or 2; Conv.Winograd says which is faster.
func NewWinograd(rows, c, n int) *Winograd {
	if rows != winoOut && rows != winoShort {
		panic(fmt.Sprintf("kernels: Winograd of %d rows", rows))
	}
	return &Winograd{NewPackedB((rows+2)*winoIn*c, n), c, rows}
}

// in is how many rows of pixels a tile takes, area how many products.
func (w *Winograd) in() int   { return w.rows + 2 }
func (w *Winograd) area() int { return w.in() * winoIn }

// Size returns how many floats the transformed filters take.
func (w *Winograd) Size() int { return w.u.Size() }

// SetMemory gives w Size() zeros, which become its own, for SetFilters to fill.
func (w *Winograd) SetMemory(zeros []float32) { w.u.SetMemory(zeros) }

// PanelWidth is the number of filters that are stored together: what SetFilters
// counts in.
func (w *Winograd) PanelWidth() int { return w.u.PanelWidth() }

// SetFilters transforms filters j and following, j a multiple of PanelWidth, each
// multiplied by its factor in scale, of which there is one for each: f is
// [filters][c][3][3]. Calls for panels of their own may run at the same time.
func (w *Winograd) SetFilters(j int, f, scale []float32) {
	u, c := w.u, w.c
	if len(f) < len(scale)*c*winoTaps || j%u.v.cols() != 0 || j+len(scale) > u.n {
		panic(fmt.Sprintf("kernels: %d filters of %d channels at %d, %d values, for %d", len(scale), c, j, len(f), u.n))
	}
	if c == 0 || len(scale) == 0 {
		return
	}
	r := winoFilterPool.Get().(*winoFilterRoom)
	defer winoFilterPool.Put(r)
	t := &r.job
	t.w, t.scale, t.u = r.w[:], r.scale[:], r.u[:]
	for i := j / u.v.cols(); len(scale) > 0; i++ {
		j, cols, width := u.panel(i)
		cols = min(cols, len(scale))
		// An odd number of cache lines: the 36 streams then do not fall on the
		// same few sets of a cache.
		t.width, t.next = width, (winoGroup*maxWidth | 16)
		copy(t.scale, scale[:cols])
		if cols < width {
			clear(t.w)
		}
		panel := u.data[u.k*j:][:u.k*width]
		for c0 := 0; c0 < c; c0 += winoGroup {
			t.n = min(winoGroup, c-c0)
			transpose(t.w, width, f[c0*winoTaps:], c*winoTaps, cols, t.n*winoTaps)
			t.run(u.v)
			for m := range w.area() {
				from := m
				if w.rows == winoShort && m >= 3*winoIn {
					from = m + 2*winoIn // not those of ±b
				}
				copy(panel[(m*c+c0)*width:], t.u[from*t.next:][:t.n*width])
			}
		}
		f, scale = f[cols*c*winoTaps:], scale[cols:]
	}
}

const (
	winoGroup = 8  // input channels whose filters are transformed together
	maxWidth  = 32 // of a panel
)

// A winoFilterRoom is the room of SetFilters, which stays in the caches: written
// straight to where they belong, each of the 36 matrices would get a few bytes at
// a time.
type winoFilterRoom struct {
	job   winoFilter
	w     [winoGroup * winoTaps * maxWidth]float32
	scale [maxWidth]float32
	u     [winoArea * (winoGroup*maxWidth | 16)]float32
}

var winoFilterPool = sync.Pool{New: func() any { return new(winoFilterRoom) }}

// Winograd reports with what tiles a convolution with n output channels is the
// fastest: Winograd's of 4 or 2 rows, or 0 for none, a direct convolution. It
// compares estimates, in multiply-adds, that agree to some 20 % with measurements
// over maps from 3×3 to 28×28 and from 8 to 512 channels (AMD EPYC, Zen 4, with
// AVX-512, AVX2 and plain Go; NEON, which has not been measured, counts as AVX2):
// there Winograd takes 0.3 of the time for 28×28 pixels and from 32 channels on,
// 0.5 for 7×7 pixels with 512 channels, and more for 4×4.
func (g *Conv) Winograd(n int) (rows int) {
	q := g.defaults()
	if q.KH != 3 || q.KW != 3 || q.StrideH != 1 || q.StrideW != 1 || q.DilH != 1 || q.DilW != 1 {
		return 0
	}
	if q.C < 8 || n < 8 {
		return 0 // less than a vector
	}
	// What the transform of a value takes.
	value := [...]int{generic: 8, avx2: 4, avx512: 4, neon: 4}[active]
	least := q.OH * q.OW * winoTaps * q.C * n * 8 / 10
	for _, out := range []int{winoOut, winoShort} {
		if out == winoShort && active == neon {
			continue // its transforms are in plain Go
		}
		// To read the filters takes as long as products for a few tiles: of one
		// picture, so that it does not matter how many come together.
		area := (out + 2) * winoIn
		tiles := max(ceil(q.OH, out)*ceil(q.OW, winoOut), 4)
		if area*q.C*n > 1<<20 {
			tiles = max(tiles, 8) // from memory
		}
		if work := tiles * area * (q.C*n + value*(q.C+n)); work < least {
			least, rows = work, out
		}
	}
	return rows
}

const (
	// winoBlock is how many tiles go through the matrices together. So many rows
	// are worth the passage of the transformed filters, which come from the
	// third-level cache or from memory, and few enough stay in the second.
	winoBlock = 24

	// winoCols is for about how many output channels the products are computed
	// before they are transformed back.
	winoCols = 32

	// winoFew is how many tiles a task of the first transform takes.
	winoFew = 4
)

// A winoRun is one convolution under way: block after block of tiles, first their
// transform, then products and results of some tiles by some columns.
type winoRun struct {
	g          Conv
	w          *Winograd
	x, y       []float32
	ldy        int
	ep         Epilogue
	down       int // tiles of a picture
	across     int
	from, to   int // tiles of the block
	rows       int // of a task of products
	panels     int // the same
	v          []float32
	ldv, nextV int
	inside     [winoArea]int  // positions of a window within the picture, from its first
	lines      [winoBlock]int // positions of the rows of V of a task

	inputTask, productTask func(int)
}

// A winoScratch is the room of a task.
type winoScratch struct {
	in   winoInput
	edge [winoArea]int // positions of a window at the edge of the picture
	out  winoOutput
	m    []float32
}

var winoPool = sync.Pool{New: func() any {
	r := new(winoRun)
	r.inputTask = r.transform
	r.productTask = r.products
	return r
}}

var winoScratchPool = sync.Pool{New: func() any { return new(winoScratch) }}

// Conv computes Y = act(X ∗ W + …) for batch pictures as PackedB.Conv does; g must
// have 3×3 taps and no strides or dilations. Its results are not those of
// PackedB.Conv to the last bits: the error is four times as large.
func (w *Winograd) Conv(g *Conv, batch int, x, y []float32, ldy int, ep *Epilogue, team *Team) {
	q := g.defaults()
	if q.KH != 3 || q.KW != 3 || q.StrideH != 1 || q.StrideW != 1 || q.DilH != 1 || q.DilW != 1 || q.C != w.c {
		panic(fmt.Sprintf("kernels: Winograd of %d channels for %+v", w.c, q))
	}
	n, pixels := w.u.n, batch*q.OH*q.OW
	checkMatrix("X", false, batch*q.H*q.W, q.C, x, q.Ld)
	checkMatrix("Y", false, pixels, n, y, ldy)
	if pixels == 0 || n == 0 {
		return
	}
	r := winoPool.Get().(*winoRun)
	defer r.release()
	r.g, r.w, r.x, r.y, r.ldy = q, w, x, y, ldy
	if ep != nil {
		r.ep = *ep
		ep.check(pixels, n)
	}
	r.run(batch, team)
}

// release hands r back, without what it points to.
func (r *winoRun) release() {
	r.w, r.x, r.y, r.ep = nil, nil, nil, Epilogue{}
	winoPool.Put(r)
}

func (r *winoRun) run(batch int, team *Team) {
	r.down, r.across = ceil(r.g.OH, r.w.rows), ceil(r.g.OW, winoOut)
	tiles := batch * r.down * r.across
	n, panels := r.w.u.n, r.w.u.panels()
	threads := threadsFor(team, tiles*r.w.area()*r.w.c*n)
	block := ceil(tiles, ceil(tiles, winoBlock*threads))

	r.rows, r.panels = ceil(block, ceil(block, winoBlock)), max(1, winoCols/r.w.u.v.cols())
	for threads > 1 && ceil(block, r.rows)*ceil(panels, r.panels) < 3*threads {
		if r.panels > 1 {
			r.panels = ceil(r.panels, 2)
		} else if r.rows > r.w.u.v.rows() {
			r.rows = ceil(r.rows, 2)
		} else {
			break
		}
	}
	// An odd number of cache lines from a row to the next, and from a matrix to
	// the next, spreads them over the sets of the cache.
	r.ldv = ceil(r.w.c, 16)*16 | 16
	r.nextV = block*r.ldv | 16
	if need := r.w.area() * r.nextV; cap(r.v) < need {
		r.v = make([]float32, need)
	}
	for i := range r.inside {
		r.inside[i] = (i/winoIn*r.g.W + i%winoIn) * r.g.Ld
	}
	for i := range r.lines {
		r.lines[i] = i * r.ldv
	}
	for r.from = 0; r.from < tiles; r.from += block {
		r.to = min(r.from+block, tiles)
		team.Run(threads, ceil(r.to-r.from, winoFew), r.inputTask)
		team.Run(threads, ceil(r.to-r.from, r.rows)*ceil(panels, r.panels), r.productTask)
	}
}

// A winoTile is the place of a tile: its picture and its first output pixel.
type winoTile struct{ picture, oy, ox int }

func (r *winoRun) tile(i int) winoTile {
	n, i := i/(r.down*r.across), i%(r.down*r.across)
	return winoTile{n, i / r.across * r.w.rows, i % r.across * winoOut}
}

// transform is the task of the first transform: it fills rows of V.
func (r *winoRun) transform(task int) {
	s := winoScratchPool.Get().(*winoScratch)
	defer winoScratchPool.Put(s)
	t := &s.in
	t.zero, t.next, t.rows = zeros[:], r.nextV, r.w.in()
	first := r.from + task*winoFew
	for i := first; i < min(first+winoFew, r.to); i++ {
		at := r.tile(i)
		y, x := at.oy-r.g.PadTop, at.ox-r.g.PadLeft
		t.x, t.off = r.x, s.edge[:t.rows*winoIn]
		if y >= 0 && x >= 0 && y+t.rows <= r.g.H && x+winoIn <= r.g.W {
			t.x, t.off = r.x[((at.picture*r.g.H+y)*r.g.W+x)*r.g.Ld:], r.inside[:]
		} else {
			r.g.winoWindow(t.off, at.picture, y, x)
		}
		pixels, row := t.x, r.v[(i-r.from)*r.ldv:]
		for c := 0; c < r.w.c; c += len(zeros) {
			t.x, t.v, t.channels = pixels[c:], row[c:], min(len(zeros), r.w.c-c)
			t.run(r.w.u.v)
		}
	}
	t.x, t.v, t.off = nil, nil, nil
}

// winoWindow finds the positions of rows of six pixels from y, x of a picture on.
func (g *Conv) winoWindow(off []int, picture, y, x int) {
	for dy := range len(off) / winoIn {
		for dx := range winoIn {
			off[dy*winoIn+dx] = outside
			if uint(y+dy) < uint(g.H) && uint(x+dx) < uint(g.W) {
				off[dy*winoIn+dx] = ((picture*g.H+y+dy)*g.W + x + dx) * g.Ld
			}
		}
	}
}

// products computes some rows by some panels of the products of all matrices, and
// the pixels they are for.
func (r *winoRun) products(task int) {
	u := r.w.u
	groups := ceil(u.panels(), r.panels)
	i0 := r.from + task/groups*r.rows
	i1 := min(i0+r.rows, r.to)
	p0 := task % groups * r.panels
	p1 := min(p0+r.panels, u.panels())

	s := winoScratchPool.Get().(*winoScratch)
	defer winoScratchPool.Put(s)
	h, wide := u.v.rows(), u.v.cols()
	ldm := (p1-p0)*wide | 16
	next := (i1-i0)*ldm | 16
	if need := r.w.area() * next; cap(s.m) < need {
		s.m = make([]float32, need)
	}
	m := s.m[:r.w.area()*next]
	depth := ceil(r.w.c, ceil(r.w.c, maxDepth))
	rows := ceil(i1-i0, ceil(i1-i0, h)) // tiles of equal height
	t := tile{segs: 1, zero: zeros[:], ldc: ldm, ldd: ldm}
	for x := range r.w.area() {
		for k := 0; k < r.w.c; k += depth {
			t.a = r.v[x*r.nextV+(i0-r.from)*r.ldv+k:]
			t.segLen = min(depth, r.w.c-k)
			for p := p0; p < p1; p++ {
				_, _, t.width = u.panel(p)
				t.cols = t.width
				t.b, t.ldb = u.at(p, x*r.w.c+k)
				c := m[x*next+(p-p0)*wide:]
				for i := 0; i < i1-i0; i += rows {
					t.rows = min(rows, i1-i0-i)
					t.off = r.lines[i:]
					t.c, t.d = c[i*ldm:], nil
					if k > 0 {
						t.d = t.c
					}
					t.run(u.v)
				}
			}
		}
	}
	s.out.next, s.out.short = next, r.w.rows == winoShort
	for i := i0; i < i1; i++ {
		r.results(&s.out, i, p0, min(p1*wide, u.n), m[(i-i0)*ldm:])
	}
	s.out = winoOutput{}
}

// results transforms the row m of tile i into pixels of the channels from panel
// p0 to j1.
func (r *winoRun) results(t *winoOutput, i, p0, j1 int, m []float32) {
	at := r.tile(i)
	j0 := p0 * r.w.u.v.cols()
	pixel := (at.picture*r.g.OH+at.oy)*r.g.OW + at.ox
	t.m, t.channels = m, j1-j0
	t.rows, t.cols = min(r.w.rows, r.g.OH-at.oy), min(winoOut, r.g.OW-at.ox)
	t.y, t.yRow, t.yCol = r.y[pixel*r.ldy+j0:], r.g.OW*r.ldy, r.ldy
	if e := &r.ep; e.Residual != nil {
		t.d, t.dRow, t.dCol = e.Residual[pixel*e.LdRes+j0:], r.g.OW*e.LdRes, e.LdRes
	}
	if r.ep.Bias != nil {
		t.bias = r.ep.Bias[j0:]
	}
	var ok bool
	if t.lo, t.hi, ok = r.ep.clamp(); !ok {
		t.lo, t.hi = -inf, inf
	}
	t.run(r.w.u.v)
	if !r.ep.late() {
		return
	}
	for y := range t.rows {
		p := pixel + y*r.g.OW
		r.ep.activateRows(r.y[p*r.ldy+j0:], t.cols, j1-j0, r.ldy)
	}
}
