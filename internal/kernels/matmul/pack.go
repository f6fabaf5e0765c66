package matmul

import (
	"fmt"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// maxDepth is how many terms of the sums are added up in registers before C is
// visited. A panel of B this deep comes from the second-level cache as fast as it
// is used, and C is visited seldom: half of it costs ResNet-50 1 to 2 % (Zen 4).
const maxDepth = 512

// A PackedB is the right-hand matrix of a product, k×n, laid out for the micro
// kernels: panels of neighbouring columns, each stored row after row. The last
// panel is narrower by multiples of 8 where that holds what is left of the
// columns. It is immutable and safe for concurrent use.
type PackedB struct {
	panels
	kernel *kernel // whose panels these are
	data   []float32

	// Where raw is set the matrix is not packed, except for the last panel if
	// it has fewer columns than its width; that one alone is in data.
	raw   []float32
	ldraw int
}

// PackB packs B, which is k×n after the optional transposition. Its rows as
// stored are ldb floats apart.
func PackB(transB bool, k, n int, b []float32, ldb int) *PackedB {
	kernels.CheckMatrix("B", transB, k, n, b, ldb)
	p := NewPackedB(k, n)
	p.data = make([]float32, p.Size())
	for i := range p.groups() {
		p.pack(i, transB, b, ldb)
	}
	return p
}

// NewPackedB returns a matrix of k×n that has no memory yet: see SetMemory.
func NewPackedB(k, n int) *PackedB {
	if k < 0 || n < 0 {
		panic(fmt.Sprintf("matmul: B is %d×%d", k, n))
	}
	p := packedB(k, n)
	return &p
}

// Size returns how many floats the matrix takes.
func (p *PackedB) Size() int { return p.k * p.columns() }

// SetMemory gives the matrix Size() zeros, which become its own, for SetFilters or
// SetRows to fill.
func (p *PackedB) SetMemory(zeros []float32) { p.data = zeros[:p.Size()] }

// scatterBlock is how many numbers of each filter are packed at a time, so that
// their place in a panel stays in the first-level cache.
const scatterBlock = 128

// PanelData returns the memory of panel i, row after row, to be filled.
func (p *PackedB) PanelData(i int) []float32 {
	j, _, width := p.Panel(i)
	return p.data[p.k*j:][:p.k*width]
}

// SetFilters sets columns j and following, j a multiple of PanelWidth, to the
// filters of a convolution: w is [filters][c][taps], where the matrix has rows
// in the order [taps][c] (see Conv), and scale has a factor for each of them.
// Calls for panels of their own may run at the same time.
func (p *PackedB) SetFilters(j int, w []float32, c, taps int, scale []float32) {
	if p.k == 0 || len(scale) == 0 {
		return
	}
	if c*taps != p.k || len(w) < p.k*len(scale) || j%p.cols != 0 || j+len(scale) > p.n {
		panic(fmt.Sprintf("matmul: %d filters of %d×%d at %d, %d values, for a matrix of %d×%d", len(scale), c, taps, j, len(w), p.k, p.n))
	}
	var off [scatterBlock]int
	for i := j / p.cols; len(scale) > 0; i++ {
		_, cols, width := p.Panel(i)
		cols = min(cols, len(scale))
		dst := p.PanelData(i)
		for l := 0; l < p.k; l += scatterBlock {
			n := min(p.k-l, scatterBlock)
			ch, tap := l/taps, l%taps
			for i := range off[:n] {
				off[i] = (tap*c + ch) * width
				if tap++; tap == taps {
					ch, tap = ch+1, 0
				}
			}
			scatter(dst, off[:n], w[l:], p.k, scale, cols, n)
		}
		scale, w = scale[cols:], w[cols*p.k:]
	}
}

// SetRows sets rows l and following to w, [rows][n], with column j multiplied by
// scale[j]. Calls for rows of their own may run at the same time.
func (p *PackedB) SetRows(l int, w, scale []float32) {
	if p.n == 0 {
		return
	}
	if len(w)%p.n != 0 || l+len(w)/p.n > p.k || len(scale) != p.n {
		panic(fmt.Sprintf("matmul: %d values and %d factors at row %d for a matrix of %d×%d", len(w), len(scale), l, p.k, p.n))
	}
	for ; len(w) > 0; w = w[p.n:] {
		for i := range p.Panels() {
			j, cols, width := p.Panel(i)
			vmath.Mul(p.data[p.k*j+l*width:][:cols], w[j:][:cols], scale[j:][:cols])
		}
		l++
	}
}

// packedB returns a matrix without memory. Without rows it is for the plain kernel,
// since the assembly counts on at least one.
func packedB(k, n int) PackedB {
	kernel := &levels[cpu.Active]
	if k == 0 {
		kernel = &levels[cpu.Generic]
	}
	return PackedB{panels: panels{k, n, &kernel.shape}, kernel: kernel}
}

// packGroup is how many panels are packed together, so that b is read in longer
// pieces.
const packGroup = 8

// groups returns the number of groups of panels.
func (p *PackedB) groups() int { return kernels.Ceil(p.Panels(), packGroup) }

// pack fills group i from b.
func (p *PackedB) pack(i int, transB bool, b []float32, ldb int) {
	if p.k == 0 {
		return
	}
	w := p.cols
	first, end := i*packGroup, min((i+1)*packGroup, p.Panels())
	if _, cols, width := p.Panel(end - 1); cols < w {
		end--
		p.packLast(p.data[p.k*end*w:][:p.k*width], transB, b, ldb)
	}
	if transB {
		for ; first < end; first++ {
			Transpose(p.data[p.k*first*w:], w, b[first*w*ldb:], ldb, w, p.k)
		}
		return
	}
	if first == end {
		return
	}
	for l := range p.k {
		row := b[l*ldb+first*w:][:(end-first)*w]
		at := p.k*first*w + l*w
		for len(row) > 0 {
			copy(p.data[at:at+w], row)
			row, at = row[w:], at+p.k*w
		}
	}
}

// packLast fills dst with the last panel, which has fewer columns than others.
func (p *PackedB) packLast(dst []float32, transB bool, b []float32, ldb int) {
	j, cols, w := p.Panel(p.Panels() - 1)
	if transB {
		if cols < w {
			clear(dst)
		}
		Transpose(dst, w, b[j*ldb:], ldb, cols, p.k)
		return
	}
	for l := range p.k {
		d := dst[l*w:][:w]
		copy(d, b[l*ldb+j:][:cols])
		clear(d[cols:])
	}
}

// at returns panel i from row l, and the floats between its rows.
func (p *PackedB) at(i, l int) (b []float32, ldb int) {
	j, cols, w := p.Panel(i)
	if p.raw == nil {
		return p.data[p.k*j+l*w:], w
	}
	if cols < w {
		return p.data[l*w:], w
	}
	return p.raw[l*p.ldraw+j:], p.ldraw
}
