package kernels

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
	switch f {
	case ActNone:
		copy(dst, src[:len(dst)])
	case ActReLU:
		unary(fnClamp, dst, src, 0, inf)
	case ActClip:
		unary(fnClamp, dst, src, alpha, beta)
	case ActLeakyReLU:
		unary(fnLeaky, dst, src, alpha, 0)
	case ActSigmoid:
		Sigmoid(dst, src)
	case ActSiLU:
		SiLU(dst, src)
	case ActHardSigmoid:
		unary(fnHardSigmoid, dst, src, alpha, beta)
	case ActHardSwish:
		unary(fnHardSwish, dst, src, 1./6, 0.5)
	case ActTanh:
		Tanh(dst, src)
	case ActGELU:
		GELU(dst, src)
	}
}
