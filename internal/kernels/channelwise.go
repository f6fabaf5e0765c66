package kernels

import "sync"

// A strips is a depthwise convolution or a pool under way. Its output rows are
// the tasks of a team.
type strips struct {
	kind     stripKind
	g        Conv
	x, w, y  []float32
	ldy      int
	ep       Epilogue
	countPad bool
	perTask  int // rows
	rows     int
	rowTask  func(int)
}

type stripKind uint8

const (
	depthwise stripKind = iota
	maxPool
	averagePool
)

var stripPool = sync.Pool{New: func() any {
	p := new(strips)
	p.rowTask = func(i int) {
		for r := i * p.perTask; r < min((i+1)*p.perTask, p.rows); r++ {
			p.row(r)
		}
	}
	return p
}}

// Depthwise computes Y = act(X ∗ W + …), each channel on its own. W is
// [KH, KW, C], the rest as for PackedB.Conv, but ep.Residual cannot be Y.
func (g *Conv) Depthwise(batch int, x, w, y []float32, ldy int, ep *Epilogue, team *Team) {
	checkMatrix("W", false, g.KH*g.KW, g.C, w, g.C)
	p := stripPool.Get().(*strips)
	p.kind, p.w = depthwise, w
	if ep != nil {
		p.ep = *ep
		ep.check(batch*g.OH*g.OW, g.C)
	}
	p.run(g, batch, x, y, ldy, team)
}

// MaxPool computes the largest value of each window and channel; of a window
// outside of the picture that is −Inf. What becomes of a NaN is not defined.
// X, Y and team are as for PackedB.Conv.
func (g *Conv) MaxPool(batch int, x, y []float32, ldy int, team *Team) {
	p := stripPool.Get().(*strips)
	p.kind = maxPool
	p.run(g, batch, x, y, ldy, team)
}

// AveragePool computes the mean of each window and channel: the sum of the taps
// inside of the picture, divided by their number or, with countPad, by KH·KW.
// The mean of a window outside of the picture is 0. X, Y and team are as for
// PackedB.Conv.
func (g *Conv) AveragePool(batch int, countPad bool, x, y []float32, ldy int, team *Team) {
	p := stripPool.Get().(*strips)
	p.kind, p.countPad = averagePool, countPad
	p.run(g, batch, x, y, ldy, team)
}

// run computes all rows, and hands p back.
func (p *strips) run(g *Conv, batch int, x, y []float32, ldy int, team *Team) {
	p.g = g.defaults()
	checkMatrix("X", false, batch*g.H*g.W, g.C, x, p.g.Ld)
	checkMatrix("Y", false, batch*g.OH*g.OW, g.C, y, ldy)
	p.x, p.y, p.ldy, p.rows = x, y, ldy, batch*g.OH
	// These kernels do fewer multiply-adds in a time than the tiles do.
	work := 4 * p.rows * g.OW * g.C * g.KH * g.KW
	threads := threadsFor(team, work)
	p.perTask = ceil(p.rows, 4*threads)
	if threads == 1 {
		p.perTask = max(p.rows, 1)
	}
	if g.OW > 0 && g.C > 0 {
		team.Run(threads, ceil(p.rows, max(p.perTask, 1)), p.rowTask)
	}
	p.x, p.w, p.y, p.ep = nil, nil, nil, Epilogue{}
	stripPool.Put(p)
}

// inside returns which of n taps, step apart from position p on, lie in 0…size-1:
// those from lo up to hi.
func inside(p, n, step, size int) (lo, hi int) {
	if p < 0 {
		lo = min(ceil(-p, step), n)
	}
	if p+(n-1)*step >= size {
		hi = max(ceil(size-p, step), lo)
		return lo, min(hi, n)
	}
	return lo, n
}

// row computes output row r, counted over all pictures.
func (p *strips) row(r int) {
	g := &p.g
	w := g.window(r * g.OW)
	y0, y1 := inside(w.y, g.KH, g.DilH, g.H)
	lo, hi, clamp := p.ep.clamp()
	clamp = clamp && p.ep.Residual == nil
	t := strip{
		xRow: g.W * g.Ld * g.DilH, xCol: g.Ld * g.DilW, xPix: g.Ld * g.StrideW,
		wRow: g.KW * g.C, wCol: g.C, yPix: p.ldy,
		channels: g.C, bias: p.ep.Bias, clamp: clamp, lo: lo, hi: hi,
	}
	// Windows that lie wholly between the left and the right border share
	// their taps.
	whole0 := min(ceil(max(g.PadLeft, 0), g.StrideW), g.OW)
	whole1 := 0
	if room := g.W - 1 - (g.KW-1)*g.DilW + g.PadLeft; room >= 0 {
		whole1 = min(room/g.StrideW+1, g.OW)
	}
	for i := 0; i < g.OW; {
		n := 1
		if p.kind == depthwise && i >= whole0 && whole1-whole0 >= fullStrip && i < whole1 {
			// The last strip overlaps the one before.
			n, i = fullStrip, min(i, whole1-fullStrip)
		}
		x := w.x + i*g.StrideW
		x0, x1 := inside(x, g.KW, g.DilW, g.W)
		t.kh, t.kw, t.pixels = y1-y0, x1-x0, n
		t.y = p.y[(r*g.OW+i)*p.ldy:]
		if t.kh > 0 && t.kw > 0 {
			t.x = p.x[w.picture+((w.y+y0*g.DilH)*g.W+x+x0*g.DilW)*g.Ld:]
			if p.kind == depthwise {
				t.w = p.w[y0*t.wRow+x0*t.wCol:]
			}
		}
		p.strip(&t)
		i += n
	}
	if clamp || p.ep.Act == ActNone && p.ep.Residual == nil {
		return
	}
	for i := r * g.OW; i < (r+1)*g.OW; i++ {
		y := p.y[i*p.ldy:][:g.C]
		if !p.ep.ResidualAfter {
			addResidual(&p.ep, y, i, 0)
		}
		p.ep.activate(y)
		if p.ep.ResidualAfter {
			addResidual(&p.ep, y, i, 0)
		}
	}
}

// strip computes t; it may have no taps.
func (p *strips) strip(t *strip) {
	empty := t.kh <= 0 || t.kw <= 0
	switch {
	case p.kind == depthwise:
		t.depthwise()
	case empty:
		v := float32(0)
		if p.kind == maxPool {
			v = -inf
		}
		for c := range t.y[:t.channels] {
			t.y[c] = v
		}
	case p.kind == maxPool:
		t.max()
	default:
		t.scale = 1 / float32(t.kh*t.kw)
		if p.countPad {
			t.scale = 1 / float32(p.g.KH*p.g.KW)
		}
		t.sum()
	}
}
