package ops

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// Element by element on one input: mathematical functions and activations.
var _ = op.Register([]op.Row{
	{Name: "Abs", Since: 1, Sig: "n", Pictures: op.Elementwise, Bind: mapNumbers(abs32, absInt)},
	{Name: "Neg", Since: 1, Sig: "n", Pictures: op.Elementwise, Work: 1, Bind: mapNumbers(neg[float32], neg[int64])},
	{Name: "Sign", Since: 9, Sig: "n", Pictures: op.Elementwise, Bind: mapNumbers(sign[float32], sign[int64])},
	{Name: "Relu", Since: 1, Sig: "n", Pictures: op.Elementwise, Work: 1, Head: op.Rectifies, Activation: always(vmath.ActReLU), Bind: bindRelu},
	{Name: "Clip", Since: 6, Sig: "n =? =?", Attrs: "min-10:float=-inf max-10:float=inf", Pictures: op.Elementwise, Activation: clipOf, Bind: bindClip},

	{Name: "Sqrt", Since: 1, Sig: "f", Pictures: op.Elementwise, Bind: mapFloats(sqrt32)},
	{Name: "Reciprocal", Since: 1, Sig: "f", Pictures: op.Elementwise, Bind: mapFloats(func(x float32) float32 { return 1 / x })},
	{Name: "Exp", Since: 1, Sig: "f", Pictures: op.Elementwise, Bind: mapVector(vmath.Exp)},
	{Name: "Log", Since: 1, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Log)},
	{Name: "Erf", Since: 9, Sig: "f", Pictures: op.Elementwise, Bind: mapVector(vmath.Erf)},
	{Name: "Floor", Since: 1, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Floor)},
	{Name: "Ceil", Since: 1, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Ceil)},
	{Name: "Round", Since: 11, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.RoundToEven)},
	{Name: "Sin", Since: 7, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Sin)},
	{Name: "Cos", Since: 7, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Cos)},
	{Name: "Tan", Since: 7, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Tan)},
	{Name: "Asin", Since: 7, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Asin)},
	{Name: "Acos", Since: 7, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Acos)},
	{Name: "Atan", Since: 7, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Atan)},
	{Name: "Sinh", Since: 9, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Sinh)},
	{Name: "Cosh", Since: 9, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Cosh)},
	{Name: "Asinh", Since: 9, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Asinh)},
	{Name: "Acosh", Since: 9, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Acosh)},
	{Name: "Atanh", Since: 9, Sig: "f", Pictures: op.Elementwise, Bind: mapMath(math.Atanh)},

	{Name: "Sigmoid", Since: 1, Sig: "f", Pictures: op.Elementwise, Activation: always(vmath.ActSigmoid), Bind: bindActivation},
	{Name: "Tanh", Since: 1, Sig: "f", Pictures: op.Elementwise, Activation: always(vmath.ActTanh), Bind: bindActivation},
	{Name: "Softplus", Since: 1, Sig: "f", Pictures: op.Elementwise, Bind: mapFloats(softplus)},
	{Name: "Softsign", Since: 1, Sig: "f", Pictures: op.Elementwise, Bind: mapFloats(func(x float32) float32 { return x / (1 + abs32(x)) })},
	{Name: "Mish", Since: 18, Sig: "f", Pictures: op.Elementwise, Bind: mapFloats(mish)},
	{Name: "HardSwish", Since: 14, Sig: "f", Pictures: op.Elementwise, Activation: always(vmath.ActHardSwish), Bind: bindActivation},
	{Name: "LeakyRelu", Since: 1, Sig: "f", Attrs: "alpha:float=0.01", Pictures: op.Elementwise, Activation: leakyOf, Bind: bindActivation},
	{Name: "ThresholdedRelu", Since: 10, Sig: "f", Attrs: "alpha:float=1", Pictures: op.Elementwise, Bind: bindThresholdedRelu},
	{Name: "Elu", Since: 1, Sig: "f", Attrs: "alpha:float=1", Pictures: op.Elementwise, Bind: bindElu},
	{Name: "Selu", Since: 6, Sig: "f", Attrs: "alpha:float=1.67326319217681884765625 gamma:float=1.05070102214813232421875", Pictures: op.Elementwise, Bind: bindSelu},
	{Name: "Celu", Since: 12, Sig: "f", Attrs: "alpha:float=1", Pictures: op.Elementwise, Bind: bindCelu},
	{Name: "HardSigmoid", Since: 1, Sig: "f", Attrs: "alpha:float=0.2 beta:float=0.5", Pictures: op.Elementwise, Activation: hardSigmoidOf, Bind: bindActivation},
	{Name: "Swish", Since: 24, Sig: "f", Attrs: "alpha:float=1", Pictures: op.Elementwise, Activation: swishOf, Bind: bindSwish},
	{Name: "Gelu", Since: 20, Sig: "f", Attrs: "approximate:none|tanh", Pictures: op.Elementwise, Activation: geluOf, Bind: bindGelu},
	{Name: "Shrink", Since: 9, Sig: "f", Attrs: "lambd:float=0.5 bias:float=0", Pictures: op.Elementwise, Bind: bindShrink},
})

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
func mapNumbers(f func(float32) float32, g func(int64) int64) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		return b.Computes(func(in, out op.Tensors) {
			tensor.Map(out[0].F, in[0].F, f)
			tensor.Map(out[0].I, in[0].I, g)
		}, op.Like(b.In[0], b.Shape()))
	}
}

func mapFloats(f func(float32) float32) func(*op.Binding) *op.Kernel { return mapNumbers(f, nil) }

