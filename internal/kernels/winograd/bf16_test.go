package winograd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// TestWinogradBF16 compares with the definition: transformed pictures and
// filters are rounded, and the errors of 16 products meet in a result.
func TestWinogradBF16(t *testing.T) {
	kerneltest.EachUnit(t, func(t *testing.T) {
		mode := 0
		for _, g := range []kernels.Conv{
			{H: 7, W: 7, C: 32, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 7, OW: 7},
			{H: 6, W: 9, C: 64, KH: 3, KW: 3, OH: 4, OW: 7},
			{H: 14, W: 13, C: 96, Ld: 99, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 14, OW: 13},
			{H: 1, W: 1, C: 32, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 1, OW: 1},
			{H: 2, W: 3, C: 32, KH: 3, KW: 3, PadTop: 3, PadLeft: 2, OH: 6, OW: 6},
		} {
			for _, n := range []int{5, 16, 40, 64} {
				mode++
				const batch = 2
				q := g.Defaults()
				k, pixels := taps*q.C, batch*q.OH*q.OW
				x, w := kerneltest.RandomBF16(batch*q.H*q.W*q.Ld), kerneltest.Random(k*n)
				wt := make([]float32, k*n)
				matmul.Transpose(wt, k, w, n, k, n)
				wino := PackBF16(q.C, n, wt)
				ldy := n + rand.IntN(2)
				ep := &kernels.EpilogueBF16{Act: []vmath.Activation{vmath.ActNone, vmath.ActReLU, vmath.ActSiLU}[mode%3]}
				f := []func(float64) float64{
					func(x float64) float64 { return x },
					func(x float64) float64 { return max(x, 0) },
					func(x float64) float64 { return x / (1 + math.Exp(-x)) },
				}[mode%3]
				if mode%4 > 0 {
					ep.Bias = kerneltest.Random(n)
				}
				if mode%5 > 2 {
					ep.Residual, ep.LdRes = kerneltest.RandomBF16(pixels*(n+1)), n+1
				}
				before := kerneltest.RandomBF16(pixels * ldy)
				y, z := slices.Clone(before), slices.Clone(before)
				wino.Conv(&g, batch, x, y, ldy, ep, nil)
				wino.Conv(&g, batch, x, z, ldy, ep, workers.Threads(3))
				if !slices.Equal(y, z) {
					t.Fatalf("%+v: another result with 3 threads", g)
				}
				x32, errs := kerneltest.Wide(x), 0.
				for p := range pixels {
					for j := range ldy {
						got := y[p*ldy+j]
						if j >= n {
							if got != before[p*ldy+j] {
								t.Fatalf("%+v: wrote beyond the channels", g)
							}
							continue
						}
						want, _ := kerneltest.ConvAt(&q, x32, w, n, p, j)
						if ep.Bias != nil {
							want += float64(ep.Bias[j])
						}
						if ep.Residual != nil {
							want += float64(ep.Residual[p*(n+1)+j].Float32())
						}
						want = f(want)
						// A sum of k products of numbers up to 1, each with a
						// relative error of some 1/256, has a standard deviation
						// of √k/3/256·2.
						e := math.Abs(float64(got.Float32())-want) / (math.Sqrt(float64(k))/3/128 + math.Abs(want)/256)
						if e > 5 {
							t.Fatalf("%+v, %d channels out: pixel %d channel %d is %v, want %v", g, n, p, j, got.Float32(), want)
						}
						errs += e
					}
				}
				if errs /= float64(pixels * n); errs > 0.7 {
					t.Errorf("%+v, %d channels out: mean error %.2f", g, n, errs)
				}
			}
		}
	})
}
