//go:build linux || darwin

package matmul

import (
	"fmt"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

func TestTileBounds(t *testing.T) {
	kerneltest.EachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, _ func(i, n int) []vmath.BF16) {
		k := &levels[cpu.Active]
		for rows := 1; rows <= k.rows; rows++ {
			for cols := 1; cols <= k.cols; cols++ {
				for _, segLen := range []int{1, 2, 3, 4, 5, 8, 11} {
					const segs = 2
					width := k.cols
					if cols <= width/2 {
						width /= 2
					}
					ldb, ldc, ldd := width+3, cols+1, cols+2
					// The last row has the last segment of A.
					off := make([]int, segs*k.rows)
					for r := range rows {
						off[r], off[k.rows+r] = kernels.Outside, r*segLen
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
					do(fmt.Sprintf("%d×%d, segments of %d", rows, cols, segLen), func() { k.run(&x) })
				}
			}
		}
	})
}

func TestGemmBounds(t *testing.T) {
	kerneltest.EachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, half func(i, n int) []vmath.BF16) {
		for _, m := range []int{1, 3, 7, 13, 26} {
			for _, n := range []int{1, 4, 8, 13, 16, 30, 33, 48} {
				for _, k := range []int{1, 3, 9, 20, 67} {
					for mode := range 4 {
						do(fmt.Sprintf("Mul mode %d of %d×%d×%d", mode, m, n, k), func() {
							lda, ldb := k, n
							if mode&1 != 0 {
								lda = m
							}
							if mode&2 != 0 {
								ldb = k
							}
							Mul(mode&1 != 0, mode&2 != 0, m, n, k, mem(0, m*k), lda, mem(1, k*n), ldb, false, mem(2, m*n), n, nil)
						})
					}
					do(fmt.Sprintf("Mul of %d×%d×%d", m, n, k), func() {
						ep := &kernels.Epilogue{Bias: mem(2, n), Residual: mem(3, m*n), LdRes: n, Act: vmath.ActReLU}
						PackB(false, k, n, mem(0, k*n), n).Mul(m, mem(1, m*k), k, mem(4, m*n), n, ep, nil)
					})
					do(fmt.Sprintf("Mul of BF16, %d×%d×%d", m, n, k), func() {
						ep := &kernels.EpilogueBF16{Bias: mem(2, n), Residual: half(3, m*n), LdRes: n, Act: vmath.ActReLU}
						PackBF16(false, k, n, mem(0, k*n), n).Mul(m, half(1, m*k), k, half(4, m*n), n, ep, nil)
					})
				}
			}
		}
	})
}

func TestTransposeBounds(t *testing.T) {
	kerneltest.EachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, _ func(i, n int) []vmath.BF16) {
		for _, rows := range []int{1, 4, 8, 13, 33} {
			for _, cols := range []int{1, 4, 8, 13, 33} {
				do(fmt.Sprintf("transpose %d×%d", rows, cols), func() {
					Transpose(mem(0, rows*cols), rows, mem(1, rows*cols), cols, rows, cols)
				})
				do(fmt.Sprintf("scatter %d×%d", rows, cols), func() {
					off := make([]int, cols)
					for c := range off {
						off[c] = c * rows
					}
					scatter(mem(0, rows*cols), off, mem(1, rows*cols), cols, mem(2, rows), rows, cols)
				})
			}
		}
	})
}
