package kernels

import (
	"fmt"
	"sync"
)

// A WinogradBF16 is the filters of a 3×3 convolution with stride 1, transformed
// for F(2×2, 3×3): tiles of 2×2 output pixels take 16 multiplications for a pair
// of channels instead of 36. Larger tiles would lose too many digits to BF16.
// It is immutable and safe for concurrent use.
type WinogradBF16 struct {
	// Transformed filters one above the other: rows 16·c, of which those from
	// t·c on are matrix t. Within each, channels are in the order of spread.
	u *PackedBF16
	c int
}

const (
	wino2Out  = 2            // results of a tile in each direction
	wino2In   = wino2Out + 2 // values it takes
	wino2Area = wino2In * wino2In
)

// PackWinogradBF16 transforms filters, of which there are n, [n][3][3][c]. Their
// transforms are rounded once.
func PackWinogradBF16(c, n int, filters []float32) *WinogradBF16 {
	checkMatrix("filters", false, n, winoTaps*c, filters, winoTaps*c)
	if c%wino2Block != 0 {
		panic(fmt.Sprintf("kernels: Winograd of %d channels", c))
	}
	m := make([]float32, n*wino2Area*c)
	for o := range n {
		f, u := filters[o*winoTaps*c:], m[o*wino2Area*c:]
		for i := range c {
			var q [wino2In][3]float64
			for x := range 3 {
				for y, v := range wino2Filter(float64(f[x*c+i]), float64(f[(3+x)*c+i]), float64(f[(6+x)*c+i])) {
					q[y][x] = v
				}
			}
			at := wino2Order(i)
			for y := range q {
				for x, v := range wino2Filter(q[y][0], q[y][1], q[y][2]) {
					u[(y*wino2In+x)*c+at] = float32(v)
				}
			}
		}
	}
	return &WinogradBF16{PackBF16(true, wino2Area*c, n, m, wino2Area*c), c}
}

// SizeWinogradBF16 returns how many values the filters take.
func SizeWinogradBF16(c, n int) int { return SizeBF16(wino2Area*c, n) }

// wino2Filter is G for one row or column.
func wino2Filter(a, b, c float64) [wino2In]float64 {
	return [wino2In]float64{a, (a + b + c) / 2, (a - b + c) / 2, c}
}

// wino2Block is how many neighbouring channels are transformed together: even
// ones come before odd ones, see wino2Order.
const wino2Block = 32

// wino2Order returns the place of channel c.
func wino2Order(c int) int {
	return c&^(wino2Block-1) | c%2*(wino2Block/2) | c%wino2Block/2
}

// WinogradBF16 reports whether a convolution of BF16 pictures with n output
// channels is faster by Winograd.
func (g *Conv) WinogradBF16(n int) bool {
	q := g.defaults()
	if q.KH != 3 || q.KW != 3 || q.StrideH != 1 || q.StrideW != 1 || q.DilH != 1 || q.DilW != 1 {
		return false
	}
	// AMX multiplies so fast that the transforms would take most of the time.
	return activeUnit == avx512BF16 && q.C%wino2Block == 0 && q.C > 0 && n >= 32
}

// wino2Values is about how many values of transformed pictures go through the
// matrices together: they stay in the second-level cache.
const wino2Values = 1 << 17

// A wino2Run is one convolution under way: blocks of tiles are the tasks of a
// team.
type wino2Run struct {
	g            Conv
	w            *WinogradBF16
	x, y         []BF16
	ldy          int
	ep           EpilogueBF16
	down, across int // tiles of a picture
	tiles        int
	block        int    // tiles of a task
	zero         []BF16 // kept from call to call
	task         func(int)
}

// A wino2Room is the room of a task.
type wino2Room struct {
	in     wino2Input
	out    wino2Output
	v      []BF16    // transformed pictures: 16 matrices
	m      []float32 // products with some columns: 16 matrices
	pixels [wino2Out * wino2Out * 32]float32
	off    []int
	sum    [32 * 32]float32
}

var wino2Pool = sync.Pool{New: func() any {
	r := new(wino2Run)
	r.task = r.run
	return r
}}

var wino2RoomPool = sync.Pool{New: func() any { return new(wino2Room) }}

