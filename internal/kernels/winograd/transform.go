package winograd

import (
	"github.com/onetomany/caption/internal/kernels/cpu"
)

// The transforms of F(4×4, 3×3): 4×4 results of a 3×3 filter from 6×6 values,
// by 36 products instead of 144. They are those of Toom and Cook (Winograd 1980;
// Lavin and Gray 2015, arXiv:1509.09308) with the points 0, ±a, ±b and ∞, first
// over the rows, then over the columns.
//
// Pairs of opposite points share half of their arithmetic. Which pairs, decides
// the error: the farther the powers of the points are apart, the more digits
// cancel (Barabasz et al. 2018, arXiv:1803.10986). Over normal filters and
// rectified normal pictures of 128 channels the mean error of a result, relative
// to the mean result, is 0.9e-6 with ±11/16 and ±3/2; 1.9e-6 with ±1 and ±1/2 or
// ±2. With the sums of a direct convolution it is 0.2e-6.
//
// Tiles of two rows leave the points ±b out. What their absence changes in the
// factors of the filters goes into Bᵀ, so that filters are the same for both.
//
// All numbers below are exact in float32.
const (
	winoA  = 0.6875
	winoB  = 1.5
	winoA2 = winoA * winoA
	winoB2 = winoB * winoB
	winoA3 = winoA2 * winoA
	winoB3 = winoB2 * winoB
	winoS  = winoA2 + winoB2
	winoP  = winoA2 * winoB2
	winoD  = winoA2 - winoB2
	winoDA = winoD * winoA
)

const (
	tileOut  = 4               // results of a tile in each direction
	tileIn   = tileOut + 2     // values it takes
	tileArea = tileIn * tileIn // products for each pair of channels
	taps     = 3 * 3           // weights
	shortOut = 2               // rows of results of a short tile
)

// constants is what the assembly reads, by the offsets it defines.
var constants = [10]float32{winoP, winoS, winoA, winoB, winoA2, winoB2, winoA3, winoB3, winoD, winoDA}

// filterConstants are the factors of filter1.
var filterConstants = [7]float64{winoK0, winoKA, winoKA * winoA2, winoKA * winoA, winoKB, winoKB * winoB2, winoKB * winoB}

const (
	winoK0 = 1 / winoP
	winoKA = 1 / (2 * winoA2 * (winoA2 - winoB2))
	winoKB = 1 / (2 * winoB2 * (winoB2 - winoA2))
)

// An input is the job of the first transform: a window of 6×6 pixels becomes
// the row of one tile in each of 36 matrices, or 4×6 pixels in 24.
//
// The assembly reads the fields of this and the next two by the names in
// go_asm.h; of a slice it takes the address only. Distances are in floats.
type input struct {
	x        []float32
	rows     int       // of the window, 6 or 4
	off      []int     // position in x of each pixel of the window, or outside
	zero     []float32 // what an outside pixel reads: channels zeros
	channels int       // up to len(zeros)

	v    []float32 // the row in the first matrix, with space for whole vectors
	next int       // from a matrix to the next

	ptr [tileArea]uintptr     // for the assembly: addresses of the pixels
	tmp [tileArea * 8]float32 // and half transformed values
}

// An output is the job of the last transform: the row of one tile in each of
// 36 matrices becomes 4×4 pixels y = clamp(Aᵀ·M·A + bias + d), or in each of 24
// becomes 2×4; fewer at the edges.
type output struct {
	m        []float32 // the row in the first matrix, with space for whole vectors
	next     int       // from a matrix to the next
	channels int

	short      bool // a tile of 2×4
	rows, cols int  // pixels to store, at least 1 each
	y          []float32
	yRow, yCol int       // from a row of pixels, and from a pixel, to the next
	d          []float32 // nil for none; may be y itself
	dRow, dCol int
	bias       []float32 // nil for none
	lo, hi     float32   // limits, infinite for none; a NaN stays one

	tmp [tileOut * tileIn * 8]float32 // for the assembly
}

// A filter is the job of transforming filters of n input channels, each for
// width output channels side by side.
type filter struct {
	w     []float32 // [n][9][width]
	scale []float32 // factor for each output channel
	n     int
	width int // a multiple of 8

	u    []float32 // [n][width] for each of 36 matrices
	next int       // from a matrix to the next

	tmp [3 * tileIn * 4]float64 // for the assembly
}

// A kernel is what an instruction set has for the transforms.
type kernel struct {
	input     func(*input)
	output    func(*output)
	filter    func(*filter)
	transform int  // what input or output of a value takes, in multiply-adds
	short     bool // both are in assembly for short tiles too
}

