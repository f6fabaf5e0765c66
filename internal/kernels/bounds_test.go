//go:build linux || darwin

package kernels

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// A field is memory between pages that must not be touched.
type field []byte

// fieldPages is how many pages of it can be touched.
const fieldPages = 32

func newField(t *testing.T) field {
	t.Helper()
	page := os.Getpagesize()
	m, err := syscall.Mmap(-1, 0, (fieldPages+2)*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip("no memory mapping here:", err)
	}
	t.Cleanup(func() { syscall.Munmap(m) })
	for _, fence := range [][]byte{m[:page], m[(fieldPages+1)*page:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Skip("no memory protection here:", err)
		}
	}
	return field(m[page : (fieldPages+1)*page])
}

// fenced returns n random values that lie at one edge of f.
func fenced(f field, n int, atEnd bool) []float32 {
	x := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(f))), len(f)/4)
	if atEnd {
		x = x[len(x)-n:]
	}
	copy(x[:n], random(n))
	return x[:n:n]
}

// fencedBF16 is the same for BF16.
func fencedBF16(f field, n int, atEnd bool) []BF16 {
	x := unsafe.Slice((*BF16)(unsafe.Pointer(unsafe.SliceData(f))), len(f)/2)
	if atEnd {
		x = x[len(x)-n:]
	}
	copy(x[:n], randomBF16(n))
	return x[:n:n]
}

// eachEdge runs f with every version. The functions mem and half give f memory
// at the end, then at the start, of field i; a job that touches what is beyond
// fails the test.
func eachEdge(t *testing.T, f func(t *testing.T, do func(name string, job func()), mem func(i, n int) []float32, half func(i, n int) []BF16)) {
	fields := make([]field, 6)
	for i := range fields {
		fields[i] = newField(t)
	}
	eachVersion(t, func(t *testing.T) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		for _, atEnd := range []bool{true, false} {
			f(t, func(name string, job func()) {
				defer func() {
					if e := recover(); e != nil {
						t.Fatalf("%s, data at the end of a page %v: %v", name, atEnd, e)
					}
				}()
				job()
			}, func(i, n int) []float32 { return fenced(fields[i], n, atEnd) },
				func(i, n int) []BF16 { return fencedBF16(fields[i], n, atEnd) })
		}
	})
}

func TestTileBounds(t *testing.T) {
	eachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, _ func(i, n int) []BF16) {
		for rows := 1; rows <= active.rows(); rows++ {
			for cols := 1; cols <= active.cols(); cols++ {
				for _, segLen := range []int{1, 2, 3, 4, 5, 8, 11} {
					const segs = 2
					width := active.cols()
					if cols <= width/2 {
						width /= 2
					}
					ldb, ldc, ldd := width+3, cols+1, cols+2
					// The last row has the last segment of A.
					off := make([]int, segs*active.rows())
					for r := range rows {
						off[r], off[active.rows()+r] = outside, r*segLen
					}
					x := tile{
						rows: rows, cols: cols, width: width, segs: segs, segLen: segLen,
						a: mem(0, rows*segLen), off: off, zero: mem(1, segLen),
						b: mem(2, (segs*segLen-1)*ldb+width), ldb: ldb,
						c: mem(3, (rows-1)*ldc+cols), ldc: ldc,
						d: mem(4, (rows-1)*ldd+cols), ldd: ldd,
						bias: mem(5, cols), clamp: true, lo: -1, hi: 1,
					}
					clear(x.zero)
					do(fmt.Sprintf("%d×%d, segments of %d", rows, cols, segLen), func() { x.run(active) })
				}
			}
		}
	})
}

func TestGemmBounds(t *testing.T) {
	eachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, half func(i, n int) []BF16) {
		for _, m := range []int{1, 3, 7, 13, 26} {
			for _, n := range []int{1, 4, 8, 13, 16, 30, 33, 48} {
				for _, k := range []int{1, 3, 9, 20, 67} {
					for mode := range 4 {
						do(fmt.Sprintf("Gemm mode %d of %d×%d×%d", mode, m, n, k), func() {
							lda, ldb := k, n
							if mode&1 != 0 {
								lda = m
							}
							if mode&2 != 0 {
								ldb = k
							}
							Gemm(mode&1 != 0, mode&2 != 0, m, n, k, mem(0, m*k), lda, mem(1, k*n), ldb, false, mem(2, m*n), n, nil)
						})
					}
					do(fmt.Sprintf("Mul of %d×%d×%d", m, n, k), func() {
						ep := &Epilogue{Bias: mem(2, n), Residual: mem(3, m*n), LdRes: n, Act: ActReLU}
						PackB(false, k, n, mem(0, k*n), n).Mul(m, mem(1, m*k), k, mem(4, m*n), n, ep, nil)
					})
					do(fmt.Sprintf("Mul of BF16, %d×%d×%d", m, n, k), func() {
						ep := &EpilogueBF16{Bias: mem(2, n), Residual: half(3, m*n), LdRes: n, Act: ActReLU}
						PackBF16(false, k, n, mem(0, k*n), n).Mul(m, half(1, m*k), k, half(4, m*n), n, ep, nil)
					})
				}
			}
		}
	})
}

