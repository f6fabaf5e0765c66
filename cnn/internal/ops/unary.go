package ops

import (
	"fmt"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Element by element on one input: mathematical functions and activations.
var unaryOps = []Op{
	{Name: "Abs", Since: 1, Sig: "n", bind: mapNumbers(abs32, absInt)},
	{Name: "Neg", Since: 1, Sig: "n", bind: mapNumbers(neg[float32], neg[int64])},
	{Name: "Sign", Since: 9, Sig: "n", bind: mapNumbers(sign[float32], sign[int64])},
	{Name: "Relu", Since: 1, Sig: "n", bind: bindRelu},
	{Name: "Clip", Since: 6, Sig: "n =? =?", bind: bindClip},

	{Name: "Sqrt", Since: 1, Sig: "f", bind: mapFloats(sqrt32)},
	{Name: "Reciprocal", Since: 1, Sig: "f", bind: mapFloats(func(x float32) float32 { return 1 / x })},
	{Name: "Exp", Since: 1, Sig: "f", bind: mapVector(vmath.Exp)},
	{Name: "Log", Since: 1, Sig: "f", bind: mapMath(math.Log)},
	{Name: "Erf", Since: 9, Sig: "f", bind: mapVector(vmath.Erf)},
	{Name: "Floor", Since: 1, Sig: "f", bind: mapMath(math.Floor)},
	{Name: "Ceil", Since: 1, Sig: "f", bind: mapMath(math.Ceil)},
	{Name: "Round", Since: 11, Sig: "f", bind: mapMath(math.RoundToEven)},
	{Name: "Sin", Since: 7, Sig: "f", bind: mapMath(math.Sin)},
	{Name: "Cos", Since: 7, Sig: "f", bind: mapMath(math.Cos)},
	{Name: "Tan", Since: 7, Sig: "f", bind: mapMath(math.Tan)},
	{Name: "Asin", Since: 7, Sig: "f", bind: mapMath(math.Asin)},
	{Name: "Acos", Since: 7, Sig: "f", bind: mapMath(math.Acos)},
	{Name: "Atan", Since: 7, Sig: "f", bind: mapMath(math.Atan)},
	{Name: "Sinh", Since: 9, Sig: "f", bind: mapMath(math.Sinh)},
	{Name: "Cosh", Since: 9, Sig: "f", bind: mapMath(math.Cosh)},
	{Name: "Asinh", Since: 9, Sig: "f", bind: mapMath(math.Asinh)},
	{Name: "Acosh", Since: 9, Sig: "f", bind: mapMath(math.Acosh)},
	{Name: "Atanh", Since: 9, Sig: "f", bind: mapMath(math.Atanh)},

	{Name: "Sigmoid", Since: 1, Sig: "f", bind: mapVector(vmath.Sigmoid)},
	{Name: "Tanh", Since: 1, Sig: "f", bind: mapVector(vmath.Tanh)},
	{Name: "Softplus", Since: 1, Sig: "f", bind: mapFloats(softplus)},
	{Name: "Softsign", Since: 1, Sig: "f", bind: mapFloats(func(x float32) float32 { return x / (1 + abs32(x)) })},
	{Name: "Mish", Since: 18, Sig: "f", bind: mapFloats(mish)},
	{Name: "HardSwish", Since: 14, Sig: "f", bind: activation(vmath.ActHardSwish, 0, 0)},
	{Name: "LeakyRelu", Since: 1, Sig: "f", bind: bindLeakyRelu},
	{Name: "ThresholdedRelu", Since: 10, Sig: "f", bind: bindThresholdedRelu},
	{Name: "Elu", Since: 1, Sig: "f", bind: bindElu},
	{Name: "Selu", Since: 6, Sig: "f", bind: bindSelu},
	{Name: "Celu", Since: 12, Sig: "f", bind: bindCelu},
	{Name: "HardSigmoid", Since: 1, Sig: "f", bind: bindHardSigmoid},
	{Name: "Swish", Since: 24, Sig: "f", bind: bindSwish},
	{Name: "Gelu", Since: 20, Sig: "f", bind: bindGelu},
	{Name: "Shrink", Since: 9, Sig: "f", bind: bindShrink},
}

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

func mapSlice[T, R any](out []R, in []T, f func(T) R) {
	in = in[:len(out)]
	for i := range out {
		out[i] = f(in[i])
	}
}

// mapNumbers binds a function of floats, and one of integers where g is not nil.
func mapNumbers(f func(float32) float32, g func(int64) int64) func(*binding) (*Kernel, error) {
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		mapSlice(out[0].F, in[0].F, f)
		mapSlice(out[0].I, in[0].I, g)
		return nil
	}
	return func(b *binding) (*Kernel, error) {
		return b.kernel(run, like(b.in[0], b.in[0].Shape))
	}
}

