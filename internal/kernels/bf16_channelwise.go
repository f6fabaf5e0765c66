package kernels

import "sync"

// A stripsBF16 is a depthwise convolution or a pool of BF16 pictures under way.
// Its output rows are the tasks of a team.
type stripsBF16 struct {
	kind     stripKind
	g        Conv
	x, y     []BF16
	f        []float32 // instead of y
	ldy      int
	ep       EpilogueBF16
	countPad bool
	perTask  int // rows
	rows     int

	w, bias []float32 // as the kernel takes them
	wCol    int
	room    []float32 // for them, kept from call to call

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

// A lineBF16 is an output row before a late epilogue.
type lineBF16 struct{ f []float32 }

var lineBF16Pool = sync.Pool{New: func() any { return new(lineBF16) }}

// DepthwiseBF16 is Depthwise on BF16 pictures, with float32 weights: sums are
// float32, rounded once after the epilogue.
func (g *Conv) DepthwiseBF16(batch int, x []BF16, w []float32, y []BF16, ldy int, ep *EpilogueBF16, team *Team) {
	checkMatrix("W", false, g.KH*g.KW, g.C, w, g.C)
	p := stripBF16Pool.Get().(*stripsBF16)
	p.kind = depthwise
	if ep != nil {
		p.ep = *ep
		ep.check(batch*g.OH*g.OW, g.C)
	}
	p.arrange(w, g.KH*g.KW, g.C)
	p.run(g, batch, x, y, ldy, team)
}

// MaxPoolBF16 is MaxPool on BF16 pictures.
func (g *Conv) MaxPoolBF16(batch int, x, y []BF16, ldy int, team *Team) {
	p := stripBF16Pool.Get().(*stripsBF16)
	p.kind = maxPool
	p.run(g, batch, x, y, ldy, team)
}

// AveragePoolBF16 is AveragePool on BF16 pictures, with float32 sums.
func (g *Conv) AveragePoolBF16(batch int, countPad bool, x, y []BF16, ldy int, team *Team) {
	p := stripBF16Pool.Get().(*stripsBF16)
	p.kind, p.countPad = averagePool, countPad
	p.run(g, batch, x, y, ldy, team)
}

// AveragePoolFloat32 is AveragePoolBF16 without the rounding of Y.
func (g *Conv) AveragePoolFloat32(batch int, countPad bool, x []BF16, y []float32, ldy int, team *Team) {
	checkMatrix("Y", false, batch*g.OH*g.OW, g.C, y, ldy)
	p := stripBF16Pool.Get().(*stripsBF16)
	p.kind, p.countPad, p.f = averagePool, countPad, y
	p.run(g, batch, x, nil, ldy, team)
}

// arrange prepares the weights of taps×c and the bias for the kernel.
func (p *stripsBF16) arrange(w []float32, taps, c int) {
	if activeUnit == plain {
		p.w, p.wCol, p.bias = w, c, p.ep.Bias
		return
	}
	p.wCol = ceil(c, spreadBlock) * spreadBlock
	if n := (taps + 1) * p.wCol; len(p.room) < n {
		p.room = make([]float32, n)
	}
	p.bias, p.w = p.room[:p.wCol], p.room[p.wCol:]
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
func (p *stripsBF16) run(g *Conv, batch int, x, y []BF16, ldy int, team *Team) {
	p.g = g.defaults()
	checkMatrix("X", false, batch*g.H*g.W, g.C, x, p.g.Ld)
	if p.f == nil {
		checkMatrix("Y", false, batch*g.OH*g.OW, g.C, y, ldy)
	}
	p.x, p.y, p.ldy, p.rows = x, y, ldy, batch*g.OH
	// These kernels do fewer multiply-adds in a time than the tiles do.
	threads := threadsFor(team, 8*p.rows*g.OW*g.C*g.KH*g.KW)
	p.perTask = ceil(p.rows, 4*threads)
	if threads == 1 {
		p.perTask = max(p.rows, 1)
	}
	if g.OW > 0 && g.C > 0 {
		team.Run(threads, ceil(p.rows, max(p.perTask, 1)), p.rowTask)
	}
	p.x, p.y, p.f, p.w, p.bias, p.ep = nil, nil, nil, nil, nil, EpilogueBF16{}
	stripBF16Pool.Put(p)
}

// row computes output row r, counted over all pictures.
func (p *stripsBF16) row(r int) {
	g := &p.g
	w := g.window(r * g.OW)
	y0, y1 := inside(w.y, g.KH, g.DilH, g.H)
	t := stripBF16{
		xRow: g.W * g.Ld * g.DilH, xCol: g.Ld * g.DilW, xPix: g.Ld * g.StrideW,
		wRow: g.KW * p.wCol, wCol: p.wCol, yPix: p.ldy,
		channels: g.C,
	}
	t.lo, t.hi, t.clamp = p.ep.clamp()
	late := p.ep.late() || p.ep.Residual != nil
	var line *lineBF16
	if late {
		line = lineBF16Pool.Get().(*lineBF16)
		defer lineBF16Pool.Put(line)
		if len(line.f) < g.OW*g.C {
			line.f = make([]float32, g.OW*g.C)
		}
		t.clamp, t.yPix = false, g.C
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
		if i >= whole0 && whole1-whole0 >= 4 && i < whole1 {
			// Of the last four pixels some may be computed twice.
			i = min(i, whole1-4)
			n = (whole1 - i) &^ 3
		}
		x := w.x + i*g.StrideW
		x0, x1 := inside(x, g.KW, g.DilW, g.W)
		t.kh, t.kw, t.pixels = y1-y0, x1-x0, n
		switch {
		case late:
			t.f = line.f[i*g.C:]
		case p.f != nil:
			t.f = p.f[(r*g.OW+i)*p.ldy:]
		default:
			t.y = p.y[(r*g.OW+i)*p.ldy:]
		}
		i += n
		if t.kh <= 0 || t.kw <= 0 {
			t.bias = p.ep.Bias
			t.runGeneric(p.kind)
			continue
		}
		t.bias = p.bias
		t.x = p.x[w.picture+((w.y+y0*g.DilH)*g.W+x+x0*g.DilW)*g.Ld:]
		switch {
		case p.kind == depthwise:
			t.w = p.w[y0*t.wRow+x0*t.wCol:]
		case p.kind == averagePool && p.countPad:
			t.scale = 1 / float32(g.KH*g.KW)
		case p.kind == averagePool:
			t.scale = 1 / float32(t.kh*t.kw)
		}
		t.run(p.kind)
	}
	if late {
		p.finish(line.f[:g.OW*g.C], r*g.OW)
	}
}

// finish does what the kernel cannot to an output row x, whose first pixel is i,
// and stores it.
func (p *stripsBF16) finish(x []float32, i int) {
	if p.ep.Residual != nil {
		for j := range p.g.OW {
			addFloat32(x[j*p.g.C:][:p.g.C], p.ep.Residual[(i+j)*p.ep.LdRes:])
		}
	}
	p.ep.activate(x)
	for j := range p.g.OW {
		toBF16(p.y[(i+j)*p.ldy:][:p.g.C], x[j*p.g.C:])
	}
}
