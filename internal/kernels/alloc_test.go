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
	w, g3 := packWinograd(4, 70, n, random(70*n*9), nil), &Conv{H: 12, W: 12, C: 70, KH: 3, KW: 3, OH: 10, OW: 10}
	ep := &Epilogue{Bias: random(n), Act: ActSiLU}
	a16, c16, x16, y16 := randomBF16(len(a)), make([]BF16, len(c)), randomBF16(len(x)), make([]BF16, len(y))
	p16, ep16 := PackBF16(false, k, n, b, n), &EpilogueBF16{Bias: random(n), Act: ActSiLU}
	w16, g16 := PackWinogradBF16(64, n, random(64*n*9)), &Conv{H: 12, W: 12, C: 64, KH: 3, KW: 3, OH: 10, OW: 10}
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
			p16.Mul(m, a16, k, c16, n, ep16, team)
			p16.Conv(g, 1, x16, y16, n, ep16, team)
			w16.Conv(g16, 1, x16, y16, n, ep16, team)
			g.DepthwiseBF16(1, x16, b, y16, n, ep16, team)
			g.MaxPoolBF16(1, x16, y16, n, team)
			g.AveragePoolBF16(1, true, x16, y16, n, team)
			ActSiLU.ApplyBF16(c16, c16, 0, 0)
		}); got >= 1 {
			t.Errorf("%d threads: %v allocations", threads, got)
		}
		team.Stop()
	}
}