// mapVector binds a function of whole slices.
func mapVector(f func(dst, src []float32)) func(*binding) (*Kernel, error) {
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		f(out[0].F, in[0].F)
		return nil
	}
	return func(b *binding) (*Kernel, error) {
		return b.kernel(run, float(b.in[0].Shape...))
	}
}

// activation binds an activation of package kernels.
func activation(act vmath.Activation, alpha, beta float32) func(*binding) (*Kernel, error) {
	return mapVector(func(dst, src []float32) { act.Apply(dst, src, alpha, beta) })
}

func mapFloats(f func(float32) float32) func(*binding) (*Kernel, error) { return mapNumbers(f, nil) }

func mapMath(f func(float64) float64) func(*binding) (*Kernel, error) {
	return mapFloats(func(x float32) float32 { return float32(f(float64(x))) })
}

// bindClip: the bounds are attributes up to opset 10, scalar inputs from then
// on. Where they cross, the upper one wins.
func bindClip(b *binding) (*Kernel, error) {
	if b.opset < 11 {
		if b.in[0].Type != graph.Float || len(b.in) > 1 {
			return nil, fmt.Errorf("takes one input of type float before opset 11")
		}
		lo, hi := b.Float("min", -math.MaxFloat32), b.Float("max", math.MaxFloat32)
		return mapVector(func(dst, src []float32) { clip(dst, src, lo, hi) })(b)
	}
	for i := 1; i < len(b.in); i++ {
		if t := b.in[i]; t != nil && t.Len() != 1 {
			return nil, fmt.Errorf("bound %d is %s, not a scalar", i, describe(t))
		}
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		if out[0].Type == graph.Float {
			clip(out[0].F, in[0].F, bound(in, 1, float32(math.Inf(-1)), floats), bound(in, 2, float32(math.Inf(1)), floats))
		} else {
			clip(out[0].I, in[0].I, bound(in, 1, math.MinInt64, ints), bound(in, 2, math.MaxInt64, ints))
		}
		return nil
	}
	return b.kernel(run, like(b.in[0], b.in[0].Shape))
}

func clip[T number](out, in []T, lo, hi T) {
	in = in[:len(out)]
	for i, x := range in {
		out[i] = min(max(x, lo), hi)
	}
}

// bound returns the scalar in[i], or def where it is left out.
func bound[T number](in []*graph.Tensor, i int, def T, data func(*graph.Tensor) []T) T {
	if i < len(in) && in[i] != nil {
		return data(in[i])[0]
	}
	return def
}

func floats(t *graph.Tensor) []float32 { return t.F }
func ints(t *graph.Tensor) []int64     { return t.I }

func bindRelu(b *binding) (*Kernel, error) {
	if b.in[0].Type == graph.Float {
		return activation(vmath.ActReLU, 0, 0)(b)
	}
	return mapNumbers(nil, func(x int64) int64 { return max(x, 0) })(b)
}

func bindLeakyRelu(b *binding) (*Kernel, error) {
	return activation(vmath.ActLeakyReLU, b.Float("alpha", 0.01), 0)(b)
}

func bindThresholdedRelu(b *binding) (*Kernel, error) {
	alpha := b.Float("alpha", 1)
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

func bindElu(b *binding) (*Kernel, error) {
	return mapFloats(elu(b.Float("alpha", 1), 1))(b)
}

func bindCelu(b *binding) (*Kernel, error) {
	alpha := b.Float("alpha", 1)
	if alpha == 0 {
		return nil, fmt.Errorf("alpha is 0")
	}
	return mapFloats(elu(alpha, alpha))(b)
}

func bindSelu(b *binding) (*Kernel, error) {
	alpha, gamma := b.Float("alpha", 1.67326319217681884765625), b.Float("gamma", 1.05070102214813232421875)
	f := elu(alpha, 1)
	return mapFloats(func(x float32) float32 { return gamma * f(x) })(b)
}

func bindHardSigmoid(b *binding) (*Kernel, error) {
	return activation(vmath.ActHardSigmoid, b.Float("alpha", 0.2), b.Float("beta", 0.5))(b)
}

func bindSwish(b *binding) (*Kernel, error) {
	alpha := b.Float("alpha", 1)
	if alpha == 1 {
		return mapVector(vmath.SiLU)(b)
	}
	return mapFloats(func(x float32) float32 { return x / (1 + exp32(-alpha*x)) })(b)
}

func bindGelu(b *binding) (*Kernel, error) {
	approximate, err := b.oneOf("approximate", "none", "tanh")
	if err != nil {
		return nil, err
	}
	if approximate == "tanh" {
		return mapMath(func(x float64) float64 {
			return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		})(b)
	}
	return mapVector(vmath.GELU)(b)
}

func bindShrink(b *binding) (*Kernel, error) {
	lambd, bias := b.Float("lambd", 0.5), b.Float("bias", 0)
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
