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
	panels
	kernel *kernelBF16 // whose panels these are
	kp     int         // rows with those of zeros that fill up
	data   []vmath.BF16
}

// PackBF16 packs B, which is k×n after the optional transposition. Its rows as
// stored are ldb floats apart.
func PackBF16(transB bool, k, n int, b []float32, ldb int) *PackedBF16 {
	kernels.CheckMatrix("B", transB, k, n, b, ldb)
	p := newPackedBF16(k, n)
	if n == 0 {
		return p
	}
	p.data = make([]vmath.BF16, p.kp*p.columns())
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
	kernel := &units[cpu.ActiveUnit]
	if k == 0 {
		kernel = &units[cpu.NoUnit] // the others count on at least one
	}
	return &PackedBF16{panels: panels{k, n, &kernel.shape}, kernel: kernel, kp: kernels.Ceil(k, kernel.depth) * kernel.depth}
}

// SizeBF16 returns how many values a PackedBF16 of k×n takes.
func SizeBF16(k, n int) int {
	p := newPackedBF16(k, n)
	return p.kp * p.columns()
}

// inPairs views pairs of x as something of their size, to be moved only.
func inPairs(x []vmath.BF16) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/2)
}
