package matmul

import (
	"fmt"
	"testing"

	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/workers"
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
// gonum's, in one go: go test -bench Product -run ^$ ./internal/kernels/matmul
func BenchmarkProduct(b *testing.B) {
	saved := cpu.Active
	defer func() { cpu.Active = saved }()
	team := new(workers.Team)
	team.Start(2)
	defer team.Stop()
	for _, z := range benchSizes {
		x, y, c := kerneltest.Random(z.m*z.k), kerneltest.Random(z.k*z.n), make([]float32, z.m*z.n)
		bench := func(name string, f func()) {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", z.m, z.n, z.k, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				flop := 2 * float64(z.m) * float64(z.n) * float64(z.k)
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
		for _, v := range cpu.Available() {
			cpu.Active = v
			p := PackB(false, z.k, z.n, y, z.n)
			bench(v.String()+"/packed", func() { p.Mul(z.m, x, z.k, c, z.n, nil, nil) })
			if v > cpu.Generic {
				bench(v.String()+"/packed2", func() { p.Mul(z.m, x, z.k, c, z.n, nil, team) })
				bench(v.String()+"/gemm", func() { Mul(false, false, z.m, z.n, z.k, x, z.k, y, z.n, false, c, z.n, nil) })
				bench(v.String()+"/gemmAT", func() { Mul(true, false, z.m, z.n, z.k, x, z.m, y, z.n, false, c, z.n, nil) })
				bench(v.String()+"/gemmBT", func() { Mul(false, true, z.m, z.n, z.k, x, z.k, y, z.k, false, c, z.n, nil) })
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
