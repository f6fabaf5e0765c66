package depthwise

import (
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A rowBF16 is the working memory for an output row.
type rowBF16 struct {
	t stripBF16
	f []float32 // the row before a late epilogue
}

var rowBF16Pool = sync.Pool{New: func() any { return new(rowBF16) }}

// spreadWeights arranges the weights and the bias as the kernel wants them.
func spreadWeights(p *job[vmath.BF16]) {
	spread := units[cpu.ActiveUnit].spread
	if spread == nil || p.kind != depthwise {
		return
	}
	taps, c, w := p.g.KH*p.g.KW, p.g.C, p.w
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

func rowsBF16(p *job[vmath.BF16], r0, r1 int) {
	for r := r0; r < r1; r++ {
		rowBF16At(p, r)
	}
}

// rowBF16At computes output row r, counted over all pictures.
func rowBF16At(p *job[vmath.BF16], r int) {
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
		finishBF16(p, row.f[:g.OW*g.C], r*g.OW)
	}
}

// finishBF16 does what the kernel cannot to an output row x, whose first pixel is i,
// and stores it.
func finishBF16(p *job[vmath.BF16], x []float32, i int) {
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
