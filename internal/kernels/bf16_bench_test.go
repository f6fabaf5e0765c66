package kernels

import (
	"fmt"
	"testing"
)

// BenchmarkBF16 gives the speed of products of BF16 matrices beside those of
// float32, for layers of a ResNet-50 and a MobileNetV2, with B packed before
// and one thread: go test -bench BF16 -run ^$ ./internal/kernels
func BenchmarkBF16(b *testing.B) {
	saved := activeUnit
	defer func() { activeUnit = saved }()
	for _, c := range []struct {
		conv Conv
		n    int
	}{
		{Conv{H: 224, W: 224, C: 3, KH: 7, KW: 7, StrideH: 2, StrideW: 2, PadTop: 3, PadLeft: 3, OH: 112, OW: 112}, 64},
		{Conv{H: 56, W: 56, C: 64, KH: 1, KW: 1, OH: 56, OW: 56}, 64},
		{Conv{H: 56, W: 56, C: 64, KH: 1, KW: 1, OH: 56, OW: 56}, 256},
		{Conv{H: 56, W: 56, C: 256, KH: 1, KW: 1, OH: 56, OW: 56}, 64},
		{Conv{H: 56, W: 56, C: 64, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 56, OW: 56}, 64},
		{Conv{H: 28, W: 28, C: 128, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 28, OW: 28}, 128},
		{Conv{H: 28, W: 28, C: 512, KH: 1, KW: 1, OH: 28, OW: 28}, 128},
		{Conv{H: 14, W: 14, C: 256, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 14, OW: 14}, 256},
		{Conv{H: 14, W: 14, C: 256, KH: 1, KW: 1, OH: 14, OW: 14}, 1024},
		{Conv{H: 14, W: 14, C: 1024, KH: 1, KW: 1, OH: 14, OW: 14}, 256},
		{Conv{H: 7, W: 7, C: 512, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 7, OW: 7}, 512},
		{Conv{H: 7, W: 7, C: 512, KH: 1, KW: 1, OH: 7, OW: 7}, 2048},
		{Conv{H: 7, W: 7, C: 2048, KH: 1, KW: 1, OH: 7, OW: 7}, 512},
		{Conv{H: 112, W: 112, C: 32, KH: 1, KW: 1, OH: 112, OW: 112}, 16},
		{Conv{H: 56, W: 56, C: 24, KH: 1, KW: 1, OH: 56, OW: 56}, 144},
		{Conv{H: 14, W: 14, C: 384, KH: 1, KW: 1, OH: 14, OW: 14}, 64},
		{Conv{H: 7, W: 7, C: 160, KH: 1, KW: 1, OH: 7, OW: 7}, 960},
	} {
		const batch = 4
		g, q := c.conv, c.conv.defaults()
		k, m := q.KH*q.KW*q.C, batch*q.OH*q.OW
		x, w := random(batch*q.H*q.W*q.C), random(k*c.n)
		ep, ep16 := &Epilogue{Bias: random(c.n), Act: ActReLU}, &EpilogueBF16{Bias: random(c.n), Act: ActReLU}
		bench := func(name string, f func()) {
			b.Run(fmt.Sprintf("%dx%dx%d_%d_%d/%s", q.KH, q.KW, q.C, c.n, q.OH, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(2*float64(m*k*c.n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
			})
		}
		p, y := PackB(false, k, c.n, w, c.n), make([]float32, m*c.n)
		bench(isaNames[active], func() { p.Conv(&g, batch, x, y, c.n, ep, nil) })
		x16, y16 := make([]BF16, len(x)), make([]BF16, m*c.n)
		ToBF16(x16, x)
		for u := avx512BF16; u <= bestUnit(); u++ {
			activeUnit = u
			p := PackBF16(false, k, c.n, w, c.n)
			bench(BF16Unit(), func() { p.Conv(&g, batch, x16, y16, c.n, ep16, nil) })
			if g.WinogradBF16(c.n) {
				f := make([]float32, len(w))
				transpose(f, k, w, c.n, k, c.n)
				p := PackWinogradBF16(g.C, c.n, f)
				bench("winograd_"+BF16Unit(), func() { p.Conv(&g, batch, x16, y16, c.n, ep16, nil) })
			}
		}
	}
}

// BenchmarkChannelwiseBF16 gives multiply-adds in 10⁹ a second, beside those of
// float32, for layers of a MobileNetV2.
func BenchmarkChannelwiseBF16(b *testing.B) {
	if activeUnit == plain {
		b.Skip("no instructions for BF16")
	}
	for _, g := range channelwiseSizes {
		x, w, y := random(g.H*g.W*g.C), random(g.KH*g.KW*g.C), make([]float32, g.OH*g.OW*g.C)
		ep, ep16 := &Epilogue{Bias: random(g.C), Act: ActClip, Lo: 0, Hi: 6}, &EpilogueBF16{Bias: random(g.C), Act: ActClip, Lo: 0, Hi: 6}
		silu := &EpilogueBF16{Bias: ep.Bias, Act: ActSiLU}
		x16, y16 := make([]BF16, len(x)), make([]BF16, len(y))
		ToBF16(x16, x)
		for _, c := range []struct {
			name string
			f    func()
		}{
			{"conv/float32", func() { g.Depthwise(1, x, w, y, g.C, ep, nil) }},
			{"conv/bf16", func() { g.DepthwiseBF16(1, x16, w, y16, g.C, ep16, nil) }},
			{"conv/bf16silu", func() { g.DepthwiseBF16(1, x16, w, y16, g.C, silu, nil) }},
			{"max/float32", func() { g.MaxPool(1, x, y, g.C, nil) }},
			{"max/bf16", func() { g.MaxPoolBF16(1, x16, y16, g.C, nil) }},
			{"mean/float32", func() { g.AveragePool(1, true, x, y, g.C, nil) }},
			{"mean/bf16", func() { g.AveragePoolBF16(1, true, x16, y16, g.C, nil) }},
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
