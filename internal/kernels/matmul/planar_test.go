package matmul

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// TestConvPlanar compares with the definition on the picture in the other order.
func TestConvPlanar(t *testing.T) {
	cases := append(slices.Clone(convCases),
		kernels.Conv{H: 21, W: 30, C: 3, KH: 4, KW: 4, StrideH: 4, StrideW: 4, OH: 5, OW: 7},
		kernels.Conv{H: 5, W: 40, C: 1, KH: 3, KW: 5, PadTop: 2, PadLeft: 4, OH: 7, OW: 44},
		kernels.Conv{H: 40, W: 3, C: 2, KH: 5, KW: 5, PadTop: 2, PadLeft: 2, OH: 40, OW: 3},
		kernels.Conv{H: 7, W: 26, C: 4, KH: 3, KW: 3, DilH: 2, PadTop: 2, PadLeft: 1, OH: 7, OW: 26},
	)
	kerneltest.EachLevel(t, func(t *testing.T) {
		tried := 0
		for i, g := range cases {
			q := g.Defaults()
			if !Planar(&q) || q.Ld != q.C {
				continue
			}
			tried++
			for _, n := range []int{5, 40, 130} {
				const batch = 2
				k := q.KH * q.KW * q.C
				x, w, bias := kerneltest.Random(batch*q.H*q.W*q.C), kerneltest.Random(k*n), kerneltest.Random(n)
				planes, v := make([]float32, len(x)), make([]float32, len(w))
				for j, f := range x {
					at, c := j/q.C, j%q.C
					planes[(at/(q.H*q.W)*q.C+c)*q.H*q.W+at%(q.H*q.W)] = f
				}
				for j, f := range w {
					row := j / n
					v[(row%q.C*q.KH*q.KW+row/q.C)*n+j%n] = f
				}
				b := PackB(false, k, n, v, n)
				ldy := n + rand.IntN(2)
				y := kerneltest.Random(batch * q.OH * q.OW * ldy)
				before := slices.Clone(y)
				ep := &kernels.Epilogue{Bias: bias, Act: vmath.ActClip, Alpha: -1, Beta: 2}
				f := func(x float64) float64 { return min(max(x, -1), 2) }
				if i%2 == 0 {
					ep = &kernels.Epilogue{Act: vmath.ActSigmoid}
					f = func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
				}
				b.ConvPlanar(&g, batch, planes, y, ldy, ep, nil)
				for p := range batch * q.OH * q.OW {
					for j := range n {
						want, size := kerneltest.ConvAt(&q, x, w, n, p, j)
						if ep.Bias != nil {
							want += float64(bias[j])
						}
						if got := y[p*ldy+j]; !kerneltest.Near(got, f(want), size+2) {
							t.Fatalf("case %d, %d channels out: pixel %d channel %d is %v, want %v", i, n, p, j, got, f(want))
						}
					}
					if ldy > n && y[p*ldy+n] != before[p*ldy+n] {
						t.Fatalf("case %d: wrote beyond the channels", i)
					}
				}
				z := slices.Clone(before)
				b.ConvPlanar(&g, batch, planes, z, ldy, ep, workers.Threads(3))
				if !slices.Equal(y, z) {
					t.Fatalf("case %d: another result with 3 threads", i)
				}
			}
		}
		if tried < 8 {
			t.Fatalf("%d cases", tried)
		}
	})
}
