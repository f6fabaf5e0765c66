package depthwise

import (
	"fmt"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// channelwiseSizes are layers of a MobileNetV2.
var channelwiseSizes = []kernels.Conv{
	{H: 112, W: 112, C: 32, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 112, OW: 112},
	{H: 56, W: 56, C: 144, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1, OH: 28, OW: 28},
	{H: 14, W: 14, C: 384, KH: 5, KW: 5, PadTop: 2, PadLeft: 2, OH: 14, OW: 14},
	{H: 7, W: 7, C: 960, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 7, OW: 7},
}

// BenchmarkDepthwise gives multiply-adds in 10⁹ a second, for layers of a
// MobileNetV2.
func BenchmarkDepthwise(b *testing.B) {
	saved := cpu.Active
	defer func() { cpu.Active = saved }()
	for _, g := range channelwiseSizes {
		x, w, y := kerneltest.Random(g.H*g.W*g.C), kerneltest.Random(g.KH*g.KW*g.C), make([]float32, g.OH*g.OW*g.C)
		ep := &kernels.Epilogue{Bias: kerneltest.Random(g.C), Act: vmath.ActClip, Alpha: 0, Beta: 6}
		bench := func(name string, f func()) {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", g.H, g.W, g.C, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(len(y)*g.KH*g.KW)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GMAC/s")
			})
		}
		for _, v := range cpu.Available() {
			cpu.Active = v
			bench(v.String()+"/conv", func() { Conv(&g, 1, x, w, y, g.C, ep, nil) })
			bench(v.String()+"/max", func() { MaxPool(&g, 1, x, y, g.C, nil) })
			bench(v.String()+"/mean", func() { AveragePool(&g, 1, true, x, y, g.C, nil) })
		}
	}
}

// BenchmarkChannelwiseBF16 gives multiply-adds in 10⁹ a second, beside those of
// float32, for layers of a MobileNetV2.
func BenchmarkChannelwiseBF16(b *testing.B) {
	if cpu.ActiveUnit == cpu.NoUnit {
		b.Skip("no instructions for BF16")
	}
	for _, g := range channelwiseSizes {
		x, w, y := kerneltest.Random(g.H*g.W*g.C), kerneltest.Random(g.KH*g.KW*g.C), make([]float32, g.OH*g.OW*g.C)
		ep, ep16 := &kernels.Epilogue{Bias: kerneltest.Random(g.C), Act: vmath.ActClip, Alpha: 0, Beta: 6}, &kernels.EpilogueBF16{Bias: kerneltest.Random(g.C), Act: vmath.ActClip, Alpha: 0, Beta: 6}
		silu := &kernels.EpilogueBF16{Bias: ep.Bias, Act: vmath.ActSiLU}
		x16, y16 := make([]vmath.BF16, len(x)), make([]vmath.BF16, len(y))
		vmath.ToBF16(x16, x)
		for _, c := range []struct {
			name string
			f    func()
		}{
			{"conv/float32", func() { Conv(&g, 1, x, w, y, g.C, ep, nil) }},
			{"conv/bf16", func() { Conv(&g, 1, x16, w, y16, g.C, ep16, nil) }},
			{"conv/bf16silu", func() { Conv(&g, 1, x16, w, y16, g.C, silu, nil) }},
			{"max/float32", func() { MaxPool(&g, 1, x, y, g.C, nil) }},
			{"max/bf16", func() { MaxPool(&g, 1, x16, y16, g.C, nil) }},
			{"mean/float32", func() { AveragePool(&g, 1, true, x, y, g.C, nil) }},
			{"mean/bf16", func() { AveragePool(&g, 1, true, x16, y16, g.C, nil) }},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", g.H, g.W, g.C, c.name), func(b *testing.B) {
				for b.Loop() {
					c.f()
				}
				b.ReportMetric(float64(len(y)*g.KH*g.KW)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GMAC/s")
			})
		}
	}
}