// levels holds the kernels by instruction set; kernels_amd64.go and
// kernels_arm64.go enter theirs.
var levels = [cpu.Levels]kernel{cpu.Generic: {
	input:     func(t *input) { inputGeneric(t, 0, t.channels) },
	output:    func(t *output) { outputGeneric(t, 0, t.channels) },
	filter:    filterGeneric,
	transform: 8,
	short:     true,
}}

// input1 is Bᵀ for one row or column.
func input1(d *[tileIn]float32) [tileIn]float32 {
	e, o := d[4]-winoB2*d[2], d[3]-winoB2*d[1]
	f, p := d[4]-winoA2*d[2], d[3]-winoA2*d[1]
	return [tileIn]float32{
		winoP*d[0] - winoS*d[2] + d[4],
		e + winoA*o, e - winoA*o,
		f + winoB*p, f - winoB*p,
		winoP*d[1] - winoS*d[3] + d[5],
	}
}

// output1 is Aᵀ for one row or column.
func output1(m *[tileIn]float32) [tileOut]float32 {
	s, d := m[1]+m[2], m[1]-m[2]
	t, e := m[3]+m[4], m[3]-m[4]
	return [tileOut]float32{
		m[0] + s + t,
		winoA*d + winoB*e,
		winoA2*s + winoB2*t,
		winoA3*d + winoB3*e + m[5],
	}
}

// inputShort and outputShort are Bᵀ and Aᵀ for a column of a short tile.
func inputShort(d *[4]float32) [4]float32 {
	e, o := winoD*d[2], winoDA*d[1]
	return [4]float32{winoP*d[0] - winoB2*d[2], e + o, e - o, d[3] - winoA2*d[1]}
}

func outputShort(m *[4]float32) [shortOut]float32 {
	return [shortOut]float32{m[0] + (m[1] + m[2]), winoA*(m[1]-m[2]) + m[3]}
}

// filter1 is G for one row or column.
func filter1(g *[3]float64) [tileIn]float64 {
	e, o := winoKA*g[0]+winoKA*winoA2*g[2], winoKA*winoA*g[1]
	f, p := winoKB*g[0]+winoKB*winoB2*g[2], winoKB*winoB*g[1]
	return [tileIn]float64{winoK0 * g[0], e + o, e - o, f + p, f - p, g[2]}
}

// inputGeneric takes channels c…end-1.
func inputGeneric(t *input, c, end int) {
	for ; c < end; c++ {
		var q [tileIn][tileIn]float32 // transposed
		for i := range t.rows {
			var d [tileIn]float32
			for j := range d {
				if o := t.off[i*tileIn+j]; o >= 0 {
					d[j] = t.x[o+c]
				}
			}
			for j, v := range input1(&d) {
				q[j][i] = v
			}
		}
		for j := range q {
			if t.rows == tileIn {
				for i, v := range input1(&q[j]) {
					t.v[(i*tileIn+j)*t.next+c] = v
				}
			} else {
				for i, v := range inputShort((*[4]float32)(q[j][:])) {
					t.v[(i*tileIn+j)*t.next+c] = v
				}
			}
		}
	}
}

// outputGeneric takes channels c…end-1.
func outputGeneric(t *output, c, end int) {
	for ; c < end; c++ {
		var q [tileOut][tileIn]float32
		for j := range tileIn {
			at := func(i int) float32 { return t.m[(i*tileIn+j)*t.next+c] }
			if t.short {
				for i, v := range outputShort(&[4]float32{at(0), at(1), at(2), at(3)}) {
					q[i][j] = v
				}
			} else {
				for i, v := range output1(&[tileIn]float32{at(0), at(1), at(2), at(3), at(4), at(5)}) {
					q[i][j] = v
				}
			}
		}
		for i := range t.rows {
			p := output1(&q[i])
			for j, v := range p[:t.cols] {
				if t.bias != nil {
					v += t.bias[c]
				}
				if t.d != nil {
					v += t.d[i*t.dRow+j*t.dCol+c]
				}
				t.y[i*t.yRow+j*t.yCol+c] = min(max(v, t.lo), t.hi)
			}
		}
	}
}

// filterGeneric computes in float64: the error of the weights would be in
// every product.
func filterGeneric(t *filter) {
	for i := range t.n * t.width {
		c, o := i/t.width, i%t.width
		var q [tileIn][3]float64
		for x := range 3 {
			var g [3]float64
			for y := range g {
				g[y] = float64(t.w[(c*taps+y*3+x)*t.width+o]) * float64(t.scale[o])
			}
			for y, v := range filter1(&g) {
				q[y][x] = v
			}
		}
		for y := range q {
			for x, v := range filter1(&q[y]) {
				t.u[(y*tileIn+x)*t.next+i] = float32(v)
			}
		}
	}
}
