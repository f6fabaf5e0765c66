// Package depthwise computes convolutions of each channel on its own, and pooling.
package depthwise

import (
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// A job is a depthwise convolution or a pool under way. Its output rows are the
// tasks of a team.
type job[T kernels.Value] struct {
	kind     kind
	g        kernels.Conv
	x, y     []T
	f        []float32 // BF16: Y without rounding, instead of y; nil for none
	ldy      int
	ep       kernels.EpilogueOf[T]
	countPad bool

	w, bias []float32 // as the kernel takes them
	wCol    int       // from a weight to the next
	buf     []float32 // for them, kept from call to call

	rows     int
	perTask  int // rows
	band     int // rows that are computed together
	channels int // of a band that are computed together; float32 only

	task func(int)
}

// A kind is what is computed of each window.
type kind uint8

const (
	depthwise kind = iota
	maxPool
	averagePool
)

var (
	jobs     = sync.Pool{New: func() any { p := new(job[float32]); return p.runs(func(r0, r1 int) { rows(p, r0, r1) }) }}
	jobsBF16 = sync.Pool{New: func() any { p := new(job[vmath.BF16]); return p.runs(func(r0, r1 int) { rowsBF16(p, r0, r1) }) }}
)

// runs sets what computes rows r0…r1-1, counted over all pictures.
func (p *job[T]) runs(rows func(r0, r1 int)) *job[T] {
	p.task = func(i int) {
		end := min((i+1)*p.perTask, p.rows)
		for r := i * p.perTask; r < end; r += p.band {
			rows(r, min(r+p.band, end))
		}
	}
	return p
}

// newJob returns a job of its kind.
func newJob[T kernels.Value](k kind) *job[T] {
	pool := &jobs
	if _, ok := any(*new(T)).(vmath.BF16); ok {
		pool = &jobsBF16
	}
	p := pool.Get().(*job[T])
	p.kind = k
	return p
}

// Conv computes Y = act(X ∗ W + …), each channel on its own. W is [KH, KW, C], the
// rest as for matmul.PackedB.Conv, but ep.Residual cannot be Y. Of BF16 pictures
// sums are float32, rounded once after the epilogue.
func Conv[T kernels.Value](g *kernels.Conv, batch int, x []T, w []float32, y []T, ldy int, ep *kernels.EpilogueOf[T], team *workers.Team) {
	kernels.CheckMatrix("W", false, g.KH*g.KW, g.C, w, g.C)
	p := newJob[T](depthwise)
	if ep != nil {
		p.ep = *ep
		ep.Check(batch*g.OH*g.OW, g.C)
	}
	p.w, p.wCol, p.bias = w, g.C, p.ep.Bias
	p.run(g, batch, x, y, ldy, team)
}

// MaxPool computes the largest value of each window and channel; of a window
// outside of the picture that is −Inf. What becomes of a NaN is not defined.
// X, Y and team are as for matmul.PackedB.Conv.
func MaxPool[T kernels.Value](g *kernels.Conv, batch int, x, y []T, ldy int, team *workers.Team) {
	newJob[T](maxPool).run(g, batch, x, y, ldy, team)
}

// AveragePool computes the mean of each window and channel: the sum of the taps
// inside of the picture, divided by their number or, with countPad, by KH·KW.
// The mean of a window outside of the picture is 0. X, Y and team are as for
// matmul.PackedB.Conv.
func AveragePool[T kernels.Value](g *kernels.Conv, batch int, countPad bool, x, y []T, ldy int, team *workers.Team) {
	p := newJob[T](averagePool)
	p.countPad = countPad
	p.run(g, batch, x, y, ldy, team)
}

// AveragePoolFloat32 is AveragePool of BF16 pictures without the rounding of Y.
func AveragePoolFloat32(g *kernels.Conv, batch int, countPad bool, x []vmath.BF16, y []float32, ldy int, team *workers.Team) {
	kernels.CheckMatrix("Y", false, batch*g.OH*g.OW, g.C, y, ldy)
	p := newJob[vmath.BF16](averagePool)
	p.countPad, p.f = countPad, y
	p.run(g, batch, x, nil, ldy, team)
}

// run computes all rows, and releases p.
func (p *job[T]) run(g *kernels.Conv, batch int, x, y []T, ldy int, team *workers.Team) {
	p.g = g.Defaults()
	kernels.CheckMatrix("X", false, batch*g.H*g.W, g.C, x, p.g.Ld)
	if p.f == nil {
		kernels.CheckMatrix("Y", false, batch*g.OH*g.OW, g.C, y, ldy)
	}
	p.x, p.y, p.ldy, p.rows = x, y, ldy, batch*g.OH
	p.band, p.channels = max(p.rows, 1), max(g.C, 1)
	var work int // these kernels do fewer multiply-adds in a time than those of products
	pool := &jobs
	switch p := any(p).(type) {
	case *job[float32]:
		work = 4
		p.block()
	case *job[vmath.BF16]:
		work, pool = 8, &jobsBF16
		spreadWeights(p)
	}
	threads := team.For(work * p.rows * g.OW * g.C * g.KH * g.KW)
	p.perTask = kernels.Ceil(p.rows, 4*threads)
	if threads == 1 {
		p.perTask = max(p.rows, 1)
	}
	if g.OW > 0 && g.C > 0 {
		team.Run(threads, kernels.Ceil(p.rows, max(p.perTask, 1)), p.task)
	}
	p.x, p.y, p.f, p.w, p.bias, p.ep = nil, nil, nil, nil, nil, kernels.EpilogueOf[T]{}
	p.countPad = false
	pool.Put(p)
}

const (
	nearFloats   = 12 << 10 // stay near the first-level cache: a third is in use at a time
	farFloats    = 64 << 10 // stay in the second-level cache
	nearChannels = 128      // more gain nothing
)

// block sets how much is computed together: of a depthwise convolution as many
// channels as the rows of their windows stay in the first-level cache, where
// neighbouring windows share them, and as many rows as stay in the second-level
// cache until the last channels are done. Pools hardly gain by it, and where an
// activation is computed pixel by pixel, a few channels are too short for it.
func (p *job[T]) block() {
	g := &p.g
	if p.kind == depthwise && g.KH*g.W*g.C > nearFloats && (levels[cpu.Active].shortRows || !p.ep.Late()) {
		p.channels = min(max(nearFloats/(g.KH*g.W)&^(channelBlock-1), channelBlock), nearChannels)
		p.band = max(farFloats/(g.W*g.C*g.StrideH), 1)
	}
}

// channelBlock is what the number of channels of a block is a multiple of.
const channelBlock = 16

// rows computes the output rows r0…r1-1, counted over all pictures.
func rows(p *job[float32], r0, r1 int) {
	for r0 < r1 {
		picture, y0 := r0/p.g.OH, r0%p.g.OH
		y1 := min(y0+r1-r0, p.g.OH)
		for c0 := 0; c0 < p.g.C; {
			c1 := c0 + p.channels
			if p.g.C-c1 < channelBlock { // too few for a block of their own
				c1 = p.g.C
			}
			computePart(p, picture, y0, y1, c0, c1)
			c0 = c1
		}
		r0 += y1 - y0
	}
}

// computePart computes the channels c0…c1-1 of the output rows y0…y1-1 of a picture.
func computePart(p *job[float32], picture, y0, y1, c0, c1 int) {
	g := &p.g
	lo, hi, clamp := p.ep.Clamp()
	clamp = clamp && p.ep.Residual == nil
	s := partPool.Get().(*part)
	defer partPool.Put(s)
	*s = part{p: p, picture: picture, c0: c0, t: strip{
		channels: c1 - c0, clamp: clamp, lo: lo, hi: hi,
	}}
	defer func() { *s = part{} }()
	if p.ep.Bias != nil {
		s.t.bias = p.ep.Bias[c0:c1]
	}
	if p.kind == depthwise {
		// Windows that lie wholly between the borders share their taps along
		// rows; those on the left and the right border share theirs downwards.
		left, right := kernels.Whole(g.PadLeft, g.KW, g.StrideW, g.DilW, g.W, g.OW)
		top, bottom := kernels.Whole(g.PadTop, g.KH, g.StrideH, g.DilH, g.H, g.OH)
		top = min(max(top, y0), y1)
		bottom = min(max(bottom, top), y1)
		for y := y0; y < y1; y++ {
			s.compute(y, left, right-left, false)
		}
		for x := range g.OW {
			if x >= left && x < right {
				continue
			}
			for y := y0; y < top; y++ {
				s.compute(y, x, 1, false)
			}
			s.compute(top, x, bottom-top, true)
			for y := bottom; y < y1; y++ {
				s.compute(y, x, 1, false)
			}
		}
	} else {
		for y := y0; y < y1; y++ {
			for x := range g.OW {
				s.compute(y, x, 1, false)
			}
		}
	}
	if clamp || p.ep.Act == vmath.ActNone && p.ep.Residual == nil {
		return
	}
	first, pixels := (picture*g.OH+y0)*g.OW, (y1-y0)*g.OW
	y := p.y[first*p.ldy+c0:]
	if p.ep.Residual != nil {
		for i := range pixels {
			row := y[i*p.ldy:][:c1-c0]
			vmath.Add(row, row, p.ep.Residual[(first+i)*p.ep.LdRes+c0:])
		}
	}
	p.ep.Activate(y, pixels, c1-c0, p.ldy)
}

// A part is some channels of some rows of a picture under way, as one strip after
// the other.
type part struct {
	p           *job[float32]
	picture, c0 int
	t           strip
}

var partPool = sync.Pool{New: func() any { return new(part) }}

// compute computes n output pixels from row oy, column ox on: of that row, or
// down the column.
func (s *part) compute(oy, ox, n int, down bool) {
	if n == 0 {
		return
	}
	p, g, t := s.p, &s.p.g, &s.t
	y, x := oy*g.StrideH-g.PadTop, ox*g.StrideW-g.PadLeft
	y0, y1 := kernels.Inside(y, g.KH, g.DilH, g.H)
	x0, x1 := kernels.Inside(x, g.KW, g.DilW, g.W)
	t.pixels = n
	if down { // rows are columns
		t.kh, t.xRow, t.wRow = x1-x0, g.Ld*g.DilW, g.C
		t.kw, t.xCol, t.wCol = y1-y0, g.Ld*g.W*g.DilH, g.KW*g.C
		t.xPix, t.yPix = g.Ld*g.W*g.StrideH, p.ldy*g.OW
	} else {
		t.kh, t.xRow, t.wRow = y1-y0, g.Ld*g.W*g.DilH, g.KW*g.C
		t.kw, t.xCol, t.wCol = x1-x0, g.Ld*g.DilW, g.C
		t.xPix, t.yPix = g.Ld*g.StrideW, p.ldy
	}
	t.y = p.y[((s.picture*g.OH+oy)*g.OW+ox)*p.ldy+s.c0:]
	if t.kh > 0 && t.kw > 0 {
		t.x = p.x[((s.picture*g.H+y+y0*g.DilH)*g.W+x+x0*g.DilW)*g.Ld+s.c0:]
		if p.kind == depthwise {
			t.w = p.w[(y0*g.KW+x0)*g.C+s.c0:]
		}
	}
	s.strip()
}

// strip computes s.t; it may have no taps.
func (s *part) strip() {
	p, t := s.p, &s.t
	empty := t.kh <= 0 || t.kw <= 0
	switch {
	case p.kind == depthwise && empty:
		depthwiseGeneric(t)
	case p.kind == depthwise:
		t.kernel().depthwise(t)
	case empty:
		v := float32(0)
		if p.kind == maxPool {
			v = -vmath.Inf
		}
		for c := range t.y[:t.channels] {
			t.y[c] = v
		}
	case p.kind == maxPool:
		t.kernel().maxPool(t)
	default:
		t.scale = 1 / float32(t.kh*t.kw)
		if p.countPad {
			t.scale = 1 / float32(p.g.KH*p.g.KW)
		}
		t.kernel().sumPool(t)
	}
}