// Conv computes Y = act(X ∗ W + …) for batch pictures as PackedBF16.Conv does; g
// must have 3×3 taps and no strides or dilations. The transformed pictures are
// rounded to BF16, so that errors are about twice as large.
func (w *WinogradBF16) Conv(g *Conv, batch int, x, y []BF16, ldy int, ep *EpilogueBF16, team *Team) {
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
	r := wino2Pool.Get().(*wino2Run)
	r.g, r.w, r.x, r.y, r.ldy = q, w, x, y, ldy
	if ep != nil {
		r.ep = *ep
		ep.check(pixels, n)
	}
	if len(r.zero) < q.C {
		r.zero = make([]BF16, q.C)
	}
	r.down, r.across = ceil(q.OH, wino2Out), ceil(q.OW, wino2Out)
	r.tiles = batch * r.down * r.across
	threads := threadsFor(team, r.tiles*wino2Area*q.C*n)
	h := w.u.u.rows()
	r.block = max(h, wino2Values/(wino2Area*q.C)/h*h)
	// Blocks of equal size, a few for each thread.
	count := ceil(r.tiles, r.block)
	if threads > 1 {
		count = max(ceil(count, threads)*threads, min(3*threads, ceil(r.tiles, h)))
	}
	r.block = ceil(ceil(r.tiles, count), h) * h
	team.Run(threads, ceil(r.tiles, r.block), r.task)
	r.w, r.x, r.y, r.ep = nil, nil, nil, EpilogueBF16{}
	wino2Pool.Put(r)
}

// run computes the pixels of one block of tiles.
func (r *wino2Run) run(task int) {
	s := wino2RoomPool.Get().(*wino2Room)
	defer wino2RoomPool.Put(s)
	u, c := r.w.u, r.w.c
	i0 := task * r.block
	rows := min(r.block, r.tiles-i0)

	// An odd number of cache lines from a row to the next spreads them over the
	// sets of the cache.
	ldv := c | 32
	nextV := rows * ldv
	if need := wino2Area * nextV; len(s.v) < need {
		s.v = make([]BF16, need)
	}
	for i := range rows {
		r.transform(&s.in, i0+i, s.v[i*ldv:], nextV)
	}

	step := rows // what the micro kernel takes at a time
	if u.u == plain {
		step = u.u.rows()
	}
	nextM := rows*32 | 16
	if need := wino2Area * nextM; len(s.m) < need {
		s.m = make([]float32, need)
	}
	if len(s.off) < rows {
		s.off = make([]int, rows)
	}
	for i := range rows {
		s.off[i] = i * ldv
	}
	t := tileBF16{segs: 1, pairs: c / 2, lda: ldv, sum: s.sum[:]}
	for p := range u.panels() {
		j, cols, width := u.panel(p)
		t.cols, t.width, t.ldc = width, width, width
		for x := range wino2Area {
			t.b = u.data[u.kp*j+x*c*width:]
			t.a = s.v[x*nextV:]
			for i := 0; i < rows; i += step {
				t.rows = min(step, rows-i)
				t.off = s.off[i:]
				t.f = s.m[x*nextM+i*width:]
				t.run(u.u)
			}
		}
		for i := range rows {
			r.results(s, i0+i, j, cols, s.m[i*width:], nextM)
		}
	}
	s.in.x, s.in.zero, s.in.v, s.out = nil, nil, nil, wino2Output{}
}

// place returns the picture and the first output pixel of tile i.
func (r *wino2Run) place(i int) (picture, oy, ox int) {
	n, i := i/(r.down*r.across), i%(r.down*r.across)
	return n, i / r.across * wino2Out, i % r.across * wino2Out
}

// transform fills the rows of a tile in the 16 matrices from v on.
func (r *wino2Run) transform(t *wino2Input, tile int, v []BF16, next int) {
	picture, oy, ox := r.place(tile)
	for i := range t.off {
		y, x := oy-r.g.PadTop+i/wino2In, ox-r.g.PadLeft+i%wino2In
		t.off[i] = outside
		if uint(y) < uint(r.g.H) && uint(x) < uint(r.g.W) {
			t.off[i] = ((picture*r.g.H+y)*r.g.W + x) * r.g.Ld
		}
	}
	t.x, t.zero, t.channels, t.v, t.next = r.x, r.zero, r.w.c, v, next
	t.run()
}