func TestChannelwiseBounds(t *testing.T) {
	eachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, half func(i, n int) []BF16) {
		for _, g := range windows {
			for _, c := range []int{1, 7, 8, 9, 16, 23, 24, 37} {
				g.C, g.Ld = c, 0
				in, out, taps := g.H*g.W*c, g.OH*g.OW*c, g.KH*g.KW*c
				ep := &Epilogue{Bias: mem(3, c), Act: ActReLU}
				do(fmt.Sprintf("Depthwise %+v", g), func() { g.Depthwise(1, mem(0, in), mem(1, taps), mem(2, out), c, ep, nil) })
				do(fmt.Sprintf("MaxPool %+v", g), func() { g.MaxPool(1, mem(0, in), mem(2, out), c, nil) })
				do(fmt.Sprintf("AveragePool %+v", g), func() { g.AveragePool(1, true, mem(0, in), mem(2, out), c, nil) })
				ep16 := &EpilogueBF16{Bias: mem(3, c), Act: ActReLU}
				do(fmt.Sprintf("DepthwiseBF16 %+v", g), func() { g.DepthwiseBF16(1, half(0, in), mem(1, taps), half(2, out), c, ep16, nil) })
				do(fmt.Sprintf("MaxPoolBF16 %+v", g), func() { g.MaxPoolBF16(1, half(0, in), half(2, out), c, nil) })
				do(fmt.Sprintf("AveragePoolBF16 %+v", g), func() { g.AveragePoolBF16(1, true, half(0, in), half(2, out), c, nil) })
			}
		}
	})
}

func TestWinogradBounds(t *testing.T) {
	eachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, _ func(i, n int) []BF16) {
		for size := 1; size <= 9; size++ {
			for _, c := range []int{1, 4, 7, 8, 13} {
				for _, n := range []int{1, 8, 13, 35} {
					do(fmt.Sprintf("%d×%d×%d to %d", size, size, c, n), func() {
						p := NewWinograd(2+size%2*2, c, n)
						p.SetMemory(mem(0, p.Size()))
						p.SetFilters(0, mem(1, n*c*9), mem(2, n))
						g := Conv{H: size, W: size, C: c, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: size, OW: size}
						ep := &Epilogue{Bias: mem(1, n), Residual: mem(2, size*size*n), LdRes: n, Act: ActReLU}
						p.Conv(&g, 1, mem(3, size*size*c), mem(4, size*size*n), n, ep, nil)
					})
				}
			}
		}
	})
}

func TestWinogradBF16Bounds(t *testing.T) {
	eachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, half func(i, n int) []BF16) {
		for size := 1; size <= 7; size++ {
			for _, n := range []int{1, 16, 35} {
				const c = wino2Block
				do(fmt.Sprintf("%d×%d×%d to %d", size, size, c, n), func() {
					p := PackWinogradBF16(c, n, mem(0, n*c*9))
					g := Conv{H: size, W: size, C: c, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: size, OW: size}
					ep := &EpilogueBF16{Bias: mem(1, n), Residual: half(2, size*size*n), LdRes: n, Act: ActReLU}
					p.Conv(&g, 1, half(3, size*size*c), half(4, size*size*n), n, ep, nil)
				})
			}
		}
	})
}

func TestVectorBounds(t *testing.T) {
	eachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, half func(i, n int) []BF16) {
		for n := range 71 {
			x, y, z := mem(0, n), mem(1, n), mem(2, n)
			for f := fnExp; f <= fnHardSwish; f++ {
				do(fmt.Sprintf("function %d of %d values", f, n), func() { unary(f, z, x, 0.1, 0.2) })
			}
			for f := fnAdd; f <= fnMulAdd; f++ {
				do(fmt.Sprintf("function %d of %d values", f, n), func() { binary(f, z, x, y) })
			}
			if n > 0 {
				do(fmt.Sprintf("affine, rows of %d", n), func() {
					Affine(mem(2, 3*n), mem(0, 3*n), mem(1, n), mem(3, n), 0, 1)
					Affine(mem(2, 3*n), mem(0, 3*n), mem(1, n), nil, 0, 1)
				})
			}
			do(fmt.Sprintf("sums of %d values", n), func() {
				axpy(z, 0.3, x)
				dot(x, y)
				dot4(x, mem(3, 4*n), n)
				sum(x)
				sumExp(x, 1)
				largest(x)
			})
			do(fmt.Sprintf("%d values to BF16 and back", n), func() {
				ToBF16(half(3, n), x)
				FromBF16(z, half(3, n))
			})
			do(fmt.Sprintf("arithmetic of %d BF16 values", n), func() {
				a, b := half(3, n), half(4, n)
				AddBF16(half(5, n), a, b)
				MulBF16(half(5, n), a, b)
				addFloat32(z, a)
			})
			do(fmt.Sprintf("%d values of binary16", n), func() {
				b := half(3, n) // as wide
				FromHalf(z, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(b))), 2*n))
			})
		}
		for _, rows := range []int{1, 4, 8, 13, 33} {
			for _, cols := range []int{1, 4, 8, 13, 33} {
				do(fmt.Sprintf("transpose %d×%d", rows, cols), func() {
					transpose(mem(0, rows*cols), rows, mem(1, rows*cols), cols, rows, cols)
				})
				do(fmt.Sprintf("weave %d×%d", rows, cols), func() {
					off := make([]int, cols)
					for c := range off {
						off[c] = c * rows
					}
					weave(mem(0, rows*cols), off, mem(1, rows*cols), cols, mem(2, rows), rows, cols)
				})
			}
		}
	})
}
