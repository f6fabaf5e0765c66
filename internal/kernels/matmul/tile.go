package matmul

import "github.com/onetomany/caption/internal/kernels/cpu"

// A tile is the job of a micro kernel: a few rows by one panel of columns of
//
//	C = clamp(A·B + bias + D)
//
// with all of C's tile in registers. The rows of A are not packed: each is
// given by its segments, runs of consecutive floats whose place is read from a
// table. A plain row has one segment; a row of a convolution has one for each
// tap of the filter, or one zero segment where a tap falls on the padding
// (indirect convolution: Dukhan 2019, arXiv:1907.02129).
//
// The assembly reads the fields by the names in go_asm.h; of a slice it takes
// the address only.
type tile struct {
	rows   int // rows of A and C, 1 to kernel.rows or, if anyRows, any number
	cols   int // columns of C to store, 1 to width
	width  int // columns computed: a multiple of 8 up to kernel.cols
	segs   int // segments of a row, at least 1
	segLen int // floats in a segment, 1 to maxDepth

	a    []float32
	off  []int     // segs × kernel.rows positions in a, or outside, for each kernel.rows rows
	step int       // with anyRows only: floats to the next kernel.rows rows, if they have the same positions; else 0
	zero []float32 // what an outside segment reads: segLen zeros
	b    []float32 // segs·segLen steps of width columns
	ldb  int       // floats between steps
	c    []float32
	ldc  int
	d    []float32 // nil for none; may be c itself
	ldd  int
	bias []float32 // nil for none

	clamp  bool // limit to lo…hi; a NaN stays one
	lo, hi float32
}

// A kernel is what an instruction set has for products.
type kernel struct {
	shape
	run func(*tile) // the micro kernel

	// For packing; square is 0 where there is no assembly, else what rows and cols
	// are multiples of, and not 0.
	square    int
	transpose func(dst []float32, ldd int, src []float32, lds int, rows, cols int)
	scatter   func(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int)

	// halfDots multiplies three rows of A with four columns of a HalfMatrix, see
	// there; k is a multiple of 8 and not 0. It is nil where there is no assembly.
	halfDots func(s *[12]float32, a []float32, off1, off2 int, b []byte, ldb, k int)
}

// levels holds the kernels by instruction set; kernels_amd64.go and
// kernels_arm64.go enter theirs.
var levels = [cpu.Levels]kernel{cpu.Generic: {shape: shape{genericRows, 16, 8, false}, run: tileGeneric}}

const genericRows = 4

// tileGeneric is the micro kernel in plain Go, in parts of 2×4 values, as many
// as fit the registers of every processor.
func tileGeneric(t *tile) {
	const maxCols = 16
	var acc [genericRows * maxCols]float32
	ldb := t.ldb
	for r := 0; r < t.rows; r += 2 {
		r1 := min(r+1, t.rows-1) // an odd last row is computed twice
		for j := 0; j < t.width; j += 4 {
			var x0, x1, x2, x3, y0, y1, y2, y3 float32
			b := t.b[min(j, len(t.b)):] // empty where k is 0
			for s := range t.segs {
				u := t.segment(s, r)
				v := t.segment(s, r1)
				v = v[:len(u)]
				for l, f := range u {
					g := v[l]
					q := (*[4]float32)(b)
					x0 += f * q[0]
					y0 += g * q[0]
					x1 += f * q[1]
					y1 += g * q[1]
					x2 += f * q[2]
					y2 += g * q[2]
					x3 += f * q[3]
					y3 += g * q[3]
					b = b[min(ldb, len(b)):]
				}
			}
			o := r1*maxCols + j
			acc[o], acc[o+1], acc[o+2], acc[o+3] = y0, y1, y2, y3
			o = r*maxCols + j
			acc[o], acc[o+1], acc[o+2], acc[o+3] = x0, x1, x2, x3
		}
	}
	t.finish(acc[:], maxCols)
}

// segment returns the floats of segment s of row r, for the plain version.
func (t *tile) segment(s, r int) []float32 {
	o := t.off[s*genericRows+r]
	if o < 0 {
		return t.zero[:t.segLen]
	}
	return t.a[o : o+t.segLen]
}

// products returns a tile that stores its whole width into acc, in rows of ld
// floats, and adds nothing: finish does the rest.
func (t *tile) products(acc []float32, ld int) tile {
	u := *t
	u.cols = t.width
	u.c, u.ldc = acc, ld
	u.d, u.bias, u.clamp = nil, nil, false
	return u
}

// finish stores the products acc, in rows of ld floats, into C.
func (t *tile) finish(acc []float32, ld int) {
	for r := range t.rows {
		c := t.c[r*t.ldc:][:t.cols]
		x := acc[r*ld:][:t.cols]
		if t.bias != nil {
			b := t.bias[:len(x)]
			for j := range x {
				x[j] += b[j]
			}
		}
		if t.d != nil {
			d := t.d[r*t.ldd:][:len(x)]
			for j := range x {
				x[j] += d[j]
			}
		}
		if t.clamp {
			for j, v := range x {
				x[j] = min(max(v, t.lo), t.hi)
			}
		}
		copy(c, x)
	}
}
