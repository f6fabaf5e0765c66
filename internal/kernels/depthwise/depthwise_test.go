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

// windows are geometries for the kernels that work channel by channel; the
// channels are set by the tests.
var windows = []kernels.Conv{
	{H: 7, W: 7, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 7, OW: 7},
	{H: 14, W: 15, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadTop: 0, PadLeft: 0, OH: 7, OW: 8},
	{H: 12, W: 19, KH: 5, KW: 5, StrideH: 1, StrideW: 2, PadTop: 2, PadLeft: 2, OH: 12, OW: 10},
	{H: 11, W: 16, KH: 3, KW: 2, DilH: 2, DilW: 3, PadTop: 2, PadLeft: 3, OH: 11, OW: 18},
	{H: 3, W: 3, KH: 7, KW: 7, PadTop: 3, PadLeft: 3, OH: 3, OW: 3},
	{H: 2, W: 2, KH: 2, KW: 2, PadTop: 4, PadLeft: 4, OH: 9, OW: 9}, // windows outside
	{H: 6, W: 9, KH: 6, KW: 9, OH: 1, OW: 1},
	{H: 1, W: 1, KH: 1, KW: 1, OH: 1, OW: 1},
}

// rowWindows have every number of pixels that rows of 3, 5 and 7 taps are
// computed by.
var rowWindows = func() (list []kernels.Conv) {
	for n := 4; n <= 20; n++ {
		for _, k := range []int{3, 5, 7} {
			for stride := 1; stride <= 2; stride++ {
				if n > 9 && (n+k+stride)%4 > 0 {
					continue
				}
				list = append(list, kernels.Conv{
					H: 4*stride + k - 1, W: (n-1)*stride + k - 2, KH: k, KW: k, StrideH: stride, StrideW: stride,
					PadTop: k / 2, PadLeft: 2, OH: 6, OW: n,
				})
			}
		}
	}
	return list
}()

func eachWindow(t *testing.T, f func(t *testing.T, g kernels.Conv, x []float32, batch, ldy int)) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for i, g := range slices.Concat(windows, rowWindows) {
			channels := []int{1, 7, 8, 9, 16, 23, 24, 32, 45, 72}
			if i >= len(windows) {
				channels = []int{9, 16, 37}
			}
			for _, c := range channels {
				g.C, g.Ld = c, c+rand.IntN(3)
				const batch = 2
				f(t, g.Defaults(), kerneltest.Random(batch*g.H*g.W*g.Ld), batch, c+rand.IntN(3))
			}
		}
	})
}

func TestDepthwise(t *testing.T) {
	mode := 0
	eachWindow(t, func(t *testing.T, g kernels.Conv, x []float32, batch, ldy int) {
		mode++
		checkDepthwise(t, mode, g, x, batch, ldy, kerneltest.Random, Conv[float32], kerneltest.Near)
	})
}

// checkDepthwise compares what run, a depthwise convolution, makes of x with
// sums in float64. The mode says with what epilogue.
func checkDepthwise[T kernels.Value](t *testing.T, mode int, g kernels.Conv, x []T, batch, ldy int, draw func(int) []T,
	run func(g *kernels.Conv, batch int, x []T, w []float32, y []T, ldy int, ep *kernels.EpilogueOf[T], team *workers.Team), near func(got T, want, size float64) bool) {
	w := kerneltest.Random(g.KH * g.KW * g.C)
	pixels := batch * g.OH * g.OW
	ep := &kernels.EpilogueOf[T]{Act: []vmath.Activation{vmath.ActNone, vmath.ActReLU, vmath.ActClip, vmath.ActSigmoid}[mode%4], Alpha: -0.2, Beta: 0.4}
	f := []func(float64) float64{
		func(x float64) float64 { return x },
		func(x float64) float64 { return max(x, 0) },
		func(x float64) float64 { return min(max(x, float64(ep.Alpha)), float64(ep.Beta)) },
		func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	}[mode%4]
	if mode%3 > 0 {
		ep.Bias = kerneltest.Random(g.C)
	}
	if mode%5 == 0 {
		ep.Residual, ep.LdRes = draw(pixels*g.C), g.C
	}
	y := draw(pixels * ldy)
	before := slices.Clone(y)
	run(&g, batch, x, w, y, ldy, ep, nil)
	for p := range pixels {
		for c := range ldy {
			got := y[p*ldy+c]
			if c >= g.C {
				if got != before[p*ldy+c] {
					t.Fatalf("%+v: wrote beyond the channels", g)
				}
				continue
			}
			want, size := 0., 2.
			kerneltest.EachTap(&g, p, c, func(tap, at int) {
				v := float64Of(x[at]) * float64(w[tap*g.C+c])
				want += v
				size += math.Abs(v)
			})
			if ep.Bias != nil {
				want += float64(ep.Bias[c])
			}
			if ep.Residual != nil {
				want += float64Of(ep.Residual[p*g.C+c])
			}
			want = f(want)
			if !near(got, want, size) {
				t.Fatalf("%+v: pixel %d channel %d is %v, want %v", g, p, c, float64Of(got), want)
			}
		}
	}
	z := slices.Clone(before)
	run(&g, batch, x, w, z, ldy, ep, workers.Threads(3))
	if !slices.Equal(y, z) {
		t.Fatalf("%+v: another result with 3 threads", g)
	}
}

// float64Of returns v as a float64.
func float64Of[T kernels.Value](v T) float64 {
	if b, ok := any(v).(vmath.BF16); ok {
		return float64(b.Float32())
	}
	return float64(any(v).(float32))
}

func TestPool(t *testing.T) {
	eachWindow(t, func(t *testing.T, g kernels.Conv, x []float32, batch, ldy int) {
		pixels := batch * g.OH * g.OW
		largest, mean, meanPad := kerneltest.Random(pixels*ldy), kerneltest.Random(pixels*ldy), kerneltest.Random(pixels*ldy)
		before := slices.Clone(largest)
		MaxPool(&g, batch, x, largest, ldy, workers.Threads(2))
		AveragePool(&g, batch, false, x, mean, ldy, workers.Threads(2))
		AveragePool(&g, batch, true, x, meanPad, ldy, nil)
		for p := range pixels {
			for c := range g.C {
				top, sum, n := math.Inf(-1), 0., 0.
				kerneltest.EachTap(&g, p, c, func(_, at int) {
					top = max(top, float64(x[at]))
					sum += float64(x[at])
					n++
				})
				if got := largest[p*ldy+c]; float64(got) != top {
					t.Fatalf("%+v: pixel %d channel %d: largest is %v, want %v", g, p, c, got, top)
				}
				if got := mean[p*ldy+c]; !kerneltest.Near(got, sum/max(n, 1), 1) {
					t.Fatalf("%+v: pixel %d channel %d: mean is %v, want %v", g, p, c, got, sum/n)
				}
				if got, want := meanPad[p*ldy+c], sum/float64(g.KH*g.KW); !kerneltest.Near(got, want, 1) {
					t.Fatalf("%+v: pixel %d channel %d: mean with pads is %v, want %v", g, p, c, got, want)
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
