package matmul

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/onetomany/caption/internal/float16"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// A HalfMatrix is the right-hand matrix of a product, k×n, of binary16 numbers:
// column after column, as the files of models have the rows of their weights. It
// needs no packing, which would take longer than the products with the few vectors
// that a sentence has, and is half as much to read.
type HalfMatrix struct {
	k, n int
	w    []byte
}

// HalfProducts tells whether products with a HalfMatrix are fast on this
// processor, by an instruction that widens its numbers; else PackedB is faster.
func HalfProducts() bool { return levels[cpu.Active].halfDots != nil }

// NewHalfMatrix returns the k×n matrix with column j in the k numbers of two bytes,
// little-endian, from w[2·k·j] on. w must not change.
func NewHalfMatrix(k, n int, w []byte) *HalfMatrix {
	if k < 0 || n < 0 || len(w) < 2*k*n {
		panic(fmt.Sprintf("matmul: %d×%d halves in %d bytes", k, n, len(w)))
	}
	return &HalfMatrix{k, n, w}
}

// K and N are the rows and columns of B.
func (b *HalfMatrix) K() int { return b.k }
func (b *HalfMatrix) N() int { return b.n }

// Mul computes C = A·B + bias, or C += A·B + bias where accumulate is set; A is
// m×K(), bias has N() numbers or is nil. The team works on it, as on all products;
// the result depends neither on it nor on m.
func (b *HalfMatrix) Mul(m int, a []float32, lda int, c []float32, ldc int, bias []float32, accumulate bool, team *workers.Team) {
	kernels.CheckMatrix("A", false, m, b.k, a, lda)
	kernels.CheckMatrix("C", false, m, b.n, c, ldc)
	if bias != nil {
		kernels.CheckMatrix("Bias", false, 1, b.n, bias, b.n)
	}
	if m == 0 || b.n == 0 {
		return
	}
	p := halfPool.Get().(*halfProduct)
	p.b, p.m, p.a, p.lda, p.c, p.ldc, p.bias, p.accumulate = b, m, a, lda, c, ldc, bias, accumulate
	team.Run(team.For(m*b.n*max(b.k, 1)), kernels.Ceil(b.n, dotBlock), p.task)
	p.b, p.a, p.c, p.bias = nil, nil, nil, nil
	halfPool.Put(p)
}

// A halfProduct is a product under way. Its tasks are dotBlock columns each.
type halfProduct struct {
	b          *HalfMatrix
	m          int
	a, c, bias []float32
	lda, ldc   int
	accumulate bool
	task       func(int)
}

var halfPool = sync.Pool{New: func() any {
	p := new(halfProduct)
	p.task = p.columns
	return p
}}

// halfSums is three rows by four columns of C.
type halfSums struct{ all, one [12]float32 }

var halfSumsPool = sync.Pool{New: func() any { return new(halfSums) }}

// columns computes some columns of C, for three rows and four columns at a time:
// the numbers of B that these need stay in the first-level cache for all rows.
func (p *halfProduct) columns(task int) {
	b := p.b
	s := halfSumsPool.Get().(*halfSums)
	defer halfSumsPool.Put(s)
	end := min((task+1)*dotBlock, b.n)
	for j := task * dotBlock; j < end; j += 4 {
		cols := min(4, end-j)
		for i := 0; i < p.m; i += 3 {
			// Missing rows repeat the last one.
			off1, off2 := min(1, p.m-1-i)*p.lda, min(2, p.m-1-i)*p.lda
			s.dots(b, p.a[i*p.lda:], off1, off2, j, cols)
			for r := range min(3, p.m-i) {
				c := p.c[(i+r)*p.ldc+j:][:cols]
				for x := range c {
					v := s.all[4*r+x]
					if p.bias != nil {
						v += p.bias[j+x]
					}
					if p.accumulate {
						v += c[x]
					}
					c[x] = v
				}
			}
		}
	}
}

// dots multiplies three rows of A with columns j and following of B, of which cols
// are there.
func (s *halfSums) dots(b *HalfMatrix, a []float32, off1, off2, j, cols int) {
	ldb := 2 * b.k
	w := b.w[j*ldb:][:cols*ldb]
	done := 0
	s.all = [12]float32{}
	if dots := levels[cpu.Active].halfDots; dots != nil && b.k >= 8 {
		done = b.k &^ 7
		if cols == 4 {
			dots(&s.all, a, off1, off2, w, ldb, done)
		} else {
			// One at a time, as the same column four times.
			for x := range cols {
				dots(&s.one, a, off1, off2, w[x*ldb:], 0, done)
				s.all[x], s.all[4+x], s.all[8+x] = s.one[0], s.one[4], s.one[8]
			}
		}
	}
	for x := range cols {
		for l := done; l < b.k; l++ {
			v := float16.ToFloat32(binary.LittleEndian.Uint16(w[x*ldb+2*l:]))
			s.all[x] += v * a[l]
			s.all[4+x] += v * a[off1+l]
			s.all[8+x] += v * a[off2+l]
		}
	}
}
