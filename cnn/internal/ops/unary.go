package ops

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// Element by element on one input: mathematical functions and activations.
var _ = register(
	Op{Name: "Abs", Since: 1, Sig: "n", Pictures: elementwise, bind: mapNumbers(abs32, absInt)},
	Op{Name: "Neg", Since: 1, Sig: "n", Pictures: elementwise, Work: 1, bind: mapNumbers(neg[float32], neg[int64])},
	Op{Name: "Sign", Since: 9, Sig: "n", Pictures: elementwise, bind: mapNumbers(sign[float32], sign[int64])},
	Op{Name: "Relu", Since: 1, Sig: "n", Pictures: elementwise, Work: 1, Head: Rectifies, activation: always(vmath.ActReLU), bind: bindRelu},
	Op{Name: "Clip", Since: 6, Sig: "n =? =?", Attrs: "min-10:float=-inf max-10:float=inf", Pictures: elementwise, activation: clipOf, bind: bindClip},

	Op{Name: "Sqrt", Since: 1, Sig: "f", Pictures: elementwise, bind: mapFloats(sqrt32)},
	Op{Name: "Reciprocal", Since: 1, Sig: "f", Pictures: elementwise, bind: mapFloats(func(x float32) float32 { return 1 / x })},
	Op{Name: "Exp", Since: 1, Sig: "f", Pictures: elementwise, bind: mapVector(vmath.Exp)},
	Op{Name: "Log", Since: 1, Sig: "f", Pictures: elementwise, bind: mapMath(math.Log)},
	Op{Name: "Erf", Since: 9, Sig: "f", Pictures: elementwise, bind: mapVector(vmath.Erf)},
	Op{Name: "Floor", Since: 1, Sig: "f", Pictures: elementwise, bind: mapMath(math.Floor)},
	Op{Name: "Ceil", Since: 1, Sig: "f", Pictures: elementwise, bind: mapMath(math.Ceil)},
	Op{Name: "Round", Since: 11, Sig: "f", Pictures: elementwise, bind: mapMath(math.RoundToEven)},
	Op{Name: "Sin", Since: 7, Sig: "f", Pictures: elementwise, bind: mapMath(math.Sin)},
	Op{Name: "Cos", Since: 7, Sig: "f", Pictures: elementwise, bind: mapMath(math.Cos)},
	Op{Name: "Tan", Since: 7, Sig: "f", Pictures: elementwise, bind: mapMath(math.Tan)},
	Op{Name: "Asin", Since: 7, Sig: "f", Pictures: elementwise, bind: mapMath(math.Asin)},
	Op{Name: "Acos", Since: 7, Sig: "f", Pictures: elementwise, bind: mapMath(math.Acos)},
	Op{Name: "Atan", Since: 7, Sig: "f", Pictures: elementwise, bind: mapMath(math.Atan)},
	Op{Name: "Sinh", Since: 9, Sig: "f", Pictures: elementwise, bind: mapMath(math.Sinh)},
	Op{Name: "Cosh", Since: 9, Sig: "f", Pictures: elementwise, bind: mapMath(math.Cosh)},
	Op{Name: "Asinh", Since: 9, Sig: "f", Pictures: elementwise, bind: mapMath(math.Asinh)},
	Op{Name: "Acosh", Since: 9, Sig: "f", Pictures: elementwise, bind: mapMath(math.Acosh)},
	Op{Name: "Atanh", Since: 9, Sig: "f", Pictures: elementwise, bind: mapMath(math.Atanh)},

	Op{Name: "Sigmoid", Since: 1, Sig: "f", Pictures: elementwise, activation: always(vmath.ActSigmoid), bind: bindActivation},
	Op{Name: "Tanh", Since: 1, Sig: "f", Pictures: elementwise, activation: always(vmath.ActTanh), bind: bindActivation},
	Op{Name: "Softplus", Since: 1, Sig: "f", Pictures: elementwise, bind: mapFloats(softplus)},
	Op{Name: "Softsign", Since: 1, Sig: "f", Pictures: elementwise, bind: mapFloats(func(x float32) float32 { return x / (1 + abs32(x)) })},
	Op{Name: "Mish", Since: 18, Sig: "f", Pictures: elementwise, bind: mapFloats(mish)},
	Op{Name: "HardSwish", Since: 14, Sig: "f", Pictures: elementwise, activation: always(vmath.ActHardSwish), bind: bindActivation},
	Op{Name: "LeakyRelu", Since: 1, Sig: "f", Attrs: "alpha:float=0.01", Pictures: elementwise, activation: leakyOf, bind: bindActivation},
	Op{Name: "ThresholdedRelu", Since: 10, Sig: "f", Attrs: "alpha:float=1", Pictures: elementwise, bind: bindThresholdedRelu},
	Op{Name: "Elu", Since: 1, Sig: "f", Attrs: "alpha:float=1", Pictures: elementwise, bind: bindElu},
	Op{Name: "Selu", Since: 6, Sig: "f", Attrs: "alpha:float=1.67326319217681884765625 gamma:float=1.05070102214813232421875", Pictures: elementwise, bind: bindSelu},
	Op{Name: "Celu", Since: 12, Sig: "f", Attrs: "alpha:float=1", Pictures: elementwise, bind: bindCelu},
	Op{Name: "HardSigmoid", Since: 1, Sig: "f", Attrs: "alpha:float=0.2 beta:float=0.5", Pictures: elementwise, activation: hardSigmoidOf, bind: bindActivation},
	Op{Name: "Swish", Since: 24, Sig: "f", Attrs: "alpha:float=1", Pictures: elementwise, activation: swishOf, bind: bindSwish},
	Op{Name: "Gelu", Since: 20, Sig: "f", Attrs: "approximate:none|tanh", Pictures: elementwise, activation: geluOf, bind: bindGelu},
	Op{Name: "Shrink", Since: 9, Sig: "f", Attrs: "lambd:float=0.5 bias:float=0", Pictures: elementwise, bind: bindShrink},
)

