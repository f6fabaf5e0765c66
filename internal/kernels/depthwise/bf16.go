package depthwise

import (
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// A stripsBF16 is a depthwise convolution or a pool of BF16 pictures under way.
// Its output rows are the tasks of a team.
type stripsBF16 struct {
	kind     kind
	g        kernels.Conv
	x, y     []vmath.BF16
	f        []float32 // instead of y
	ldy      int
	ep       kernels.EpilogueBF16
	countPad bool
	perTask  int // rows
	rows     int

	w, bias []float32 // as the kernel takes them
	wCol    int
	buf     []float32 // for them, kept from call to call

	rowTask func(int)
}

var stripBF16Pool = sync.Pool{New: func() any {
	p := new(stripsBF16)
	p.rowTask = func(i int) {
		for r := i * p.perTask; r < min((i+1)*p.perTask, p.rows); r++ {
			p.row(r)
		}
	}
	return p
}}

// A rowBF16 is the working memory for an output row.
type rowBF16 struct {
	t stripBF16
	f []float32 // the row before a late epilogue
}

var rowBF16Pool = sync.Pool{New: func() any { return new(rowBF16) }}

// ConvBF16 is Conv on BF16 pictures, with float32 weights: sums are
// float32, rounded once after the epilogue.
func ConvBF16(g *kernels.Conv, batch int, x []vmath.BF16, w []float32, y []vmath.BF16, ldy int, ep *kernels.EpilogueBF16, team *workers.Team) {
	kernels.CheckMatrix("W", false, g.KH*g.KW, g.C, w, g.C)
	p := stripBF16Pool.Get().(*stripsBF16)
	p.kind = depthwise
	if ep != nil {
		p.ep = *ep
		ep.Check(batch*g.OH*g.OW, g.C)
	}
	p.arrange(w, g.KH*g.KW, g.C)
	p.run(g, batch, x, y, ldy, team)
}

// MaxPoolBF16 is MaxPool on BF16 pictures.
func MaxPoolBF16(g *kernels.Conv, batch int, x, y []vmath.BF16, ldy int, team *workers.Team) {
	p := stripBF16Pool.Get().(*stripsBF16)
	p.kind = maxPool
	p.run(g, batch, x, y, ldy, team)
}

// AveragePoolBF16 is AveragePool on BF16 pictures, with float32 sums.
func AveragePoolBF16(g *kernels.Conv, batch int, countPad bool, x, y []vmath.BF16, ldy int, team *workers.Team) {
	p := stripBF16Pool.Get().(*stripsBF16)
	p.kind, p.countPad = averagePool, countPad
	p.run(g, batch, x, y, ldy, team)
}

// AveragePoolFloat32 is AveragePoolBF16 without the rounding of Y.
func AveragePoolFloat32(g *kernels.Conv, batch int, countPad bool, x []vmath.BF16, y []float32, ldy int, team *workers.Team) {
	kernels.CheckMatrix("Y", false, batch*g.OH*g.OW, g.C, y, ldy)
	p := stripBF16Pool.Get().(*stripsBF16)
	p.kind, p.countPad, p.f = averagePool, countPad, y
	p.run(g, batch, x, nil, ldy, team)
}

// arrange prepares the weights of taps×c and the bias for the kernel.
func (p *stripsBF16) arrange(w []float32, taps, c int) {
	spread := units[cpu.ActiveUnit].spread
	if spread == nil {
		p.w, p.wCol, p.bias = w, c, p.ep.Bias
		return
	}
	p.wCol = kernels.Ceil(c, spreadBlock) * spreadBlock
	if n := (taps + 1) * p.wCol; len(p.buf) < n {
		p.buf = make([]float32, n)
	}
	p.bias, p.w = p.buf[:p.wCol], p.buf[p.wCol:]
	if p.ep.Bias != nil {
		spread(p.bias, p.ep.Bias[:c])
	} else {
		clear(p.bias)
	}
	for i := range taps {
		spread(p.w[i*p.wCol:][:p.wCol], w[i*c:][:c])
	}
}

// run computes all rows, and hands p back.
func (p *stripsBF16) run(g *kernels.Conv, batch int, x, y []vmath.BF16, ldy int, team *workers.Team) {
	p.g = g.Defaults()
	kernels.CheckMatrix("X", false, batch*g.H*g.W, g.C, x, p.g.Ld)
	if p.f == nil {
		kernels.CheckMatrix("Y", false, batch*g.OH*g.OW, g.C, y, ldy)
	}
	p.x, p.y, p.ldy, p.rows = x, y, ldy, batch*g.OH
	// These kernels do fewer multiply-adds in a time than the tiles do.
	threads := team.For(8 * p.rows * g.OW * g.C * g.KH * g.KW)
	p.perTask = kernels.Ceil(p.rows, 4*threads)
	if threads == 1 {
		p.perTask = max(p.rows, 1)
	}
	if g.OW > 0 && g.C > 0 {
		team.Run(threads, kernels.Ceil(p.rows, max(p.perTask, 1)), p.rowTask)
	}
	p.x, p.y, p.f, p.w, p.bias, p.ep = nil, nil, nil, nil, nil, kernels.EpilogueBF16{}
	stripBF16Pool.Put(p)
}

// row computes output row r, counted over all pictures.
func (p *stripsBF16) row(r int) {
	g := &p.g
	w := g.Window(r * g.OW)
	y0, y1 := kernels.Inside(w.Y, g.KH, g.DilH, g.H)
	row := rowBF16Pool.Get().(*rowBF16)
	defer rowBF16Pool.Put(row)
	t := &row.t
	*t = stripBF16{
		xRow: g.W * g.Ld * g.DilH, xCol: g.Ld * g.DilW, xPix: g.Ld * g.StrideW,
		wRow: g.KW * p.wCol, wCol: p.wCol, yPix: p.ldy,
		channels: g.C,
	}
	t.lo, t.hi, t.clamp = p.ep.Clamp()
	late := p.ep.Late() || p.ep.Residual != nil
	if late {
		if len(row.f) < g.OW*g.C {
			row.f = make([]float32, g.OW*g.C)
		}
		t.clamp, t.yPix = false, g.C
	}
	// Windows that lie wholly between the left and the right border share
	// their taps.
	left, right := kernels.Whole(g.PadLeft, g.KW, g.StrideW, g.DilW, g.W, g.OW)
	for i := 0; i < g.OW; {
		n := 1
		if i >= left && right-left >= 4 && i < right {
			// Of the last four pixels some may be computed twice.
			i = min(i, right-4)
			n = (right - i) &^ 3
		}
		x := w.X + i*g.StrideW
		x0, x1 := kernels.Inside(x, g.KW, g.DilW, g.W)
		t.kh, t.kw, t.pixels = y1-y0, x1-x0, n
		switch {
		case late:
			t.f = row.f[i*g.C:]
		case p.f != nil:
			t.f = p.f[(r*g.OW+i)*p.ldy:]
		default:
			t.y = p.y[(r*g.OW+i)*p.ldy:]
		}
		i += n
		if t.kh <= 0 || t.kw <= 0 {
			t.bias = p.ep.Bias
			stripBF16Generic(t, p.kind)
			continue
		}
		t.bias = p.bias
		t.x = p.x[w.Picture+((w.Y+y0*g.DilH)*g.W+x+x0*g.DilW)*g.Ld:]
		switch {
		case p.kind == depthwise:
			t.w = p.w[y0*t.wRow+x0*t.wCol:]
		case p.kind == averagePool && p.countPad:
			t.scale = 1 / float32(g.KH*g.KW)
		case p.kind == averagePool:
			t.scale = 1 / float32(t.kh*t.kw)
		}
		units[cpu.ActiveUnit].strip(t, p.kind)
	}
	*t = stripBF16{}
	if late {
		p.finish(row.f[:g.OW*g.C], r*g.OW)
	}
}

// finish does what the kernel cannot to an output row x, whose first pixel is i,
// and stores it.
func (p *stripsBF16) finish(x []float32, i int) {
	if p.ep.Residual != nil {
		for j := range p.g.OW {
			vmath.AccumulateBF16(x[j*p.g.C:][:p.g.C], p.ep.Residual[(i+j)*p.ep.LdRes:])
		}
	}
	p.ep.Activate(x, 1, len(x), 0)
	for j := range p.g.OW {
		vmath.ToBF16(p.y[(i+j)*p.ldy:][:p.g.C], x[j*p.g.C:])
	}
}
