package matmul

import (
	"unsafe"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A PackedBF16 is the right-hand matrix of a product, k×n, rounded to BF16 and
// laid out for the micro kernels: panels of neighbouring columns, in which each
// two rows lie interleaved, since the instructions add up products in pairs.
// The last panel is half as wide where that holds what is left of the columns.
// It is immutable and safe for concurrent use.
type PackedBF16 struct {
	k, n        int
	*kernelBF16     // whose panels these are
	kp          int // rows with those of zeros that fill up
	data        []vmath.BF16
}

// PackBF16 packs B, which is k×n after the optional transposition. Its rows as
// stored are ldb floats apart.
func PackBF16(transB bool, k, n int, b []float32, ldb int) *PackedBF16 {
	kernels.CheckMatrix("B", transB, k, n, b, ldb)
	p := newPackedBF16(k, n)
	if n == 0 {
		return p
	}
	p.data = make([]vmath.BF16, p.size())
	width := p.cols
	columns := make([]vmath.BF16, width*p.kp) // a panel's columns, one after the other
	for i := range p.Panels() {
		j, cols, w := p.Panel(i)
		panel := p.data[p.kp*j:][:p.kp*w]
		if transB {
			clear(columns[cols*p.kp:])
			for c := range cols {
				vmath.ToBF16(columns[c*p.kp:][:k], b[(j+c)*ldb:])
			}
			Transpose(inPairs(panel), w, inPairs(columns), p.kp/2, w, p.kp/2)
			continue
		}
		for l := range k {
			vmath.ToBF16(columns[:cols], b[l*ldb+j:])
			for c, v := range columns[:cols] {
				panel[l/2*2*w+2*c+l%2] = v
			}
		}
	}
	return p
}

func newPackedBF16(k, n int) *PackedBF16 {
	p := &PackedBF16{k: k, n: n, kernelBF16: &units[cpu.ActiveUnit]}
	if k == 0 {
		p.kernelBF16 = &units[cpu.NoUnit] // the others count on at least one
	}
	p.kp = kernels.Ceil(k, p.depth) * p.depth
	return p
}

// size returns how many values the packed matrix takes.
func (p *PackedBF16) size() int {
	if p.n == 0 {
		return 0
	}
	j, _, w := p.Panel(p.Panels() - 1)
	return p.kp * (j + w)
}

// SizeBF16 returns how many values a PackedBF16 of k×n takes.
func SizeBF16(k, n int) int { return newPackedBF16(k, n).size() }

// inPairs views pairs of x as something of their size, to be moved only.
func inPairs(x []vmath.BF16) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/2)
}

// K and N are the rows and columns of B.
func (p *PackedBF16) K() int { return p.k }
func (p *PackedBF16) N() int { return p.n }

// TileRows is how many rows of A the kernel computes together.
func (p *PackedBF16) TileRows() int { return p.rows }

// Panels returns the number of panels.
func (p *PackedBF16) Panels() int { return kernels.Ceil(p.n, p.cols) }

// Panel returns where the columns of panel i start, how many there are and how
// wide the panel is.
func (p *PackedBF16) Panel(i int) (j, cols, width int) {
	w := p.cols
	j = i * w
	cols = min(p.n-j, w)
	if cols <= w/2 {
		return j, cols, w / 2
	}
	return j, cols, w
}
