package train

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
)

// adam is a gorgonia.Solver: Adam (Kingma and Ba 2015, algorithm 1) on gradients
// clipped by their common norm, with a moving average of the weights, all in one
// pass over memory:
//
//	s = min(1, clip/‖g‖);  m = β₁m + (1−β₁)sg;  v = β₂v + (1−β₂)(sg)²
//	w −= rate·m̂/(√v̂+ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ);  avg += (1−decay)·(w−avg)
//
// Gorgonia's AdamSolver computes the same weights, as a test shows, but keeps its
// moments where no checkpoint can reach them, clips single values only, and passes
// over each array a dozen times.
type adam struct {
	rate    float64 // of the next step; set by the schedule
	clip    float64 // largest norm of the gradient; 0 for no limit
	decay   float64 // of the moving average, after its warm-up
	threads int

	step int         // steps done
	m, v [][]float32 // moments, by weight
	avg  [][]float32 // moving average, by weight

	sums []float64 // partial sums of the norm
}

// newAdam returns an Adam whose moving average starts at, and is kept in, avg.
func newAdam(avg [][]float32, clip, decay float64, threads int) *adam {
	a := &adam{clip: clip, decay: decay, threads: threads, avg: avg}
	for _, w := range avg {
		a.m = append(a.m, make([]float32, len(w)))
		a.v = append(a.v, make([]float32, len(w)))
	}
	return a
}

const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

// Step changes the weights by their gradients and sets those to zero.
func (a *adam) Step(params []G.ValueGrad) error {
	if len(params) != len(a.m) {
		return fmt.Errorf("train: %d weights for the moments of %d", len(params), len(a.m))
	}
	ws, gs := make([][]float32, len(params)), make([][]float32, len(params))
	for i, n := range params {
		g, err := n.Grad()
		if err != nil {
			return err
		}
		ws[i], gs[i] = n.Value().Data().([]float32), g.Data().([]float32)
	}
	norm := a.norm(gs)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return fmt.Errorf("train: the gradient of step %d is not finite: lower the learning rate", a.step+1)
	}
	scale := 1.0
	if a.clip > 0 && norm > a.clip {
		scale = a.clip / norm
	}
	a.step++
	t := float64(a.step)
	// Early on the average follows the weights closely, to forget where they
	// started.
	decay := min(a.decay, (1+t)/(10+t))
	s := float32(scale)
	rate := float32(a.rate / (1 - math.Pow(beta1, t)))
	inv2 := float32(1 / (1 - math.Pow(beta2, t)))
	follow := float32(1 - decay)
	for i := range ws {
		parallel(a.threads, len(ws[i]), func(lo, hi int) {
			adamStep(ws[i][lo:hi], gs[i][lo:hi], a.m[i][lo:hi], a.v[i][lo:hi], a.avg[i][lo:hi], s, rate, inv2, follow)
		})
	}
	return nil
}

// adamStep is Step on a part of one weight; inv2 is 1/(1−β₂ᵗ), and rate holds
// the correction of m.
func adamStep(w, g, m, v, avg []float32, scale, rate, inv2, follow float32) {
	g, m, v, avg = g[:len(w)], m[:len(w)], v[:len(w)], avg[:len(w)]
	for k := range w {
		d := g[k] * scale
		mk := beta1*m[k] + (1-beta1)*d
		vk := beta2*v[k] + (1-beta2)*d*d
		m[k], v[k], g[k] = mk, vk, 0
		wk := w[k] - rate*mk/(sqrt(vk*inv2)+epsilon)
		w[k] = wk
		avg[k] += follow * (wk - avg[k])
	}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// norm returns the Euclidean norm of all gradients together. It adds up blocks of a
// fixed size, so that it does not depend on the number of goroutines.
func (a *adam) norm(gs [][]float32) float64 {
	const block = 4096
	var total float64
	for _, g := range gs {
		n := (len(g) + block - 1) / block
		if len(a.sums) < n {
			a.sums = make([]float64, n)
		}
		parallel(a.threads, n, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				var s float64
				for _, x := range g[i*block : min(len(g), (i+1)*block)] {
					s += float64(x) * float64(x)
				}
				a.sums[i] = s
			}
		})
		for _, s := range a.sums[:n] {
			total += s
		}
	}
	return math.Sqrt(total)
}
