package winograd

import (
	"fmt"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// BenchmarkBF16 gives the speed of products of BF16 matrices beside those of
// float32, for layers of a ResNet-50 and a MobileNetV2, with B packed before
// and one thread: go test -bench BF16 -run ^$ ./internal/kernels/winograd
func BenchmarkBF16(b *testing.B) {
	saved := cpu.ActiveUnit
	defer func() { cpu.ActiveUnit = saved }()
	for _, c := range []struct {
		conv kernels.Conv
		n    int
	}{
		{kernels.Conv{H: 224, W: 224, C: 3, KH: 7, KW: 7, StrideH: 2, StrideW: 2, PadTop: 3, PadLeft: 3, OH: 112, OW: 112}, 64},
		{kernels.Conv{H: 56, W: 56, C: 64, KH: 1, KW: 1, OH: 56, OW: 56}, 64},
		{kernels.Conv{H: 56, W: 56, C: 64, KH: 1, KW: 1, OH: 56, OW: 56}, 256},
		{kernels.Conv{H: 56, W: 56, C: 256, KH: 1, KW: 1, OH: 56, OW: 56}, 64},
		{kernels.Conv{H: 56, W: 56, C: 64, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 56, OW: 56}, 64},
		{kernels.Conv{H: 28, W: 28, C: 128, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 28, OW: 28}, 128},
		{kernels.Conv{H: 28, W: 28, C: 512, KH: 1, KW: 1, OH: 28, OW: 28}, 128},
		{kernels.Conv{H: 14, W: 14, C: 256, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 14, OW: 14}, 256},
		{kernels.Conv{H: 14, W: 14, C: 256, KH: 1, KW: 1, OH: 14, OW: 14}, 1024},
		{kernels.Conv{H: 14, W: 14, C: 1024, KH: 1, KW: 1, OH: 14, OW: 14}, 256},
		{kernels.Conv{H: 7, W: 7, C: 512, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 7, OW: 7}, 512},
		{kernels.Conv{H: 7, W: 7, C: 512, KH: 1, KW: 1, OH: 7, OW: 7}, 2048},
		{kernels.Conv{H: 7, W: 7, C: 2048, KH: 1, KW: 1, OH: 7, OW: 7}, 512},
		{kernels.Conv{H: 112, W: 112, C: 32, KH: 1, KW: 1, OH: 112, OW: 112}, 16},
		{kernels.Conv{H: 56, W: 56, C: 24, KH: 1, KW: 1, OH: 56, OW: 56}, 144},
		{kernels.Conv{H: 14, W: 14, C: 384, KH: 1, KW: 1, OH: 14, OW: 14}, 64},
		{kernels.Conv{H: 7, W: 7, C: 160, KH: 1, KW: 1, OH: 7, OW: 7}, 960},
	} {
		const batch = 4
		g, q := c.conv, c.conv.Defaults()
		k, m := q.KH*q.KW*q.C, batch*q.OH*q.OW
		x, w := kerneltest.Random(batch*q.H*q.W*q.C), kerneltest.Random(k*c.n)
		ep, ep16 := &kernels.Epilogue{Bias: kerneltest.Random(c.n), Act: vmath.ActReLU}, &kernels.EpilogueBF16{Bias: kerneltest.Random(c.n), Act: vmath.ActReLU}
		bench := func(name string, f func()) {
			b.Run(fmt.Sprintf("%dx%dx%d_%d_%d/%s", q.KH, q.KW, q.C, c.n, q.OH, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(2*float64(m*k*c.n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
			})
		}
		p, y := matmul.PackB(false, k, c.n, w, c.n), make([]float32, m*c.n)
		bench(cpu.Active.String(), func() { p.Conv(&g, batch, x, y, c.n, ep, nil) })
		x16, y16 := make([]vmath.BF16, len(x)), make([]vmath.BF16, m*c.n)
		vmath.ToBF16(x16, x)
		for u := cpu.AVX512BF16; u <= cpu.BestUnit(); u++ {
			cpu.ActiveUnit = u
			p := matmul.PackBF16(false, k, c.n, w, c.n)
			bench(cpu.ActiveUnit.String(), func() { p.Conv(&g, batch, x16, y16, c.n, ep16, nil) })
			if FasterBF16(&g, c.n) {
				f := make([]float32, len(w))
				matmul.Transpose(f, k, w, c.n, k, c.n)
				p := PackBF16(g.C, c.n, f)
				bench("winograd_"+cpu.ActiveUnit.String(), func() { p.Conv(&g, batch, x16, y16, c.n, ep16, nil) })
			}
		}
	}
}
