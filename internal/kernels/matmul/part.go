package matmul

import (
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A Part is a part of a product, for algorithms that are built on products: C = A·B
// for some rows of A, some of the terms, and some panels of columns, all as wide as
// they are stored.
type Part[T kernels.Value] struct {
	A      []T
	Lda    int   // values from a row of A to the next
	Off    []int // where each row starts: multiples of Lda
	Rows   int
	K0, K  int // rows of B
	P0, P1 int // panels of B
	C      []float32
	Ldc    int

	tile     tile
	tileBF16 tileBF16
	sum      []float32
}

// MulPart computes p.
func (b *PackedB) MulPart(p *Part[float32]) {
	t := &p.tile
	*t = tile{segs: 1, zero: zeros[:], ldc: p.Ldc, ldd: p.Ldc}
	depth := kernels.Ceil(p.K, kernels.Ceil(p.K, maxDepth))
	rows := kernels.Ceil(p.Rows, kernels.Ceil(p.Rows, b.rows)) // tiles of equal height
	for k := 0; k < p.K; k += depth {
		t.a = p.A[k:]
		t.segLen = min(depth, p.K-k)
		for i := p.P0; i < p.P1; i++ {
			_, _, t.width = b.Panel(i)
			t.cols = t.width
			t.b, t.ldb = b.at(i, p.K0+k)
			c := p.C[(i-p.P0)*b.cols:]
			for r := 0; r < p.Rows; r += rows {
				t.rows = min(rows, p.Rows-r)
				t.off = p.Off[r:]
				t.c, t.d = c[r*p.Ldc:], nil
				if k > 0 {
					t.d = t.c
				}
				b.kernel.run(t)
			}
		}
	}
	*t = tile{}
}

// MulPart computes p; K0 and K are even, and K is a multiple of 32.
func (b *PackedBF16) MulPart(p *Part[vmath.BF16]) {
	if p.sum == nil {
		p.sum = make([]float32, 32*32)
	}
	t := &p.tileBF16
	*t = tileBF16{segs: 1, pairs: p.K / 2, lda: p.Lda, sum: p.sum, ldc: p.Ldc}
	step := p.Rows
	if !b.anyRows {
		step = b.rows
	}
	for i := p.P0; i < p.P1; i++ {
		j, _, width := b.Panel(i)
		t.cols, t.width = width, width
		t.a, t.b = p.A, b.data[b.kp*j+p.K0*width:]
		c := p.C[(i-p.P0)*b.cols:]
		for r := 0; r < p.Rows; r += step {
			t.rows = min(step, p.Rows-r)
			t.off, t.f = p.Off[r:], c[r*p.Ldc:]
			b.kernel.run(t)
		}
	}
	*t = tileBF16{}
}
