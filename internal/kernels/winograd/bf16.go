package winograd

import (
	"fmt"
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// FiltersBF16 are those of a 3×3 convolution with stride 1, transformed for
// F(2×2, 3×3): tiles of 2×2 output pixels take 16 multiplications for a pair
// of channels instead of 36. Larger tiles would lose too many digits to BF16.
// They are immutable and safe for concurrent use.
type FiltersBF16 struct {
	// Transformed filters one above the other: rows 16·c, of which those from
	// t·c on are matrix t. Within each, channels are in the order of spread.
	*kernelBF16
	u *matmul.PackedBF16
	c int
}

const (
	smallOut  = 2            // results of a tile in each direction
	smallIn   = smallOut + 2 // values it takes
	smallArea = smallIn * smallIn
)

// PackBF16 transforms filters, of which there are n, [n][3][3][c]. Their
// transforms are rounded once.
func PackBF16(c, n int, filters []float32) *FiltersBF16 {
	kernels.CheckMatrix("filters", false, n, taps*c, filters, taps*c)
	if c%smallBlock != 0 {
		panic(fmt.Sprintf("winograd: filters of %d channels", c))
	}
	m := make([]float32, n*smallArea*c)
	for o := range n {
		f, u := filters[o*taps*c:], m[o*smallArea*c:]
		for i := range c {
			var q [smallIn][3]float64
			for x := range 3 {
				for y, v := range smallFilter(float64(f[x*c+i]), float64(f[(3+x)*c+i]), float64(f[(6+x)*c+i])) {
					q[y][x] = v
				}
			}
			at := smallOrder(i)
			for y := range q {
				for x, v := range smallFilter(q[y][0], q[y][1], q[y][2]) {
					u[(y*smallIn+x)*c+at] = float32(v)
				}
			}
		}
	}
	return &FiltersBF16{&units[cpu.ActiveUnit], matmul.PackBF16(true, smallArea*c, n, m, smallArea*c), c}
}

// SizeBF16 returns how many values the filters take.
func SizeBF16(c, n int) int { return matmul.SizeBF16(smallArea*c, n) }

// smallFilter is G for one row or column.
func smallFilter(a, b, c float64) [smallIn]float64 {
	return [smallIn]float64{a, (a + b + c) / 2, (a - b + c) / 2, c}
}

// smallBlock is how many neighbouring channels are transformed together: even
// ones come before odd ones, see smallOrder.
const smallBlock = 32

// smallOrder returns the place of channel c.
func smallOrder(c int) int {
	return c&^(smallBlock-1) | c%2*(smallBlock/2) | c%smallBlock/2
}

// FasterBF16 reports whether a convolution g of BF16 pictures with n output channels
// is faster by Winograd.
func FasterBF16(g *kernels.Conv, n int) bool {
	q := g.Defaults()
	// AMX multiplies so fast that the transforms would take most of the time.
	return q.Unit3x3() && cpu.ActiveUnit == cpu.AVX512BF16 && q.C%smallBlock == 0 && q.C > 0 && n >= 32
}

// smallValues is about how many values of transformed pictures go through the
// matrices together: they stay in the second-level cache.
const smallValues = 1 << 17

// A smallRun is one convolution under way: blocks of tiles are the tasks of a
// team.
type smallRun struct {
	tiling[vmath.BF16]
	w     *FiltersBF16
	block int          // tiles of a task
	zero  []vmath.BF16 // kept from call to call
	task  func(int)
}

// A smallScratch is the working memory of a task.
type smallScratch struct {
	in     smallInput
	out    smallOutput
	v      []vmath.BF16 // transformed pictures: 16 matrices
	m      []float32    // products with some columns: 16 matrices
	pixels [smallOut * smallOut * 32]float32
	off    []int
	part   matmul.Part[vmath.BF16]
}

var smallPool = sync.Pool{New: func() any {
	r := new(smallRun)
	r.rows, r.cols = smallOut, smallOut
	r.task = r.run
	return r
}}

var smallScratchPool = sync.Pool{New: func() any { return new(smallScratch) }}

// Conv computes Y = act(X ∗ W + …) for batch pictures as matmul.PackedBF16.Conv does; g
// must have 3×3 taps and no strides or dilations. The transformed pictures are
// rounded to BF16, so that errors are about twice as large.
func (w *FiltersBF16) Conv(g *kernels.Conv, batch int, x, y []vmath.BF16, ldy int, ep *kernels.EpilogueBF16, team *workers.Team) {
	r := smallPool.Get().(*smallRun)
	defer smallPool.Put(r)
	r.w = w
	r.start(g, w.c, w.u.N(), batch, x, y, ldy, ep)
	if r.tiles > 0 && w.u.N() > 0 {
		r.runBlocks(team)
	}
	r.w = nil
	r.release()
}

func (r *smallRun) runBlocks(team *workers.Team) {
	c, h := r.w.c, r.w.u.TileRows()
	if len(r.zero) < c {
		r.zero = make([]vmath.BF16, c)
	}
	threads := team.For(r.tiles * smallArea * c * r.w.u.N())
	r.block = max(h, smallValues/(smallArea*c)/h*h)
	// Blocks of equal size, a few for each thread.
	count := kernels.Ceil(r.tiles, r.block)
	if threads > 1 {
		count = max(kernels.Ceil(count, threads)*threads, min(3*threads, kernels.Ceil(r.tiles, h)))
	}
	r.block = kernels.Ceil(kernels.Ceil(r.tiles, count), h) * h
	team.Run(threads, kernels.Ceil(r.tiles, r.block), r.task)
}

// run computes the pixels of one block of tiles.
func (r *smallRun) run(task int) {
	s := smallScratchPool.Get().(*smallScratch)
	defer smallScratchPool.Put(s)
	u, c := r.w.u, r.w.c
	i0 := task * r.block
	rows := min(r.block, r.tiles-i0)

	// An odd number of cache lines from a row to the next spreads them over the
	// sets of the cache.
	ldv := c | 32
	nextV := rows * ldv
	if need := smallArea * nextV; len(s.v) < need {
		s.v = make([]vmath.BF16, need)
	}
	for i := range rows {
		r.transform(&s.in, i0+i, s.v[i*ldv:], nextV)
	}

	nextM := rows*32 | 16
	if need := smallArea * nextM; len(s.m) < need {
		s.m = make([]float32, need)
	}
	if len(s.off) < rows {
		s.off = make([]int, rows)
	}
	for i := range rows {
		s.off[i] = i * ldv
	}
	t := &s.part
	t.Lda, t.Off, t.Rows, t.K = ldv, s.off, rows, c
	for p := range u.Panels() {
		j, cols, width := u.Panel(p)
		t.P0, t.P1, t.Ldc = p, p+1, width
		for x := range smallArea {
			t.A, t.C, t.K0 = s.v[x*nextV:], s.m[x*nextM:], x*c
			u.MulPart(t)
		}
		for i := range rows {
			r.results(s, i0+i, j, cols, s.m[i*width:], nextM)
		}
	}
	t.A, t.C, t.Off = nil, nil, nil
	s.in.x, s.in.zero, s.in.v, s.out = nil, nil, nil, smallOutput{}
}

// transform fills the rows of a tile in the 16 matrices from v on.
func (r *smallRun) transform(t *smallInput, tile int, v []vmath.BF16, next int) {
	r.window(t.off[:], r.place(tile))
	t.x, t.zero, t.channels, t.v, t.next = r.x, r.zero, r.w.c, v, next
	r.w.input(t)
}

// results transforms products m into the pixels of a tile, cols channels from j.
func (r *smallRun) results(s *smallScratch, tile, j, cols int, m []float32, next int) {
	at := r.place(tile)
	pixel := r.pixel(at)
	t, e := &s.out, &r.ep
	t.m, t.next, t.channels = m, next, cols
	t.rows, t.cols = at.rows, at.cols
	t.y, t.yRow, t.yCol = r.y[pixel*r.ldy+j:], r.g.OW*r.ldy, r.ldy
	if e.Residual != nil {
		t.d, t.dRow, t.dCol = e.Residual[pixel*e.LdRes+j:], r.g.OW*e.LdRes, e.LdRes
	}
	if e.Bias != nil {
		t.bias = e.Bias[j:]
	}
	t.lo, t.hi = r.limits()
	late := e.Late()
	if late {
		t.f, t.yRow, t.yCol = s.pixels[:], smallOut*32, 32
	}
	r.w.output(t)
	if !late {
		return
	}
	for i := range t.rows * t.cols {
		y, x := i/t.cols, i%t.cols
		row, p := s.pixels[(y*smallOut+x)*32:][:cols], pixel+y*r.g.OW+x
		e.Activate(row, 1, cols, 0)
		vmath.ToBF16(r.y[p*r.ldy+j:][:cols], row)
	}
}

// A smallInput is the job of the first transform: a window of 4×4 pixels becomes
// Bᵀ·d·B, the row of one tile in each of 16 matrices.
//
// The assembly reads the fields of this and the next by the names in go_asm.h; of
// a slice it takes the address only. Distances are in values.
type smallInput struct {
	x        []vmath.BF16
	off      [smallArea]int // position in x of each pixel of the window, or outside
	zero     []vmath.BF16   // what an outside pixel reads: channels zeros
	channels int            // a multiple of smallBlock

	v    []vmath.BF16 // the row in the first matrix
	next int          // from a matrix to the next

	ptr [smallArea]uintptr // for the assembly: addresses of the pixels
}

// A smallOutput is the job of the last transform: the row of one tile in each of
// 16 matrices becomes 2×2 pixels y = clamp(Aᵀ·M·A + bias + d), or fewer at the
// edges.
type smallOutput struct {
	m        []float32 // the row in the first matrix, with space for whole vectors
	next     int       // from a matrix to the next
	channels int       // up to 32

	rows, cols int // pixels to store, 1 or 2 each
	y          []vmath.BF16
	f          []float32    // result without rounding, instead of y; nil for none
	yRow, yCol int          // from a row of pixels, and from a pixel, to the next
	d          []vmath.BF16 // nil for none; may be y itself
	dRow, dCol int
	bias       []float32 // nil for none
	lo, hi     float32   // limits, infinite for none; a NaN stays one
}

// A kernelBF16 is what a unit has for the transforms.
type kernelBF16 struct {
	input  func(*smallInput)
	output func(*smallOutput)
}

// units holds the kernels by unit; kernels_amd64.go enters its own.
var units = [cpu.Units]kernelBF16{cpu.NoUnit: {smallInputGeneric, smallOutputGeneric}}

func smallInputGeneric(t *smallInput) {
	for c := range t.channels {
		var d, q [smallIn][smallIn]float32 // q is transposed
		for i, o := range t.off {
			if o >= 0 {
				d[i%smallIn][i/smallIn] = t.x[o+c].Float32()
			}
		}
		for j, v := range d {
			for i, v := range smallInput1(&v) {
				q[i][j] = v
			}
		}
		for i, v := range q {
			for j, v := range smallInput1(&v) {
				t.v[(i*smallIn+j)*t.next+smallOrder(c)] = vmath.RoundBF16(v)
			}
		}
	}
}

func smallOutputGeneric(t *smallOutput) {
	for c := range t.channels {
		var q [smallOut][smallIn]float32
		for j := range smallIn {
			var m [smallIn]float32
			for i := range m {
				m[i] = t.m[(i*smallIn+j)*t.next+c]
			}
			for i, v := range smallOutput1(&m) {
				q[i][j] = v
			}
		}
		for i := range t.rows {
			p := smallOutput1(&q[i])
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
					t.y[i*t.yRow+j*t.yCol+c] = vmath.RoundBF16(v)
				}
			}
		}
	}
}

// smallInput1 is Bᵀ for one row or column.
func smallInput1(d *[smallIn]float32) [smallIn]float32 {
	return [smallIn]float32{d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]}
}

// smallOutput1 is Aᵀ for one row or column.
func smallOutput1(m *[smallIn]float32) [smallOut]float32 {
	return [smallOut]float32{m[0] + m[1] + m[2], m[1] - m[2] - m[3]}
}