func abs32(x float32) float32  { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
func exp32(x float32) float32  { return float32(math.Exp(float64(x))) }
func tanh32(x float32) float32 { return float32(math.Tanh(float64(x))) }
func mish(x float32) float32   { return x * tanh32(softplus(x)) }
func neg[T number](x T) T      { return -x }
func absInt(x int64) int64     { return max(x, -x) }
func softplus(x float32) float32 {
	return max(x, 0) + float32(math.Log1p(math.Exp(-math.Abs(float64(x)))))
}

func sign[T number](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // zero, or NaN
}

// mapNumbers binds a function of floats, and one of integers where g is not nil.
func mapNumbers(f func(float32) float32, g func(int64) int64) func(*binding) *Kernel {
	return func(b *binding) *Kernel {
		return b.computes(func(in, out tensors) {
			mapSlice(out[0].F, in[0].F, f)
			mapSlice(out[0].I, in[0].I, g)
		}, like(b.in[0], b.shape()))
	}
}

func mapFloats(f func(float32) float32) func(*binding) *Kernel { return mapNumbers(f, nil) }

func mapMath(f func(float64) float64) func(*binding) *Kernel {
	return mapFloats(func(x float32) float32 { return float32(f(float64(x))) })
}

// mapVector binds a function of whole slices.
func mapVector(f func(dst, src []float32)) func(*binding) *Kernel {
	return func(b *binding) *Kernel {
		return b.computes(func(in, out tensors) { f(out[0].F, in[0].F) }, float(b.shape()...))
	}
}

// bindActivation binds an operator that is an activation of package kernels.
func bindActivation(b *binding) *Kernel {
	a, _ := b.op.activation(b)
	return mapVector(func(dst, src []float32) { a.F.Apply(dst, src, a.Alpha, a.Beta) })(b)
}

// always is the activation of operators without attributes.
func always(f vmath.Activation) func(*binding) (Activation, bool) {
	return func(*binding) (Activation, bool) { return Activation{F: f}, true }
}

func leakyOf(b *binding) (Activation, bool) {
	return Activation{F: vmath.ActLeakyReLU, Alpha: b.Float("alpha")}, true
}

func hardSigmoidOf(b *binding) (Activation, bool) {
	return Activation{F: vmath.ActHardSigmoid, Alpha: b.Float("alpha"), Beta: b.Float("beta")}, true
}

func geluOf(b *binding) (Activation, bool) {
	return Activation{F: vmath.ActGELU}, b.word("approximate") == "none"
}

func swishOf(b *binding) (Activation, bool) {
	return Activation{F: vmath.ActSiLU}, b.Float("alpha") == 1
}

// clipOf needs bounds that are constants.
func clipOf(b *binding) (Activation, bool) {
	a := Activation{F: vmath.ActClip, Alpha: float32(math.Inf(-1)), Beta: float32(math.Inf(1))}
	if b.opset < 11 {
		a.Alpha, a.Beta = b.Float("min"), b.Float("max")
	}
	for i, bound := range []*float32{&a.Alpha, &a.Beta} {
		if t := b.x(i + 1); t != nil {
			if len(t.F) != 1 {
				return Activation{}, false
			}
			*bound = t.F[0]
		}
	}
	if a.Alpha == 0 && math.IsInf(float64(a.Beta), 1) {
		return Activation{F: vmath.ActReLU}, true
	}
	return a, true
}

// bindClip: the bounds are attributes up to opset 10, scalar inputs from then
// on. Where they cross, the upper one wins.
func bindClip(b *binding) *Kernel {
	if b.opset < 11 {
		b.refuseIf(b.in[0].Type != graph.Float || len(b.in) > 1, "takes one input of type float before opset 11")
		lo, hi := b.Float("min"), b.Float("max")
		return mapVector(func(dst, src []float32) { clip(dst, src, lo, hi) })(b)
	}
	for i := 1; i < len(b.in); i++ {
		if t := b.in[i]; t != nil && t.Len() != 1 {
			b.refuse("bound %d is %s, not a scalar", i, describe(t))
		}
	}
	return b.computes(func(in, out tensors) {
		if out[0].Type == graph.Float {
			clip(out[0].F, in[0].F, bound(in, 1, float32(math.Inf(-1)), floats), bound(in, 2, float32(math.Inf(1)), floats))
		} else {
			clip(out[0].I, in[0].I, bound(in, 1, math.MinInt64, ints), bound(in, 2, math.MaxInt64, ints))
		}
	}, like(b.in[0], b.shape()))
}

func clip[T number](out, in []T, lo, hi T) {
	mapSlice(out, in, func(x T) T { return min(max(x, lo), hi) })
}

// bound returns the scalar in[i], or def where it is left out.
func bound[T number](in tensors, i int, def T, data func(*graph.Tensor) []T) T {
	if i < len(in) && in[i] != nil {
		return data(in[i])[0]
	}
	return def
}

func floats(t *graph.Tensor) []float32 { return t.F }
func ints(t *graph.Tensor) []int64     { return t.I }

func bindRelu(b *binding) *Kernel {
	if b.in[0].Type == graph.Float {
		return bindActivation(b)
	}
	return mapNumbers(nil, func(x int64) int64 { return max(x, 0) })(b)
}

func bindThresholdedRelu(b *binding) *Kernel {
	alpha := b.Float("alpha")
	return mapFloats(func(x float32) float32 {
		if x > alpha {
			return x
		}
		return 0
	})(b)
}

// elu returns the function whose negative side is scale·(exp(x/width) - 1).
func elu(scale, width float32) func(float32) float32 {
	return func(x float32) float32 {
		if x < 0 {
			return scale * float32(math.Expm1(float64(x/width)))
		}
		return x
	}
}

func bindElu(b *binding) *Kernel { return mapFloats(elu(b.Float("alpha"), 1))(b) }

func bindCelu(b *binding) *Kernel {
	alpha := b.Float("alpha")
	b.refuseIf(alpha == 0, "alpha is 0")
	return mapFloats(elu(alpha, alpha))(b)
}

func bindSelu(b *binding) *Kernel {
	gamma, f := b.Float("gamma"), elu(b.Float("alpha"), 1)
	return mapFloats(func(x float32) float32 { return gamma * f(x) })(b)
}

func bindSwish(b *binding) *Kernel {
	alpha := b.Float("alpha")
	if alpha == 1 {
		return bindActivation(b)
	}
	return mapFloats(func(x float32) float32 { return x / (1 + exp32(-alpha*x)) })(b)
}

func bindGelu(b *binding) *Kernel {
	if b.word("approximate") == "none" {
		return bindActivation(b)
	}
	return mapMath(func(x float64) float64 {
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	})(b)
}

func bindShrink(b *binding) *Kernel {
	lambd, bias := b.Float("lambd"), b.Float("bias")
	return mapFloats(func(x float32) float32 {
		switch {
		case x < -lambd:
			return x + bias
		case x > lambd:
			return x - bias
		}
		return 0
	})(b)
}
