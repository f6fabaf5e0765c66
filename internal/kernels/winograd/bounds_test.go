//go:build linux || darwin

package winograd

import (
	"fmt"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

func TestWinogradBounds(t *testing.T) {
	kerneltest.EachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, _ func(i, n int) []vmath.BF16) {
		for size := 1; size <= 9; size++ {
			for _, c := range []int{1, 4, 7, 8, 13} {
				for _, n := range []int{1, 8, 13, 35} {
					do(fmt.Sprintf("%d×%d×%d to %d", size, size, c, n), func() {
						p := New(2+size%2*2, c, n)
						p.SetMemory(mem(0, p.Size()))
						p.SetFilters(0, mem(1, n*c*9), mem(2, n))
						g := kernels.Conv{H: size, W: size, C: c, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: size, OW: size}
						ep := &kernels.Epilogue{Bias: mem(1, n), Residual: mem(2, size*size*n), LdRes: n, Act: vmath.ActReLU}
						p.Conv(&g, 1, mem(3, size*size*c), mem(4, size*size*n), n, ep, nil)
					})
				}
			}
		}
	})
}

func TestWinogradBF16Bounds(t *testing.T) {
	kerneltest.EachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, half func(i, n int) []vmath.BF16) {
		for size := 1; size <= 7; size++ {
			for _, n := range []int{1, 16, 35} {
				const c = smallBlock
				do(fmt.Sprintf("%d×%d×%d to %d", size, size, c, n), func() {
					p := PackBF16(c, n, mem(0, n*c*9))
					g := kernels.Conv{H: size, W: size, C: c, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: size, OW: size}
					ep := &kernels.EpilogueBF16{Bias: mem(1, n), Residual: half(2, size*size*n), LdRes: n, Act: vmath.ActReLU}
					p.Conv(&g, 1, half(3, size*size*c), half(4, size*size*n), n, ep, nil)
				})
			}
		}
	})
}
