//go:build linux || darwin

package depthwise

import (
	"fmt"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

func TestChannelwiseBounds(t *testing.T) {
	kerneltest.EachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, half func(i, n int) []vmath.BF16) {
		for _, g := range windows {
			for _, c := range []int{1, 7, 8, 9, 16, 23, 24, 37} {
				g.C, g.Ld = c, 0
				in, out, taps := g.H*g.W*c, g.OH*g.OW*c, g.KH*g.KW*c
				ep := &kernels.Epilogue{Bias: mem(3, c), Act: vmath.ActReLU}
				do(fmt.Sprintf("Depthwise %+v", g), func() { Conv(&g, 1, mem(0, in), mem(1, taps), mem(2, out), c, ep, nil) })
				do(fmt.Sprintf("MaxPool %+v", g), func() { MaxPool(&g, 1, mem(0, in), mem(2, out), c, nil) })
				do(fmt.Sprintf("AveragePool %+v", g), func() { AveragePool(&g, 1, true, mem(0, in), mem(2, out), c, nil) })
				ep16 := &kernels.EpilogueBF16{Bias: mem(3, c), Act: vmath.ActReLU}
				do(fmt.Sprintf("DepthwiseBF16 %+v", g), func() { Conv(&g, 1, half(0, in), mem(1, taps), half(2, out), c, ep16, nil) })
				do(fmt.Sprintf("MaxPoolBF16 %+v", g), func() { MaxPool(&g, 1, half(0, in), half(2, out), c, nil) })
				do(fmt.Sprintf("AveragePoolBF16 %+v", g), func() { AveragePool(&g, 1, true, half(0, in), half(2, out), c, nil) })
			}
		}
	})
}
