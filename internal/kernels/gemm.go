package kernels

import "sync"

// blockRows is about how many rows of A are worked on at a time: with
// maxDepth columns they stay in the second-level cache while the panels of B
// pass. It is a multiple of every version's tile.
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
	shift      int        // from what a group reads of A to what the next does
	one        [1]*PackedB
	c          []float32
	ldc        int
	accumulate bool
	ep         Epilogue

	// For Gemm: what is packed first, and the room for it.
	own    PackedB
	transB bool
	rawB   []float32
	ldb    int
	room   []float32

	packTask, blockTask, dotTask func(int)
}

var productPool = sync.Pool{New: func() any {
	p := new(product)
	p.packTask = func(i int) { p.own.pack(i, p.transB, p.rawB, p.ldb) }
	p.blockTask = p.block
	p.dotTask = p.dotColumns
	return p
}}

// release hands p back, without what it points to.
func (p *product) release() {
	p.src, p.b, p.groups, p.one[0], p.c, p.ep = rows[float32]{}, nil, nil, nil, nil, Epilogue{}
	p.own, p.rawB = PackedB{}, nil
	productPool.Put(p)
}

// Gemm computes C = A·B, or C += A·B where accumulate is set. A is m×k and B is
// k×n after the optional transposition; lda, ldb and ldc are row strides of the
// slices as stored (row-major). The result does not depend on the size of team.
func Gemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int, team *Team) {
	checkMatrix("A", transA, m, k, a, lda)
	checkMatrix("B", transB, k, n, b, ldb)
	checkMatrix("C", false, m, n, c, ldc)
	if m == 0 || n == 0 {
		return
	}
	p := productPool.Get().(*product)
	defer p.release()
	p.m, p.c, p.ldc, p.accumulate = m, c, ldc, accumulate
	p.src = matrixRows(transA, a, lda, k)
	p.own = PackedB{k: k, n: n, v: versionFor(k)}
	p.transB, p.rawB, p.ldb = transB, b, ldb
	p.one[0] = &p.own
	p.b, p.groups = &p.own, p.one[:]
	switch {
	case transB && !transA && m <= dotRows && k > 0:
		// Rows of both matrices lie ready for products of vectors.
		team.Run(threadsFor(team, m*n*k), ceil(n, dotBlock), p.dotTask)
		return
	case !transB && m <= directRows && k > 0:
		p.own.raw, p.own.ldraw = b, ldb
		if _, cols, width := p.own.panel(p.own.panels() - 1); cols < width {
			p.own.data = p.need(k * width)
			p.own.packLast(p.own.data, false, b, ldb)
		}
	default:
		p.own.data = p.need(p.own.size())
		team.Run(threadsFor(team, 16*k*n), p.own.groups(), p.packTask)
	}
	p.run(team)
}

// Mul computes C = A·B with what ep adds; A is m×B.K().
// The result does not depend on the size of team.
func (b *PackedB) Mul(m int, a []float32, lda int, c []float32, ldc int, ep *Epilogue, team *Team) {
	checkMatrix("A", false, m, b.k, a, lda)
	b.mul(m, matrixRows(false, a, lda, b.k), c, ldc, ep, team)
}

// MulScaled is Mul with column i of A, or row i of B, times scale[i]: for many rows
// of A, since B is scaled.
func (b *PackedB) MulScaled(m int, a []float32, lda int, scale, c []float32, ldc int, ep *Epilogue, team *Team) {
	checkMatrix("A", false, m, b.k, a, lda)
	p := productPool.Get().(*product)
	defer p.release()
	p.own = PackedB{k: b.k, n: b.n, v: b.v, data: p.need(len(b.data))}
	at := 0
	for i := range b.panels() {
		_, _, w := b.panel(i)
		for _, f := range scale[:b.k] {
			Scale(p.own.data[at:][:w], f, b.data[at:])
			at += w
		}
	}
	p.one[0] = &p.own
	p.mul(p.one[:], 0, m, matrixRows(false, a, lda, b.k), c, ldc, ep, team)
}

// mul computes C from any source of rows.
func (b *PackedB) mul(m int, src rows[float32], c []float32, ldc int, ep *Epilogue, team *Team) {
	p := productPool.Get().(*product)
	defer p.release()
	p.one[0] = b
	p.mul(p.one[:], 0, m, src, c, ldc, ep, team)
}

// mul does that with groups of columns, each from rows shift behind those of the
// one before.
func (p *product) mul(groups []*PackedB, shift, m int, src rows[float32], c []float32, ldc int, ep *Epilogue, team *Team) {
	n := len(groups) * groups[0].n
	checkMatrix("C", false, m, n, c, ldc)
	if m == 0 || n == 0 {
		return
	}
	p.b, p.groups, p.shift = groups[0], groups, shift
	p.m, p.src, p.c, p.ldc, p.accumulate = m, src, c, ldc, false
	if ep != nil {
		p.ep = *ep
		ep.check(m, n)
	}
	p.run(team)
}

