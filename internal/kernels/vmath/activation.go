package vmath

// An Activation is a function applied to each value of a result.
type Activation uint8

const (
	ActNone        Activation = iota
	ActReLU                   // max(x, 0)
	ActClip                   // x within lo…hi
	ActLeakyReLU              // x, or alpha·x where x < 0
	ActSigmoid                // 1/(1+e⁻ˣ)
	ActSiLU                   // x/(1+e⁻ˣ)
	ActHardSigmoid            // alpha·x + beta within 0…1
	ActHardSwish              // x·(x/6 + 1/2 within 0…1)
	ActTanh
	ActGELU // x/2·(1+erf(x/√2))
)

// Apply sets dst = f(src); dst may be src. Alpha is LeakyReLU's slope, alpha
// and beta are HardSigmoid's; for Clip they are the lower and the upper bound.
// A NaN stays one. The accuracy is that of the function of the same name.
func (f Activation) Apply(dst, src []float32, alpha, beta float32) {
	if f == ActNone {
		copy(dst, src[:len(dst)])
		return
	}
	fn, p, q := f.function(alpha, beta)
	unary(fn, dst, src, p, q)
}

// ApplyRows is Apply in place, on rows of cols values, ld apart.
func (f Activation) ApplyRows(x []float32, rows, cols, ld int, alpha, beta float32) {
	if f == ActNone || rows == 0 || cols == 0 {
		return
	}
	fn, p, q := f.function(alpha, beta)
	if unaryRows(fn, x, x, rows, cols, ld, ld, p, q) {
		return
	}
	for r := range rows {
		row := x[r*ld:][:cols]
		unary(fn, row, row, p, q)
	}
}

// function returns what f is in terms of the functions of one value. ActNone is
// none of them.
func (f Activation) function(alpha, beta float32) (fn function, p, q float32) {
	switch f {
	case ActReLU:
		return fnClamp, 0, Inf
	case ActClip:
		return fnClamp, alpha, beta
	case ActLeakyReLU:
		return fnLeaky, alpha, 0
	case ActSigmoid:
		return fnSigmoid, 0, 0
	case ActSiLU:
		return fnSiLU, 0, 0
	case ActHardSigmoid:
		return fnHardSigmoid, alpha, beta
	case ActHardSwish:
		return fnHardSwish, 1. / 6, 0.5
	case ActTanh:
		return fnTanh, 0, 0
	case ActGELU:
		return fnGELU, 0, 0
	}
	panic("vmath: no such activation")
}
