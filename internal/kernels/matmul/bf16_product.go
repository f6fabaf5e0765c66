package matmul

import (
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Mul computes C = A·B with what ep adds; A is m×B.K(). Sums are float32,
// rounded once to BF16 after the epilogue. The result does not depend on the size of
// team.
func (b *PackedBF16) Mul(m int, a []vmath.BF16, lda int, c []vmath.BF16, ldc int, ep *kernels.EpilogueBF16, team *workers.Team) {
	kernels.CheckMatrix("A", false, m, b.k, a, lda)
	kernels.CheckMatrix("C", false, m, b.n, c, ldc)
	b.mul(m, matrixRows(false, a, lda, b.k), c, nil, ldc, ep, team)
}

// MulFloat32 is Mul without the rounding of C.
func (b *PackedBF16) MulFloat32(m int, a []vmath.BF16, lda int, c []float32, ldc int, ep *kernels.EpilogueBF16, team *workers.Team) {
	kernels.CheckMatrix("A", false, m, b.k, a, lda)
	kernels.CheckMatrix("C", false, m, b.n, c, ldc)
	b.mul(m, matrixRows(false, a, lda, b.k), nil, c, ldc, ep, team)
}

// Conv computes Y = act(X ∗ B + …) as PackedB.Conv does, with float32 sums that
// are rounded once to BF16 after the epilogue.
func (b *PackedBF16) Conv(g *kernels.Conv, batch int, x, y []vmath.BF16, ldy int, ep *kernels.EpilogueBF16, team *workers.Team) {
	m, src := windows(g, b.k, batch, x)
	kernels.CheckMatrix("Y", false, m, b.n, y, ldy)
	b.mul(m, src, y, nil, ldy, ep, team)
}

// ConvFloat32 is Conv without the rounding of Y.
func (b *PackedBF16) ConvFloat32(g *kernels.Conv, batch int, x []vmath.BF16, y []float32, ldy int, ep *kernels.EpilogueBF16, team *workers.Team) {
	m, src := windows(g, b.k, batch, x)
	kernels.CheckMatrix("Y", false, m, b.n, y, ldy)
	b.mul(m, src, nil, y, ldy, ep, team)
}

// A productBF16 is one product of BF16 matrices under way.
type productBF16 struct {
	blocking
	src  rows[vmath.BF16]
	b    *PackedBF16
	c    []vmath.BF16
	f    []float32 // instead of c
	ldc  int
	ep   kernels.EpilogueBF16
	zero []vmath.BF16 // kept from call to call

	blockTask func(int)
}

var productBF16Pool = sync.Pool{New: func() any {
	p := new(productBF16)
	p.blockTask = p.block
	return p
}}

// A scratchBF16 is the working memory of one block.
type scratchBF16 struct {
	scratch[vmath.BF16]
	job  tileBF16
	sum  [32 * 32]float32
	late []float32 // tiles before a late epilogue
}

var scratchBF16Pool = sync.Pool{New: func() any { return new(scratchBF16) }}

// blockValues is about how many values of A are worked on at a time: they stay
// in the second-level cache while the panels of B pass.
const blockValues = 1 << 17

func (b *PackedBF16) mul(m int, src rows[vmath.BF16], c []vmath.BF16, f []float32, ldc int, ep *kernels.EpilogueBF16, team *workers.Team) {
	if m == 0 || b.n == 0 {
		return
	}
	p := productBF16Pool.Get().(*productBF16)
	p.m, p.src, p.b, p.c, p.f, p.ldc = m, src, b, c, f, ldc
	if ep != nil {
		p.ep = *ep
		ep.Check(m, b.n)
	}
	h := b.rows
	p.src.pad = b.kernel.depth
	switch {
	case b.k == 0:
	case b.kernel.inLine:
		p.src.copied = src.windows || src.unit%p.src.pad != 0
	default:
		p.src.copied = src.unit%p.src.pad != 0 || p.src.conflicting(h) && b.Panels() >= 4
	}
	if len(p.zero) < src.unit {
		p.zero = make([]vmath.BF16, src.unit)
	}
	threads := team.For(m * b.n * max(b.k, 1))
	down := max(4*h, min(blockRows, blockValues/max(b.k, 1)))
	p.cut(b.n, b.Panels(), kernels.Ceil(down, h)*h, h, threads)
	team.Run(threads, p.blocks(), p.blockTask)
	p.src, p.b, p.c, p.f, p.ep = rows[vmath.BF16]{}, nil, nil, nil, kernels.EpilogueBF16{}
	productBF16Pool.Put(p)
}

// block computes one block of C.
func (p *productBF16) block(task int) {
	i0, i1, p0, p1 := p.at(task)
	s := scratchBF16Pool.Get().(*scratchBF16)
	defer scratchBF16Pool.Put(s)
	h := p.b.rows
	// All of the sums in one go: C cannot hold what is not finished.
	d := depth{segs: p.src.count, segLen: p.src.unit}
	p.src.load(&s.scratch, h, i0, i1, d)
	t := &s.job
	*t = tileBF16{zero: p.zero, lda: p.src.lda, sum: s.sum[:]}
	defer func() { s.job = tileBF16{} }()
	t.lo, t.hi, t.clamp = p.ep.Clamp()
	late := p.ep.Late()
	most := nearTiles * h // rows at a time
	if p.b.kernel.inLine {
		most = i1 - i0
		if p.src.copied {
			t.lda = s.line
		}
	}
	if n := most * p.b.cols; late && len(s.late) < n {
		s.late = make([]float32, n)
	}
	for i := p0; i < p1; i++ {
		j, cols, width := p.b.Panel(i)
		t.cols, t.width = cols, width
		t.b = p.b.data[p.b.kp*j:]
		if p.ep.Bias != nil {
			t.bias = p.ep.Bias[j:]
		}
		for r := i0; r < i1; r += t.rows {
			if t.rows = i1 - r; !p.b.kernel.inLine {
				t.rows = min(t.rows, h*s.stretch(p.b.anyRows, late, (r-i0)/h, d))
			}
			var n int
			t.a, t.off, t.segs, n = s.segments(&p.src, h, (r-i0)/h, d)
			t.pairs = kernels.Ceil(n, p.src.pad) * p.src.pad / 2
			if p.ep.Residual != nil {
				t.d, t.ldd = p.ep.Residual[r*p.ep.LdRes+j:], p.ep.LdRes
			}
			if late {
				t.f, t.ldc = s.late, width
				p.b.kernel.run(t)
				p.finish(s.late[:t.rows*width], width, r, j, cols)
				continue
			}
			if t.ldc = p.ldc; p.f != nil {
				t.f = p.f[r*p.ldc+j:]
			} else {
				t.c = p.c[r*p.ldc+j:]
			}
			p.b.kernel.run(t)
		}
	}
}

// finish applies a late epilogue to a tile x, with rows of width values, and stores
// it at row i and column j.
func (p *productBF16) finish(x []float32, width, i, j, cols int) {
	p.ep.Activate(x, 1, len(x), 0)
	for ; len(x) > 0; x, i = x[width:], i+1 {
		row := x[:cols]
		if p.f != nil {
			copy(p.f[i*p.ldc+j:], row)
		} else {
			vmath.ToBF16(p.c[i*p.ldc+j:][:cols], row)
		}
	}
}
