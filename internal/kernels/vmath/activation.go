package vmath

// An Activation is a function applied to each value of a result.
type Activation uint8

const (
	ActNone        Activation = iota
	ActReLU                   // max(x, 0)
	ActClip                   // x within lo…hi
	ActLeakyReLU              // x, or alpha·x where x < 0
	ActSigmoid                // 1/(1+e⁻ˣ)
	ActSiLU                   // x/(1+e⁻ˣ), with a relative error below 3e-7; 0 below x = −88.7
	ActHardSigmoid            // alpha·x + beta within 0…1
	ActHardSwish              // x·(x/6 + 1/2 within 0…1)
	ActTanh
	ActGELU // x/2·(1+erf(x/√2)), with an error below 3e-7·|x|

	// Functions of one value that are no activations.
	fnExp
	fnErf
	fnScale // alpha·x
	fnShift // x − alpha − beta
	fnAxpy  // alpha·x added to what is there
)

// Apply sets dst = f(src); dst may be src. Alpha is LeakyReLU's slope, alpha
// and beta are HardSigmoid's; for Clip they are the lower and the upper bound.
// A NaN stays one. Sigmoid and Tanh are as exact as the functions of that name.
func (f Activation) Apply(dst, src []float32, alpha, beta float32) {
	if f == ActNone {
		copy(dst, src[:len(dst)])
		return
	}
	f, alpha, beta = f.kernel(alpha, beta)
	unary(f, dst, src, alpha, beta)
}

// ApplyRows is Apply in place, on rows of cols values, ld apart.
func (f Activation) ApplyRows(x []float32, rows, cols, ld int, alpha, beta float32) {
	if f == ActNone || rows == 0 || cols == 0 {
		return
	}
	f, alpha, beta = f.kernel(alpha, beta)
	if unaryRows(f, x, x, rows, cols, ld, ld, alpha, beta) {
		return
	}
	for r := range rows {
		row := x[r*ld:][:cols]
		unary(f, row, row, alpha, beta)
	}
}

// kernel returns the function that computes f, and its constants.
func (f Activation) kernel(alpha, beta float32) (Activation, float32, float32) {
	switch f {
	case ActReLU:
		return ActClip, 0, Inf
	case ActHardSwish:
		return f, 1. / 6, 0.5
	}
	return f, alpha, beta
}
