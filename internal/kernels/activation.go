package kernels

import "math"

// An Activation is a function applied to each value.
type Activation uint8

const (
	Identity    Activation = iota
	ReLU                   // max(x, 0)
	Clip                   // x within Lo…Hi
	LeakyReLU              // x, or Alpha·x where x < 0
	Sigmoid                // 1/(1+e⁻ˣ)
	SiLU                   // x·Sigmoid(x)
	HardSigmoid            // Alpha·x + Beta within 0…1
	HardSwish              // x·(x/6 + 1/2 within 0…1)
	Tanh                   //
	GELU                   // x/2·(1+erf(x/√2))
)

var inf = float32(math.Inf(1))

// Apply replaces each value of x by f(x). Alpha is LeakyReLU's slope, Alpha and
// Beta are HardSigmoid's; for Clip they are the lower and the upper bound.
// A NaN stays one.
func (f Activation) Apply(x []float32, alpha, beta float32) {
	switch f {
	case ReLU:
		for i, v := range x {
			x[i] = max(v, 0)
		}
	case Clip:
		for i, v := range x {
			x[i] = min(max(v, alpha), beta)
		}
	case LeakyReLU:
		for i, v := range x {
			if v < 0 {
				x[i] = alpha * v
			}
		}
	case Sigmoid:
		for i, v := range x {
			x[i] = float32(1 / (1 + math.Exp(-float64(v))))
		}
	case SiLU:
		for i, v := range x {
			x[i] = float32(float64(v) / (1 + math.Exp(-float64(v))))
		}
	case HardSigmoid:
		for i, v := range x {
			x[i] = min(max(alpha*v+beta, 0), 1)
		}
	case HardSwish:
		for i, v := range x {
			x[i] = v * min(max(v/6+0.5, 0), 1)
		}
	case Tanh:
		for i, v := range x {
			x[i] = float32(math.Tanh(float64(v)))
		}
	case GELU:
		for i, v := range x {
			x[i] = float32(float64(v) / 2 * (1 + math.Erf(float64(v)/math.Sqrt2)))
		}
	}
}
