//go:build !race

package kernels

import "testing"

// Not with the race detector, under which a sync.Pool forgets on purpose.
func TestNoAllocation(t *testing.T) {
	m, n, k := 200, 130, 300
	a, b, c := random(m*k), random(k*n), make([]float32, m*n)
	p := PackB(false, k, n, b, n)
	g := &Conv{H: 12, W: 12, C: 75, KH: 2, KW: 2, OH: 11, OW: 11}
	x, y := random(12*12*g.C), make([]float32, 144*n)
	w, g3 := packWinograd(70, n, random(70*n*9), nil), &Conv{H: 12, W: 12, C: 70, KH: 3, KW: 3, OH: 10, OW: 10}
	ep := &Epilogue{Bias: random(n), Act: ActSiLU}
	for _, threads := range []int{1, 2} {
		team := new(Team)
		team.Start(threads)
		if got := testing.AllocsPerRun(50, func() {
			Gemm(false, true, m, n, k, a, k, b, k, true, c, n, team)
			p.Mul(m, a, k, c, n, ep, team)
			p.Conv(g, 1, x, y, n, ep, team)
			w.Conv(g3, 1, x, y, n, ep, team)
			g.Depthwise(1, x, b, y, n, ep, team)
			g.MaxPool(1, x, y, n, team)
			g.AveragePool(1, true, x, y, n, team)
			LogSoftmax(c, c)
		}); got >= 1 {
			t.Errorf("%d threads: %v allocations", threads, got)
		}
		team.Stop()
	}
}
