//go:build !race

package kernels_test

import (
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/winograd"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Not with the race detector, under which a sync.Pool forgets on purpose.
func TestNoAllocation(t *testing.T) {
	m, n, k := 200, 130, 300
	a, b, c := kerneltest.Random(m*k), kerneltest.Random(k*n), make([]float32, m*n)
	p := matmul.PackB(false, k, n, b, n)
	g := &kernels.Conv{H: 12, W: 12, C: 75, KH: 2, KW: 2, OH: 11, OW: 11}
	x, y := kerneltest.Random(12*12*g.C), make([]float32, 144*n)
	w, g3 := winograd.New(4, 70, n), &kernels.Conv{H: 12, W: 12, C: 70, KH: 3, KW: 3, OH: 10, OW: 10}
	w.SetMemory(make([]float32, w.Size()))
	w.SetFilters(0, kerneltest.Random(70*n*9), kerneltest.Random(n))
	ep := &kernels.Epilogue{Bias: kerneltest.Random(n), Act: vmath.ActSiLU}
	a16, c16, x16, y16 := kerneltest.RandomBF16(len(a)), make([]vmath.BF16, len(c)), kerneltest.RandomBF16(len(x)), make([]vmath.BF16, len(y))
	p16, ep16 := matmul.PackBF16(false, k, n, b, n), &kernels.EpilogueBF16{Bias: kerneltest.Random(n), Act: vmath.ActSiLU}
	w16, g16 := winograd.PackBF16(64, n, kerneltest.Random(64*n*9)), &kernels.Conv{H: 12, W: 12, C: 64, KH: 3, KW: 3, OH: 10, OW: 10}
	for _, threads := range []int{1, 2} {
		team := new(workers.Team)
		team.Start(threads)
		if got := testing.AllocsPerRun(50, func() {
			matmul.Mul(false, true, m, n, k, a, k, b, k, true, c, n, team)
			p.Mul(m, a, k, c, n, ep, team)
			p.Conv(g, 1, x, y, n, ep, team)
			w.Conv(g3, 1, x, y, n, ep, team)
			depthwise.Conv(g, 1, x, b, y, n, ep, team)
			depthwise.MaxPool(g, 1, x, y, n, team)
			depthwise.AveragePool(g, 1, true, x, y, n, team)
			vmath.LogSoftmax(c, c)
			p16.Mul(m, a16, k, c16, n, ep16, team)
			p16.Conv(g, 1, x16, y16, n, ep16, team)
			w16.Conv(g16, 1, x16, y16, n, ep16, team)
			depthwise.Conv(g, 1, x16, b, y16, n, ep16, team)
			depthwise.MaxPool(g, 1, x16, y16, n, team)
			depthwise.AveragePool(g, 1, true, x16, y16, n, team)
			vmath.ActSiLU.ApplyBF16(c16, c16, 0, 0)
		}); got >= 1 {
			t.Errorf("%d threads: %v allocations", threads, got)
		}
		team.Stop()
	}
}
