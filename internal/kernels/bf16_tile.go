package kernels

// A tileBF16 is a tile of BF16 matrices: sums and bias are float32, the result
// is rounded once, on its way into C. Segments count pairs, of which the
// interleaved rows of B are made; an odd number of terms ends with a zero.
//
// The assembly reads the fields by the names in go_asm.h; of a slice it takes
// the address only.
type tileBF16 struct {
	rows  int // rows of A and C, 1 to unit.rows(); any number but for the plain version
	cols  int // columns of C to store, 1 to width
	width int // columns computed: unit.cols() or half of it
	segs  int // segments of a row, at least 1
	pairs int // pairs in a segment, at least 1

	a    []BF16
	off  []int  // segs × unit.rows() positions in a, or outside; then those of the next rows
	zero []BF16 // what an outside segment reads
	b    []BF16 // segs·pairs steps of width pairs
	c    []BF16
	f    []float32 // C without rounding, instead of c; nil for none
	ldc  int
	d    []BF16 // nil for none; may be c itself
	ldd  int
	bias []float32 // nil for none

	clamp  bool // limit to lo…hi; a NaN stays one
	lo, hi float32

	// For AMX, which has one segment, whose rows are lda apart from off[0] on.
	lda int
	sum []float32 // room for 32×32
}

// rows and cols are the size of the largest tile of a unit; depth is what the
// length of segments must be a multiple of.
func (u unit) rows() int  { return [...]int{plain: 4, avx512BF16: 12, amx: 32}[u] }
func (u unit) cols() int  { return [...]int{plain: 16, avx512BF16: 32, amx: 32}[u] }
func (u unit) depth() int { return [...]int{plain: 2, avx512BF16: 2, amx: 32}[u] }

// runGeneric is the micro kernel of a unit in plain Go.
func (t *tileBF16) runGeneric(u unit) {
	for r := range t.rows {
		var acc [32]float32
		b := t.b
		for s := range t.segs {
			a := t.zero
			if u == amx {
				a = t.a[t.off[0]+r*t.lda:]
			} else if o := t.off[s*u.rows()+r]; o >= 0 {
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
				t.c[r*t.ldc+j] = RoundBF16(x)
			}
		}
	}
}
