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

// BenchmarkConv3 gives the speed of 3×3 convolutions of ResNet-50 and VGG-16,
// direct and by Winograd, in multiplications of the direct one.
func BenchmarkConv3(b *testing.B) {
	saved := cpu.Active
	defer func() { cpu.Active = saved }()
	for _, z := range []struct{ h, c, n int }{
		{56, 64, 64}, {28, 128, 128}, {14, 256, 256}, {7, 512, 512},
		{224, 64, 64}, {112, 128, 128}, {56, 256, 256}, {28, 512, 512}, {14, 512, 512}, {224, 3, 64},
		{56, 128, 32}, {28, 128, 32}, {14, 128, 32}, {7, 128, 32},
	} {
		g := kernels.Conv{H: z.h, W: z.h, C: z.c, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: z.h, OW: z.h}
		x, w, y := kerneltest.Random(z.h*z.h*z.c), kerneltest.Random(9*z.c*z.n), make([]float32, z.h*z.h*z.n)
		ep := &kernels.Epilogue{Bias: kerneltest.Random(z.n), Act: vmath.ActReLU}
		flop := float64(2 * z.h * z.h * 9 * z.c * z.n)
		for _, v := range cpu.Available() {
			cpu.Active = v
			d := matmul.PackB(false, 9*z.c, z.n, w, z.n)
			bench := func(name string, f func()) {
				b.Run(fmt.Sprintf("%dx%dx%dx%d/%s/%s", z.h, z.h, z.c, z.n, v.String(), name), func(b *testing.B) {
					for b.Loop() {
						f()
					}
					b.ReportMetric(flop*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
				})
			}
			bench("direct", func() { d.Conv(&g, 1, x, y, z.n, ep, nil) })
			for _, rows := range []int{4, 2} {
				f := packWinograd(rows, z.c, z.n, w, nil)
				bench(fmt.Sprintf("winograd%dx4", rows), func() { f.Conv(&g, 1, x, y, z.n, ep, nil) })
			}
		}
	}
}
