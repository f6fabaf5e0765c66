package matmul

import (
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A tileBF16 is a tile of BF16 matrices: sums and bias are float32, the result
// is rounded once, on its way into C. Segments count pairs, of which the
// interleaved rows of B are made; an odd number of terms ends with a zero.
//
// The assembly reads the fields by the names in go_asm.h; of a slice it takes
// the address only.
type tileBF16 struct {
	rows  int // rows of A and C, 1 to kernelBF16.rows or, if anyRows, any number
	cols  int // columns of C to store, 1 to width
	width int // columns computed: kernelBF16.cols or half of it
	segs  int // segments of a row, at least 1
	pairs int // pairs in a segment, at least 1

	a    []vmath.BF16
	off  []int        // segs × kernelBF16.rows positions in a, or outside; then those of the next rows
	zero []vmath.BF16 // what an outside segment reads
	b    []vmath.BF16 // segs·pairs steps of width pairs
	c    []vmath.BF16
	f    []float32 // C without rounding, instead of c; nil for none
	ldc  int
	d    []vmath.BF16 // nil for none; may be c itself
	ldd  int
	bias []float32 // nil for none

	clamp  bool // limit to lo…hi; a NaN stays one
	lo, hi float32

	// For rows in line: one segment, whose rows are lda apart from off[0] on.
	lda int
	sum []float32 // scratch for 32×32
}

// A kernelBF16 is what a unit has for products.
type kernelBF16 struct {
	shape
	depth  int             // what the length of segments must be a multiple of
	inLine bool            // A has one segment, rows lda apart
	run    func(*tileBF16) // the micro kernel
}

// units holds the kernels by unit; kernels_amd64.go enters its own.
var units = [cpu.Units]kernelBF16{
	cpu.NoUnit:     {shape{4, 16, 8, false}, 2, false, func(t *tileBF16) { t.generic(4) }},
	cpu.AVX512BF16: {shape{12, 32, 16, true}, 2, false, nil},
	cpu.AMX:        {shape{32, 32, 16, true}, 32, true, func(t *tileBF16) { t.generic(0) }},
}

// generic is the micro kernel of a unit in plain Go, for tiles of h rows; h is 0
// where rows are in line.
func (t *tileBF16) generic(h int) {
	for r := range t.rows {
		var acc [32]float32
		b := t.b
		for s := range t.segs {
			a := t.zero
			if h == 0 {
				a = t.a[t.off[0]+r*t.lda:]
			} else if o := t.off[s*h+r]; o >= 0 {
				a = t.a[o:]
			}
			for l := range t.pairs {
				x, y := a[2*l].Float32(), a[2*l+1].Float32()
				q := b[:2*t.width]
				for j := range acc[:t.width] {
					acc[j] += x*q[2*j].Float32() + y*q[2*j+1].Float32()
				}
				b = b[2*t.width:]
			}
		}
		for j, x := range acc[:t.cols] {
			if t.bias != nil {
				x += t.bias[j]
			}
			if t.d != nil {
				x += t.d[r*t.ldd+j].Float32()
			}
			if t.clamp {
				x = min(max(x, t.lo), t.hi)
			}
			if t.f != nil {
				t.f[r*t.ldc+j] = x
			} else {
				t.c[r*t.ldc+j] = vmath.RoundBF16(x)
			}
		}
	}
}
