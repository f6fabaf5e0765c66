package rnn

import (
	"math"
	"math/rand/v2"
)

// Param describes an array of weights. What reads, writes, checks, prepares,
// trains or documents the weights of a network goes through a list of these.
type Param struct {
	Name   string // in model files
	Symbol string // in formulas and checkpoints
	Shape  []Dim  // of two dimensions it is a matrix, of one a bias or the like

	// Init draws the values before training; nil is 0.
	Init Init

	// Statistic says that it is computed from the data, not learnt.
	Statistic bool

	// Positive says that each number must be above 0.
	Positive bool

	// Lookup says that single rows are read; other matrices are multiplied with.
	Lookup bool

	Doc string // what it is for, where name and formula do not say
}

// Dim is a dimension by its name, such as "E" or "G·H".
type Dim string

// Init draws the first values of w, whose rows have in numbers. w is 0 before.
type Init func(w []float32, in int, r *rand.Rand)

// Uniform draws from U(−limit, limit).
func Uniform(limit float64) Init {
	return func(w []float32, _ int, r *rand.Rand) {
		for i := range w {
			w[i] = float32((2*r.Float64() - 1) * limit)
		}
	}
}

// FanIn draws from U(−1/√in, 1/√in), as PyTorch's linear layers do.
func FanIn(w []float32, in int, r *rand.Rand) { Uniform(1/math.Sqrt(float64(in)))(w, in, r) }

// Orthogonal fills the square matrix w with random orthonormal rows, by Gram and
// Schmidt.
func Orthogonal(w []float32, n int, r *rand.Rand) {
	q := make([]float64, n*n)
	for i := range n {
		v := q[i*n:][:n]
		for k := range v {
			v[k] = r.NormFloat64()
		}
		for range 2 { // once more, for what rounding left
			for j := range i {
				u := q[j*n:][:n]
				var dot float64
				for k := range v {
					dot += v[k] * u[k]
				}
				for k := range v {
					v[k] -= dot * u[k]
				}
			}
		}
		var norm float64
		for _, x := range v {
			norm += x * x
		}
		norm = math.Sqrt(norm)
		for k := range v {
			v[k] /= norm
			w[i*n+k] = float32(v[k])
		}
	}
}
