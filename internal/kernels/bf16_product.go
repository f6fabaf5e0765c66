package kernels

import (
	"fmt"
	"sync"
)

// An EpilogueBF16 is an Epilogue for a product of BF16 matrices. All of it is
// computed on the float32 sums.
type EpilogueBF16 = EpilogueOf[BF16]

// Mul computes C = A·B with what ep adds; A is m×B.K(). Sums are float32,
// rounded once to BF16 after the epilogue. The result does not
// depend on the size of team.
func (b *PackedBF16) Mul(m int, a []BF16, lda int, c []BF16, ldc int, ep *EpilogueBF16, team *Team) {
	checkMatrix("A", false, m, b.k, a, lda)
	checkMatrix("C", false, m, b.n, c, ldc)
	b.mul(m, matrixRows(false, a, lda, b.k), c, nil, ldc, ep, team)
}

// MulFloat32 is Mul without the rounding of C.
func (b *PackedBF16) MulFloat32(m int, a []BF16, lda int, c []float32, ldc int, ep *EpilogueBF16, team *Team) {
	checkMatrix("A", false, m, b.k, a, lda)
	checkMatrix("C", false, m, b.n, c, ldc)
	b.mul(m, matrixRows(false, a, lda, b.k), nil, c, ldc, ep, team)
}

// Conv computes Y = act(X ∗ B + …) as PackedB.Conv does, with float32 sums that
// are rounded once to BF16 after the epilogue.
func (b *PackedBF16) Conv(g *Conv, batch int, x, y []BF16, ldy int, ep *EpilogueBF16, team *Team) {
	m, src := b.windows(g, batch, x)
	checkMatrix("Y", false, m, b.n, y, ldy)
	b.mul(m, src, y, nil, ldy, ep, team)
}

// ConvFloat32 is Conv without the rounding of Y.
func (b *PackedBF16) ConvFloat32(g *Conv, batch int, x []BF16, y []float32, ldy int, ep *EpilogueBF16, team *Team) {
	m, src := b.windows(g, batch, x)
	checkMatrix("Y", false, m, b.n, y, ldy)
	b.mul(m, src, nil, y, ldy, ep, team)
}

func (b *PackedBF16) windows(g *Conv, batch int, x []BF16) (m int, src rows[BF16]) {
	q := g.defaults()
	if q.KH*q.KW*q.C != b.k {
		panic(fmt.Sprintf("kernels: filters of %d×%d×%d for a matrix of %d rows", q.KH, q.KW, q.C, b.k))
	}
	checkMatrix("X", false, batch*q.H*q.W, q.C, x, q.Ld)
	return batch * q.OH * q.OW, convRows(q, x)
}

// A productBF16 is one product of BF16 matrices under way.
type productBF16 struct {
	blocking
	src  rows[BF16]
	b    *PackedBF16
	c    []BF16
	f    []float32 // instead of c
	ldc  int
	ep   EpilogueBF16
	zero []BF16 // kept from call to call

	blockTask func(int)
}

var productBF16Pool = sync.Pool{New: func() any {
	p := new(productBF16)
	p.blockTask = p.block
	return p
}}

// A roomBF16 is what one block needs.
type roomBF16 struct {
	scratch[BF16]
	sum  [32 * 32]float32
	tile []float32 // before a late epilogue
}

var roomBF16Pool = sync.Pool{New: func() any { return new(roomBF16) }}

// blockValues is about how many values of A are worked on at a time: they stay
// in the second-level cache while the panels of B pass.
const blockValues = 1 << 17

func (b *PackedBF16) mul(m int, src rows[BF16], c []BF16, f []float32, ldc int, ep *EpilogueBF16, team *Team) {
	if m == 0 || b.n == 0 {
		return
	}
	p := productBF16Pool.Get().(*productBF16)
	p.m, p.src, p.b, p.c, p.f, p.ldc = m, src, b, c, f, ldc
	if ep != nil {
		p.ep = *ep
		ep.check(m, b.n)
	}
	h := b.u.rows()
	p.src.pad = b.u.depth()
	switch {
	case b.k == 0:
	case b.u == amx:
		p.src.copied = src.windows || src.unit%p.src.pad != 0
	default:
		p.src.copied = src.unit%p.src.pad != 0 || p.src.conflicting(h) && b.panels() >= 4
	}
	if len(p.zero) < src.unit {
		p.zero = make([]BF16, src.unit)
	}
	threads := threadsFor(team, m*b.n*max(b.k, 1))
	rows := max(4*h, min(blockRows, blockValues/max(b.k, 1)))
	p.cut(b.n, b.panels(), ceil(rows, h)*h, h, threads)
	team.Run(threads, p.blocks(), p.blockTask)
	p.src, p.b, p.c, p.f, p.ep = rows0, nil, nil, nil, EpilogueBF16{}
	productBF16Pool.Put(p)
}

// rows0 lets go of a matrix.
var rows0 rows[BF16]

// block computes one block of C.
func (p *productBF16) block(task int) {
	i0, i1, p0, p1 := p.at(task)
	s := roomBF16Pool.Get().(*roomBF16)
	defer roomBF16Pool.Put(s)
	u := p.b.u
	h := u.rows()
	// All of the sums in one go: C has no room for what is not finished.
	d := depth{segs: p.src.count, segLen: p.src.unit}
	p.src.load(&s.scratch, h, i0, i1, d)
	t := tileBF16{zero: p.zero, lda: p.src.lda, sum: s.sum[:]}
	t.lo, t.hi, t.clamp = p.ep.clamp()
	late := p.ep.late()
	room := nearTiles * h
	if u == amx {
		room = i1 - i0
		if p.src.copied {
			t.lda = s.line
		}
	}
	if n := room * u.cols(); late && len(s.tile) < n {
		s.tile = make([]float32, n)
	}
	for i := p0; i < p1; i++ {
		j, cols, width := p.b.panel(i)
		t.cols, t.width = cols, width
		t.b = p.b.data[p.b.kp*j:]
		if p.ep.Bias != nil {
			t.bias = p.ep.Bias[j:]
		}
		for r := i0; r < i1; r += t.rows {
			if t.rows = i1 - r; u != amx {
				t.rows = min(t.rows, h*s.stretch(u == avx512BF16, late, (r-i0)/h, d))
			}
			var n int
			t.a, t.off, t.segs, n = s.segments(&p.src, h, (r-i0)/h, d)
			t.pairs = ceil(n, p.src.pad) * p.src.pad / 2
			if p.ep.Residual != nil {
				t.d, t.ldd = p.ep.Residual[r*p.ep.LdRes+j:], p.ep.LdRes
			}
			if late {
				t.f, t.ldc = s.tile, width
				t.run(u)
				p.finish(s.tile[:t.rows*width], width, r, j, cols)
				continue
			}
			if t.ldc = p.ldc; p.f != nil {
				t.f = p.f[r*p.ldc+j:]
			} else {
				t.c = p.c[r*p.ldc+j:]
			}
			t.run(u)
		}
	}
}

// finish does what the micro kernel cannot to a tile x, with rows of width
// values, and stores it at row i and column j.
func (p *productBF16) finish(x []float32, width, i, j, cols int) {
	p.ep.activate(x)
	for ; len(x) > 0; x, i = x[width:], i+1 {
		row := x[:cols]
		if p.f != nil {
			copy(p.f[i*p.ldc+j:], row)
		} else {
			toBF16(p.c[i*p.ldc+j:][:cols], row)
		}
	}
}
