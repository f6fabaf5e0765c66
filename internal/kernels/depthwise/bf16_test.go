package depthwise

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

func eachWindowBF16(t *testing.T, f func(t *testing.T, g kernels.Conv, x []vmath.BF16, batch, ldy int)) {
	kerneltest.EachUnit(t, func(t *testing.T) {
		for _, g := range windows {
			for _, c := range []int{1, 7, 8, 9, 16, 23, 24, 32, 45, 72} {
				g.C, g.Ld = c, c+rand.IntN(3)
				const batch = 2
				f(t, g.Defaults(), kerneltest.RandomBF16(batch*g.H*g.W*g.Ld), batch, c+rand.IntN(3))
			}
		}
	})
}

func TestDepthwiseBF16(t *testing.T) {
	mode := 0
	eachWindowBF16(t, func(t *testing.T, g kernels.Conv, x []vmath.BF16, batch, ldy int) {
		mode++
		checkDepthwise(t, mode, g, x, batch, ldy, kerneltest.RandomBF16, Conv[vmath.BF16], kerneltest.NearBF16)
	})
}

func TestPoolBF16(t *testing.T) {
	eachWindowBF16(t, func(t *testing.T, g kernels.Conv, x []vmath.BF16, batch, ldy int) {
		pixels := batch * g.OH * g.OW
		largest, mean, meanPad := kerneltest.RandomBF16(pixels*ldy), kerneltest.RandomBF16(pixels*ldy), kerneltest.RandomBF16(pixels*ldy)
		before := slices.Clone(largest)
		MaxPool(&g, batch, x, largest, ldy, workers.Threads(2))
		AveragePool(&g, batch, false, x, mean, ldy, workers.Threads(2))
		AveragePool(&g, batch, true, x, meanPad, ldy, nil)
		exact := make([]float32, len(mean))
		AveragePoolFloat32(&g, batch, false, x, exact, ldy, workers.Threads(2))
		for i, v := range exact {
			if vmath.RoundBF16(v) != mean[i] && i%ldy < g.C {
				t.Fatalf("%+v: value %d is %v, rounded %v", g, i, v, mean[i].Float32())
			}
		}
		for p := range pixels {
			for c := range g.C {
				top, sum, n := math.Inf(-1), 0., 0.
				kerneltest.EachTap(&g, p, c, func(_, at int) {
					v := float64(x[at].Float32())
					top = max(top, v)
					sum += v
					n++
				})
				if got := largest[p*ldy+c]; float64(got.Float32()) != top {
					t.Fatalf("%+v: pixel %d channel %d: largest is %v, want %v", g, p, c, got.Float32(), top)
				}
				if got := mean[p*ldy+c]; !kerneltest.NearBF16(got, sum/max(n, 1), 1) {
					t.Fatalf("%+v: pixel %d channel %d: mean is %v, want %v", g, p, c, got.Float32(), sum/n)
				}
				if got, want := meanPad[p*ldy+c], sum/float64(g.KH*g.KW); !kerneltest.NearBF16(got, want, 1) {
					t.Fatalf("%+v: pixel %d channel %d: mean with pads is %v, want %v", g, p, c, got.Float32(), want)
				}
			}
			for c := g.C; c < ldy; c++ {
				if largest[p*ldy+c] != before[p*ldy+c] {
					t.Fatalf("%+v: wrote beyond the channels", g)
				}
			}
		}
	})
}