func (p *product) v() isa { return p.b.v }

// need returns room for n floats, kept from call to call.
func (p *product) need(n int) []float32 {
	if cap(p.room) < n {
		p.room = make([]float32, n)
	}
	return p.room[:n]
}

// run cuts the product into blocks and has them computed.
func (p *product) run(team *Team) {
	h := p.v().rows()
	p.src.copied = p.src.copied || p.src.conflicting(h) && p.b.panels() >= 4 && len(p.groups) == 1
	n := p.b.n * len(p.groups)
	threads := threadsFor(team, p.m*n*max(p.b.k, 1))
	p.cut(n, p.b.panels()*len(p.groups), blockRows, h, threads)
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
	tiles := ceil(b.m, h)
	b.h, b.all = h, panels
	b.down, b.across, b.byPanels = ceil(tiles, rows/h), 1, false
	if threads == 1 {
		return
	}
	// Several blocks for each thread, so that none waits long for another, but
	// no smaller ones than let tiles share what is in the first-level cache.
	want := max(threads, min(blocksPerThread*threads, tiles*panels/4))
	// The threads' shares are some rows of A or some panels of B, which each
	// reads alone; the smaller of the two matrices is what they all read.
	if b.byPanels = tiles < 2*threads; b.byPanels {
		b.across = min(panels, want)
		b.down = max(b.down, min(ceil(want, b.across), ceil(tiles, 3)))
		return
	}
	b.down = max(b.down, min(want, ceil(tiles, 3)))
	b.across = min(panels, ceil(want, b.down))
}

// blocksPerThread is how many blocks there should be for each of several threads.
const blocksPerThread = 8

// blocks returns how many blocks there are.
func (b *blocking) blocks() int { return b.down * b.across }

// at returns the rows i0…i1-1 and the panels p0…p1-1 of a block.
func (b *blocking) at(block int) (i0, i1, p0, p1 int) {
	i, p := block/b.across, block%b.across
	if b.byPanels {
		i, p = block%b.down, block/b.down
	}
	tiles := ceil(b.m, b.h)
	i0, i1 = i*tiles/b.down*b.h, min((i+1)*tiles/b.down*b.h, b.m)
	return i0, i1, p * b.all / b.across, (p + 1) * b.all / b.across
}

// column is PackedB.panel for the panels of all groups.
func (p *product) column(i int) (j, cols, width int) {
	j, cols, width = p.b.panel(i % p.b.panels())
	return i/p.b.panels()*p.b.n + j, cols, width
}

// block computes one block of C.
func (p *product) block(task int) {
	i0, i1, p0, p1 := p.at(task)
	s := scratchPool.Get().(*scratch[float32])
	defer scratchPool.Put(s)
	v := p.v()
	h := v.rows()
	lo, hi, clamp := p.ep.clamp()
	late := false
	t := tile{zero: zeros[:], lo: lo, hi: hi, ldc: p.ldc}
	for d, ok := p.src.first(), true; ok; d, ok = p.src.next(d) {
		p.src.load(s, h, i0, i1, d)
		if p.src.trans {
			transpose(s.lines(i1-i0), s.line, p.src.a[d.k0*p.src.lda+i0:], p.src.lda, d.segLen, i1-i0)
		}
		t.clamp = clamp && p.src.last(d)
		late = p.ep.late() && p.src.last(d)
		for i := p0; i < p1; i++ {
			group, panel := i/p.b.panels(), i%p.b.panels()
			j, cols, width := p.column(i)
			t.cols, t.width = cols, width
			t.b, t.ldb = p.groups[group].at(panel, d.k0)
			t.bias, t.d = nil, nil
			if d.k0 == 0 && p.ep.Bias != nil {
				t.bias = p.ep.Bias[j:]
			}
			for r := i0; r < i1; r += t.rows {
				t.rows = min(h*s.stretch(v == avx512, late, (r-i0)/h, d), i1-r)
				t.a, t.off, t.segs, t.segLen = s.segments(&p.src, h, (r-i0)/h, d)
				t.a = t.a[group*p.shift:]
				t.c = p.c[r*p.ldc+j:]
				switch {
				case d.k0 > 0 || p.accumulate:
					t.d, t.ldd = t.c, p.ldc
				case p.ep.Residual != nil:
					t.d, t.ldd = p.ep.Residual[r*p.ep.LdRes+j:], p.ep.LdRes
				}
				t.run(v)
				if late && v == avx512 { // while it is in the first-level cache
					p.ep.activateRows(t.c, t.rows, t.cols, t.ldc)
				}
			}
		}
	}
	if late && v != avx512 {
		first, _, _ := p.column(p0)
		last, cols, _ := p.column(p1 - 1)
		p.ep.activateRows(p.c[i0*p.ldc+first:], i1-i0, last+cols-first, p.ldc)
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
				s = dot4(a, p.rawB[j*p.ldb:], p.ldb)
			} else {
				for x := range n {
					s[x] = dot(a, p.rawB[(j+x)*p.ldb:])
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
