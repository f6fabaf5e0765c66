package kernels

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// The sizes that matter: square; convolutions of a ResNet; one step of a
// decoder; a training batch.
var benchSizes = []struct{ m, n, k int }{
	{1024, 1024, 1024},
	{3136, 64, 576},
	{3136, 64, 64},
	{196, 1024, 256},
	{196, 256, 1024},
	{49, 512, 4608},
	{49, 2048, 512},
	{3136, 24, 144},
	{1, 2048, 512},
	{4, 2048, 512},
	{100, 2048, 512},
	{1600, 2048, 512},
}

// BenchmarkProduct gives the speed of each version, of B packed before, and of
// gonum's, in one go: go test -bench Product -run ^$ ./internal/kernels
func BenchmarkProduct(b *testing.B) {
	saved := active
	defer func() { active = saved }()
	team := new(Team)
	team.Start(2)
	defer team.Stop()
	for _, z := range benchSizes {
		x, y, c := random(z.m*z.k), random(z.k*z.n), make([]float32, z.m*z.n)
		bench := func(name string, f func()) {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", z.m, z.n, z.k, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				flop := 2 * float64(z.m) * float64(z.n) * float64(z.k)
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
		for _, v := range versions() {
			active = v
			p := PackB(false, z.k, z.n, y, z.n)
			bench(isaNames[v]+"/packed", func() { p.Mul(z.m, x, z.k, c, z.n, nil, nil) })
			if v > generic {
				bench(isaNames[v]+"/packed2", func() { p.Mul(z.m, x, z.k, c, z.n, nil, team) })
				bench(isaNames[v]+"/gemm", func() { Gemm(false, false, z.m, z.n, z.k, x, z.k, y, z.n, false, c, z.n, nil) })
				bench(isaNames[v]+"/gemmAT", func() { Gemm(true, false, z.m, z.n, z.k, x, z.m, y, z.n, false, c, z.n, nil) })
				bench(isaNames[v]+"/gemmBT", func() { Gemm(false, true, z.m, z.n, z.k, x, z.k, y, z.k, false, c, z.n, nil) })
			}
		}
		bench("gonum", func() {
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1,
				blas32.General{Rows: z.m, Cols: z.k, Stride: z.k, Data: x},
				blas32.General{Rows: z.k, Cols: z.n, Stride: z.n, Data: y}, 0,
				blas32.General{Rows: z.m, Cols: z.n, Stride: z.n, Data: c})
		})
	}
}

// BenchmarkVector gives nanoseconds per value, from the first-level cache.
func BenchmarkVector(b *testing.B) {
	saved := active
	defer func() { active = saved }()
	x, y, z := random(2048), random(2048), make([]float32, 2048)
	for _, v := range versions() {
		active = v
		for _, c := range []struct {
			name string
			f    func()
		}{
			{"Exp", func() { Exp(z, x) }},
			{"Tanh", func() { Tanh(z, x) }},
			{"Sigmoid", func() { Sigmoid(z, x) }},
			{"SiLU", func() { SiLU(z, x) }},
			{"GELU", func() { GELU(z, x) }},
			{"HardSwish", func() { ActHardSwish.Apply(z, x, 0, 0) }},
			{"Add", func() { Add(z, x, y) }},
			{"Axpy", func() { Axpy(z, 1e-9, x) }},
			{"Dot", func() { dot(x, y) }},
			{"Max", func() { Max(x) }},
			{"LogSoftmax", func() { LogSoftmax(z, x) }},
		} {
			b.Run(c.name+"/"+isaNames[v], func(b *testing.B) {
				for b.Loop() {
					c.f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2048, "ns/value")
			})
		}
	}
}

// channelwiseSizes are layers of a MobileNetV2.
var channelwiseSizes = []Conv{
	{H: 112, W: 112, C: 32, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 112, OW: 112},
	{H: 56, W: 56, C: 144, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1, OH: 28, OW: 28},
	{H: 14, W: 14, C: 384, KH: 5, KW: 5, PadTop: 2, PadLeft: 2, OH: 14, OW: 14},
	{H: 7, W: 7, C: 960, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 7, OW: 7},
}

// BenchmarkDepthwise gives multiply-adds in 10⁹ a second, for layers of a
// MobileNetV2.
func BenchmarkDepthwise(b *testing.B) {
	saved := active
	defer func() { active = saved }()
	for _, g := range channelwiseSizes {
		x, w, y := random(g.H*g.W*g.C), random(g.KH*g.KW*g.C), make([]float32, g.OH*g.OW*g.C)
		ep := &Epilogue{Bias: random(g.C), Act: ActClip, Lo: 0, Hi: 6}
		bench := func(name string, f func()) {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", g.H, g.W, g.C, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(len(y)*g.KH*g.KW)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GMAC/s")
			})
		}
		for _, v := range versions() {
			active = v
			bench(isaNames[v]+"/conv", func() { g.Depthwise(1, x, w, y, g.C, ep, nil) })
			bench(isaNames[v]+"/max", func() { g.MaxPool(1, x, y, g.C, nil) })
			bench(isaNames[v]+"/mean", func() { g.AveragePool(1, true, x, y, g.C, nil) })
		}
	}
}
