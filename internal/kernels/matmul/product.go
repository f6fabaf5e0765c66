// Package matmul multiplies matrices, of float32 or BF16, and computes convolutions as
// products. The right-hand matrix is packed in panels of neighbouring columns: ahead
// for weights (PackedB, PackedBF16), on the way in Mul; a HalfMatrix of float16 is read as
// it is. Blocks of a product, some rows by some panels, are the tasks of a team; in a
// block the micro kernel of the instruction set (kernels_ARCH.go) computes a tile after
// the other, a few rows by one panel. Rows of a convolution are its windows, read from
// the picture where they lie (rows.go). Bias, residual and activation are added to a
// tile or a block while it is in the cache.
package matmul

import (
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// blockRows is about how many rows of A are worked on at a time: with
// maxDepth columns they stay in the second-level cache while the panels of B
// pass. It is a multiple of the rows of every tile.
const blockRows = 240

// directRows is up to how many rows of A the product reads B as it is, since
// packing it would cost more than it saves.
const directRows = 24

// dotRows is the same where B is transposed.
const dotRows = 4

// A product is one matrix product under way. Its blocks, some rows by some
// panels of columns, are the tasks of a team.
type product struct {
	blocking
	src        rows[float32]
	b          *PackedB   // the first of groups
	groups     []*PackedB // all alike; each has its own columns of C
	shift      int        // from where a group reads A to where the next one does
	one        [1]*PackedB
	c          []float32
	ldc        int
	accumulate bool
	ep         kernels.Epilogue

	// For Mul: what is packed first, and memory for it.
	own    PackedB
	transB bool
	rawB   []float32
	ldb    int
	buf    []float32

	packTask, blockTask, dotTask func(int)
}

var productPool = sync.Pool{New: func() any {
	p := new(product)
	p.packTask = func(i int) { p.own.pack(i, p.transB, p.rawB, p.ldb) }
	p.blockTask = p.block
	p.dotTask = p.dotColumns
	return p
}}

// release returns p to the pool and drops what it points to.
func (p *product) release() {
	p.src, p.b, p.groups, p.one[0], p.c, p.ep = rows[float32]{}, nil, nil, nil, nil, kernels.Epilogue{}
	p.own, p.rawB = PackedB{}, nil
	productPool.Put(p)
}

// Mul computes C = A·B, or C += A·B where accumulate is set. A is m×k and B is
// k×n after the optional transposition; lda, ldb and ldc are row strides of the
// slices as stored (row-major). The result does not depend on the size of team.
func Mul(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int, team *workers.Team) {
	kernels.CheckMatrix("A", transA, m, k, a, lda)
	kernels.CheckMatrix("B", transB, k, n, b, ldb)
	kernels.CheckMatrix("C", false, m, n, c, ldc)
	if m == 0 || n == 0 {
		return
	}
	p := productPool.Get().(*product)
	defer p.release()
	p.m, p.c, p.ldc, p.accumulate = m, c, ldc, accumulate
	p.src = matrixRows(transA, a, lda, k)
	p.own = packedB(k, n)
	p.transB, p.rawB, p.ldb = transB, b, ldb
	p.one[0] = &p.own
	p.b, p.groups = &p.own, p.one[:]
	switch {
	case transB && !transA && m <= dotRows && k > 0:
		// Rows of both matrices lie ready for products of vectors.
		team.Run(team.For(m*n*k), kernels.Ceil(n, dotBlock), p.dotTask)
		return
	case !transB && m <= directRows && k > 0:
		p.own.raw, p.own.ldraw = b, ldb
		if _, cols, width := p.own.Panel(p.own.Panels() - 1); cols < width {
			p.own.data = p.need(k * width)
			p.own.packLast(p.own.data, false, b, ldb)
		}
	default:
		p.own.data = p.need(p.own.Size())
		team.Run(team.For(16*k*n), p.own.groups(), p.packTask)
	}
	p.run(team)
}

// Mul computes C = A·B with what ep adds; A is m×B.K().
// The result does not depend on the size of team.
func (b *PackedB) Mul(m int, a []float32, lda int, c []float32, ldc int, ep *kernels.Epilogue, team *workers.Team) {
	kernels.CheckMatrix("A", false, m, b.k, a, lda)
	b.mul(m, matrixRows(false, a, lda, b.k), c, ldc, ep, team)
}

// MulScaled is Mul with column i of A, or row i of B, times scale[i]: for many rows
// of A, since B is scaled.
func (b *PackedB) MulScaled(m int, a []float32, lda int, scale, c []float32, ldc int, ep *kernels.Epilogue, team *workers.Team) {
	kernels.CheckMatrix("A", false, m, b.k, a, lda)
	p := productPool.Get().(*product)
	defer p.release()
	p.own = PackedB{panels: b.panels, kernel: b.kernel, data: p.need(len(b.data))}
	at := 0
	for i := range b.Panels() {
		_, _, w := b.Panel(i)
		for _, f := range scale[:b.k] {
			vmath.Scale(p.own.data[at:][:w], f, b.data[at:])
			at += w
		}
	}
	p.one[0] = &p.own
	p.mul(p.one[:], 0, m, matrixRows(false, a, lda, b.k), c, ldc, ep, team)
}

// mul computes C from any source of rows.
func (b *PackedB) mul(m int, src rows[float32], c []float32, ldc int, ep *kernels.Epilogue, team *workers.Team) {
	p := productPool.Get().(*product)
	defer p.release()
	p.one[0] = b
	p.mul(p.one[:], 0, m, src, c, ldc, ep, team)
}

// mul computes groups of columns, each from rows of A that begin shift behind those
// of the group before.
func (p *product) mul(groups []*PackedB, shift, m int, src rows[float32], c []float32, ldc int, ep *kernels.Epilogue, team *workers.Team) {
	n := len(groups) * groups[0].n
	kernels.CheckMatrix("C", false, m, n, c, ldc)
	if m == 0 || n == 0 {
		return
	}
	p.b, p.groups, p.shift = groups[0], groups, shift
	p.m, p.src, p.c, p.ldc, p.accumulate = m, src, c, ldc, false
	if ep != nil {
		p.ep = *ep
		ep.Check(m, n)
	}
	p.run(team)
}

// need returns memory for n floats, kept from call to call.
func (p *product) need(n int) []float32 {
	if cap(p.buf) < n {
		p.buf = make([]float32, n)
	}
	return p.buf[:n]
}

// run cuts the product into blocks and has them computed.
func (p *product) run(team *workers.Team) {
	h := p.b.rows
	p.src.copied = p.src.copied || p.src.conflicting(h) && p.b.Panels() >= 4 && len(p.groups) == 1
	n := p.b.n * len(p.groups)
	threads := team.For(p.m * n * max(p.b.k, 1))
	p.cut(n, p.b.Panels()*len(p.groups), blockRows, h, threads)
	team.Run(threads, p.blocks(), p.blockTask)
}

// blocking is how m rows by all panels of columns are cut into blocks of nearly
// equal size: down of them, across of them.
type blocking struct {
	m, h, all    int // rows, rows of a tile, panels
	down, across int
	byPanels     bool // neighbouring blocks have the same panels, else the same rows
}

// cut makes blocks of up to rows rows, a multiple of the tile's height h, for n
// columns and a number of threads.
func (b *blocking) cut(n, panels, rows, h, threads int) {
	tiles := kernels.Ceil(b.m, h)
	b.h, b.all = h, panels
	b.down, b.across, b.byPanels = kernels.Ceil(tiles, rows/h), 1, false
	if threads == 1 {
		return
	}
	// Several blocks for each thread, so that none waits long for another, but
	// no smaller ones than let tiles share what is in the first-level cache.
	want := max(threads, min(workers.TasksPerThread*threads, tiles*panels/4))
	// The threads' shares are some rows of A or some panels of B, which each
	// reads alone; the smaller of the two matrices is what they all read.
	if b.byPanels = tiles < 2*threads; b.byPanels {
		b.across = min(panels, want)
		b.down = max(b.down, min(kernels.Ceil(want, b.across), kernels.Ceil(tiles, 3)))
		return
	}
	b.down = max(b.down, min(want, kernels.Ceil(tiles, 3)))
	b.across = min(panels, kernels.Ceil(want, b.down))
}

// blocks returns how many blocks there are.
func (b *blocking) blocks() int { return b.down * b.across }

// at returns the rows i0…i1-1 and the panels p0…p1-1 of a block.
func (b *blocking) at(block int) (i0, i1, p0, p1 int) {
	i, p := block/b.across, block%b.across
	if b.byPanels {
		i, p = block%b.down, block/b.down
	}
	tiles := kernels.Ceil(b.m, b.h)
	i0, i1 = i*tiles/b.down*b.h, min((i+1)*tiles/b.down*b.h, b.m)
	return i0, i1, p * b.all / b.across, (p + 1) * b.all / b.across
}

// column is PackedB.Panel for the panels of all groups.
func (p *product) column(i int) (j, cols, width int) {
	j, cols, width = p.b.Panel(i % p.b.Panels())
	return i/p.b.Panels()*p.b.n + j, cols, width
}

// block computes one block of C.
func (p *product) block(task int) {
	i0, i1, p0, p1 := p.at(task)
	s := scratchPool.Get().(*scratch[float32])
	defer scratchPool.Put(s)
	h := p.b.rows
	lo, hi, clamp := p.ep.Clamp()
	late := false
	t := &s.tile
	*t = tile{zero: zeros[:], lo: lo, hi: hi, ldc: p.ldc}
	defer s.forget()
	for d, ok := p.src.first(), true; ok; d, ok = p.src.next(d) {
		p.src.load(s, h, i0, i1, d)
		if p.src.trans {
			Transpose(s.lines(i1-i0), s.line, p.src.a[d.k0*p.src.lda+i0:], p.src.lda, d.segLen, i1-i0)
		}
		t.clamp = clamp && p.src.last(d)
		late = p.ep.Late() && p.src.last(d)
		for i := p0; i < p1; i++ {
			group, panel := i/p.b.Panels(), i%p.b.Panels()
			j, cols, width := p.column(i)
			t.cols, t.width = cols, width
			t.b, t.ldb = p.groups[group].at(panel, d.k0)
			t.bias, t.d = nil, nil
			if d.k0 == 0 && p.ep.Bias != nil {
				t.bias = p.ep.Bias[j:]
			}
			for r := i0; r < i1; r += t.rows {
				t.rows = min(h*s.stretch(p.b.anyRows, late, (r-i0)/h, d), i1-r)
				t.a, t.off, t.segs, t.segLen = s.segments(&p.src, h, (r-i0)/h, d)
				t.a = t.a[group*p.shift:]
				t.c = p.c[r*p.ldc+j:]
				switch {
				case d.k0 > 0 || p.accumulate:
					t.d, t.ldd = t.c, p.ldc
				case p.ep.Residual != nil:
					t.d, t.ldd = p.ep.Residual[r*p.ep.LdRes+j:], p.ep.LdRes
				}
				p.b.kernel.run(t)
				if late && p.b.anyRows { // while it is in the first-level cache
					p.ep.Activate(t.c, t.rows, t.cols, t.ldc)
				}
			}
		}
	}
	if late && !p.b.anyRows {
		first, _, _ := p.column(p0)
		last, cols, _ := p.column(p1 - 1)
		p.ep.Activate(p.c[i0*p.ldc+first:], i1-i0, last+cols-first, p.ldc)
	}
}

// dotBlock is how many columns of C a task of dotColumns takes.
const dotBlock = 64

// dotColumns computes some columns of C = A·Bᵀ, for few rows of A, as products
// of a row of A with four rows of B.
func (p *product) dotColumns(task int) {
	k := p.own.k
	end := min((task+1)*dotBlock, p.own.n)
	for j := task * dotBlock; j < end; j += 4 {
		for i := range p.m {
			a, c := p.src.a[i*p.src.lda:][:k], p.c[i*p.ldc+j:]
			var s [4]float32
			n := min(4, end-j)
			if n == 4 {
				s = vmath.Dot4(a, p.rawB[j*p.ldb:], p.ldb)
			} else {
				for x := range n {
					s[x] = vmath.Dot(a, p.rawB[(j+x)*p.ldb:])
				}
			}
			for x, v := range s[:n] {
				if p.accumulate {
					v += c[x]
				}
				c[x] = v
			}
		}
	}
}