// results transforms products m into the pixels of a tile, cols channels from j.
func (r *wino2Run) results(s *wino2Room, tile, j, cols int, m []float32, next int) {
	picture, oy, ox := r.place(tile)
	pixel := (picture*r.g.OH+oy)*r.g.OW + ox
	t, e := &s.out, &r.ep
	t.m, t.next, t.channels = m, next, cols
	t.rows, t.cols = min(wino2Out, r.g.OH-oy), min(wino2Out, r.g.OW-ox)
	t.y, t.yRow, t.yCol = r.y[pixel*r.ldy+j:], r.g.OW*r.ldy, r.ldy
	if e.Residual != nil {
		t.d, t.dRow, t.dCol = e.Residual[pixel*e.LdRes+j:], r.g.OW*e.LdRes, e.LdRes
	}
	if e.Bias != nil {
		t.bias = e.Bias[j:]
	}
	var ok bool
	if t.lo, t.hi, ok = e.clamp(); !ok {
		t.lo, t.hi = -inf, inf
	}
	late := e.late()
	if late {
		t.f, t.yRow, t.yCol = s.pixels[:], wino2Out*32, 32
	}
	t.run()
	if !late {
		return
	}
	for i := range t.rows * t.cols {
		y, x := i/t.cols, i%t.cols
		row, p := s.pixels[(y*wino2Out+x)*32:][:cols], pixel+y*r.g.OW+x
		e.activate(row)
		toBF16(r.y[p*r.ldy+j:][:cols], row)
	}
}

// A wino2Input is the job of the first transform: a window of 4×4 pixels becomes
// Bᵀ·d·B, the row of one tile in each of 16 matrices.
//
// The assembly reads the fields of this and the next by the names in go_asm.h; of
// a slice it takes the address only. Distances are in values.
type wino2Input struct {
	x        []BF16
	off      [wino2Area]int // position in x of each pixel of the window, or outside
	zero     []BF16         // what an outside pixel reads: channels zeros
	channels int            // a multiple of wino2Block

	v    []BF16 // the row in the first matrix
	next int    // from a matrix to the next

	ptr [wino2Area]uintptr // for the assembly: addresses of the pixels
}

// A wino2Output is the job of the last transform: the row of one tile in each of
// 16 matrices becomes 2×2 pixels y = clamp(Aᵀ·M·A + bias + d), or fewer at the
// edges.
type wino2Output struct {
	m        []float32 // the row in the first matrix, room for whole vectors
	next     int       // from a matrix to the next
	channels int       // up to 32

	rows, cols int // pixels to store, 1 or 2 each
	y          []BF16
	f          []float32 // result without rounding, instead of y; nil for none
	yRow, yCol int       // from a row of pixels, and from a pixel, to the next
	d          []BF16    // nil for none; may be y itself
	dRow, dCol int
	bias       []float32 // nil for none
	lo, hi     float32   // limits, infinite for none; a NaN stays one
}

func (t *wino2Input) runGeneric() {
	for c := range t.channels {
		var d, q [wino2In][wino2In]float32 // q is transposed
		for i, o := range t.off {
			if o >= 0 {
				d[i%wino2In][i/wino2In] = t.x[o+c].Float32()
			}
		}
		for j, v := range d {
			for i, v := range wino2Input1(&v) {
				q[i][j] = v
			}
		}
		for i, v := range q {
			for j, v := range wino2Input1(&v) {
				t.v[(i*wino2In+j)*t.next+wino2Order(c)] = RoundBF16(v)
			}
		}
	}
}

func (t *wino2Output) runGeneric() {
	for c := range t.channels {
		var q [wino2Out][wino2In]float32
		for j := range wino2In {
			var m [wino2In]float32
			for i := range m {
				m[i] = t.m[(i*wino2In+j)*t.next+c]
			}
			for i, v := range wino2Output1(&m) {
				q[i][j] = v
			}
		}
		for i := range t.rows {
			p := wino2Output1(&q[i])
			for j, v := range p[:t.cols] {
				if t.bias != nil {
					v += t.bias[c]
				}
				if t.d != nil {
					v += t.d[i*t.dRow+j*t.dCol+c].Float32()
				}
				v = min(max(v, t.lo), t.hi)
				if t.f != nil {
					t.f[i*t.yRow+j*t.yCol+c] = v
				} else {
					t.y[i*t.yRow+j*t.yCol+c] = RoundBF16(v)
				}
			}
		}
	}
}

// wino2Input1 is Bᵀ for one row or column.
func wino2Input1(d *[wino2In]float32) [wino2In]float32 {
	return [wino2In]float32{d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]}
}

// wino2Output1 is Aᵀ for one row or column.
func wino2Output1(m *[wino2In]float32) [wino2Out]float32 {
	return [wino2Out]float32{m[0] + m[1] + m[2], m[1] - m[2] - m[3]}
}