func mapMath(f func(float64) float64) func(*op.Binding) *op.Kernel {
	return mapFloats(func(x float32) float32 { return float32(f(float64(x))) })
}

// mapVector binds a function of whole slices.
func mapVector(f func(dst, src []float32)) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		return b.Computes(func(in, out op.Tensors) { f(out[0].F, in[0].F) }, op.Float(b.Shape()...))
	}
}

// bindActivation binds an operator that is an activation of package vmath.
func bindActivation(b *op.Binding) *op.Kernel {
	a, _ := b.Activation()
	return mapVector(func(dst, src []float32) { a.F.Apply(dst, src, a.Alpha, a.Beta) })(b)
}

// always is the activation of operators without attributes.
func always(f vmath.Activation) func(*op.Binding) (op.Activation, bool) {
	return func(*op.Binding) (op.Activation, bool) { return op.Activation{F: f}, true }
}

func leakyOf(b *op.Binding) (op.Activation, bool) {
	return op.Activation{F: vmath.ActLeakyReLU, Alpha: b.Float("alpha")}, true
}

func hardSigmoidOf(b *op.Binding) (op.Activation, bool) {
	return op.Activation{F: vmath.ActHardSigmoid, Alpha: b.Float("alpha"), Beta: b.Float("beta")}, true
}

func geluOf(b *op.Binding) (op.Activation, bool) {
	return op.Activation{F: vmath.ActGELU}, b.Word("approximate") == "none"
}

func swishOf(b *op.Binding) (op.Activation, bool) {
	return op.Activation{F: vmath.ActSiLU}, b.Float("alpha") == 1
}

// clipOf needs bounds that are constants.
func clipOf(b *op.Binding) (op.Activation, bool) {
	a := op.Activation{F: vmath.ActClip, Alpha: float32(math.Inf(-1)), Beta: float32(math.Inf(1))}
	if b.Opset < 11 {
		a.Alpha, a.Beta = b.Float("min"), b.Float("max")
	}
	for i, bound := range []*float32{&a.Alpha, &a.Beta} {
		if t := b.X(i + 1); t != nil {
			if len(t.F) != 1 {
				return op.Activation{}, false
			}
			*bound = t.F[0]
		}
	}
	if a.Alpha == 0 && math.IsInf(float64(a.Beta), 1) {
		return op.Activation{F: vmath.ActReLU}, true
	}
	return a, true
}

// bindClip: the bounds are attributes up to opset 10, scalar inputs from then
// on. Where they cross, the upper one wins.
func bindClip(b *op.Binding) *op.Kernel {
	if b.Opset < 11 {
		b.RefuseIf(b.In[0].Type != graph.Float || len(b.In) > 1, "takes one input of type float before opset 11")
		lo, hi := b.Float("min"), b.Float("max")
		return mapVector(func(dst, src []float32) { clip(dst, src, lo, hi) })(b)
	}
	for i := 1; i < len(b.In); i++ {
		if t := b.In[i]; t != nil && t.Len() != 1 {
			b.Refuse("bound %d is %s, not a scalar", i, t)
		}
	}
	return b.Computes(func(in, out op.Tensors) {
		if out[0].Type == graph.Float {
			clip(out[0].F, in[0].F, bound(in, 1, float32(math.Inf(-1)), floats), bound(in, 2, float32(math.Inf(1)), floats))
		} else {
			clip(out[0].I, in[0].I, bound(in, 1, math.MinInt64, ints), bound(in, 2, math.MaxInt64, ints))
		}
	}, op.Like(b.In[0], b.Shape()))
}

func clip[T number](out, in []T, lo, hi T) {
	tensor.Map(out, in, func(x T) T { return min(max(x, lo), hi) })
}

// bound returns the scalar in[i], or def where it is left out.
func bound[T number](in op.Tensors, i int, def T, data func(*graph.Tensor) []T) T {
	if i < len(in) && in[i] != nil {
		return data(in[i])[0]
	}
	return def
}

func floats(t *graph.Tensor) []float32 { return t.F }
func ints(t *graph.Tensor) []int64     { return t.I }

func bindRelu(b *op.Binding) *op.Kernel {
	if b.In[0].Type == graph.Float {
		return bindActivation(b)
	}
	return mapNumbers(nil, func(x int64) int64 { return max(x, 0) })(b)
}

func bindThresholdedRelu(b *op.Binding) *op.Kernel {
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

func bindElu(b *op.Binding) *op.Kernel { return mapFloats(elu(b.Float("alpha"), 1))(b) }

func bindCelu(b *op.Binding) *op.Kernel {
	alpha := b.Float("alpha")
	b.RefuseIf(alpha == 0, "alpha is 0")
	return mapFloats(elu(alpha, alpha))(b)
}

func bindSelu(b *op.Binding) *op.Kernel {
	gamma, f := b.Float("gamma"), elu(b.Float("alpha"), 1)
	return mapFloats(func(x float32) float32 { return gamma * f(x) })(b)
}

func bindSwish(b *op.Binding) *op.Kernel {
	alpha := b.Float("alpha")
	if alpha == 1 {
		return bindActivation(b)
	}
	return mapFloats(func(x float32) float32 { return x / (1 + exp32(-alpha*x)) })(b)
}

func bindGelu(b *op.Binding) *op.Kernel {
	if b.Word("approximate") == "none" {
		return bindActivation(b)
	}
	return mapMath(func(x float64) float64 {
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	})(b)
}

func bindShrink(b *op.Binding) *op.Kernel {
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
