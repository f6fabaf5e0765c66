package ops

import (
	"errors"
	"fmt"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var arithmeticOps = []Op{
	{Name: "Add", Since: 7, Sig: "n =", bind: arithmetic(addFloats, addRow[int64])},
	{Name: "Sub", Since: 7, Sig: "n =", bind: arithmetic(subFloats, subRow[int64])},
	{Name: "Mul", Since: 7, Sig: "n =", bind: arithmetic(mulFloats, mulRow[int64])},
	{Name: "Div", Since: 7, Sig: "n =", bind: bindDiv},
	{Name: "Mod", Since: 10, Sig: "n =", bind: bindMod},
	{Name: "Pow", Since: 7, Sig: "n n", bind: bindPow},
	{Name: "PRelu", Since: 7, Sig: "n =", bind: bindPRelu},

	{Name: "Max", Since: 1, Sig: "n =*", bind: variadic(eachRow(maxOf[float32]), eachRow(maxOf[int64]))},
	{Name: "Min", Since: 1, Sig: "n =*", bind: variadic(eachRow(minOf[float32]), eachRow(minOf[int64]))},
	{Name: "Sum", Since: 1, Sig: "f =*", bind: variadic(addFloats, nil)},
	{Name: "Mean", Since: 1, Sig: "f =*", bind: variadic(addFloats, nil)},
}

type number interface{ float32 | int64 }

// rowFunc computes a row of a binary operator. The step of a and of b is 1, or
// 0 for a single element that stands for the whole row; not both are 0 unless
// the row has one element.
type rowFunc[T, R any] func(out []R, a, b []T, sa, sb int)

// Rows of floats of equal length go to the vector kernels.
var (
	addFloats = vector(vmath.Add, addRow[float32])
	subFloats = vector(vmath.Sub, subRow[float32])
	mulFloats = vector(vmath.Mul, mulRow[float32])
)

func vector(full func(dst, a, b []float32), row rowFunc[float32, float32]) rowFunc[float32, float32] {
	return func(out, a, b []float32, sa, sb int) {
		if sa == 1 && sb == 1 {
			full(out, a, b)
		} else {
			row(out, a, b, sa, sb)
		}
	}
}

func addRow[T number](out, a, b []T, sa, sb int) {
	switch {
	case sb == 0:
		a, y := a[:len(out)], b[0]
		for i := range out {
			out[i] = a[i] + y
		}
	case sa == 0:
		x, b := a[0], b[:len(out)]
		for i := range out {
			out[i] = x + b[i]
		}
	default:
		a, b = a[:len(out)], b[:len(out)]
		for i := range out {
			out[i] = a[i] + b[i]
		}
	}
}

func subRow[T number](out, a, b []T, sa, sb int) {
	switch {
	case sb == 0:
		a, y := a[:len(out)], b[0]
		for i := range out {
			out[i] = a[i] - y
		}
	case sa == 0:
		x, b := a[0], b[:len(out)]
		for i := range out {
			out[i] = x - b[i]
		}
	default:
		a, b = a[:len(out)], b[:len(out)]
		for i := range out {
			out[i] = a[i] - b[i]
		}
	}
}

func mulRow[T number](out, a, b []T, sa, sb int) {
	switch {
	case sb == 0:
		a, y := a[:len(out)], b[0]
		for i := range out {
			out[i] = a[i] * y
		}
	case sa == 0:
		x, b := a[0], b[:len(out)]
		for i := range out {
			out[i] = x * b[i]
		}
	default:
		a, b = a[:len(out)], b[:len(out)]
		for i := range out {
			out[i] = a[i] * b[i]
		}
	}
}

// divRow divides; a zero among integer divisors has been refused before.
func divRow[T number](out, a, b []T, sa, sb int) {
	switch {
	case sb == 0:
		a, y := a[:len(out)], b[0]
		for i := range out {
			out[i] = a[i] / y
		}
	case sa == 0:
		x, b := a[0], b[:len(out)]
		for i := range out {
			out[i] = x / b[i]
		}
	default:
		a, b = a[:len(out)], b[:len(out)]
		for i := range out {
			out[i] = a[i] / b[i]
		}
	}
}

// eachRow makes a row function of one for single elements.
func eachRow[T, R any](f func(x, y T) R) rowFunc[T, R] {
	return func(out []R, a, b []T, sa, sb int) {
		for i := range out {
			out[i] = f(a[i*sa], b[i*sb])
		}
	}
}

func maxOf[T number](x, y T) T { return max(x, y) }
func minOf[T number](x, y T) T { return min(x, y) }

// walk computes out from a and b, which broadcast to its shape.
func walk[T, R any](l *loops, out []R, a, b []T, f rowFunc[T, R]) {
	l.rows(func(o int, in []int) {
		f(out[o:o+l.n], a[in[0]:], b[in[1]:], l.step[0], l.step[1])
	})
}

// arithmetic binds a binary operator with broadcasting.
func arithmetic(f rowFunc[float32, float32], g rowFunc[int64, int64]) func(*binding) (*Kernel, error) {
	return func(b *binding) (*Kernel, error) {
		shape, err := broadcast(b.in[0].Shape, b.in[1].Shape)
		if err != nil {
			return nil, err
		}
		l := broadcastLoops(shape, b.in[0].Shape, b.in[1].Shape)
		run := func(in, out []*graph.Tensor, team *workers.Team) error {
			if out[0].Type == graph.Float {
				walk(l, out[0].F, in[0].F, in[1].F, f)
			} else {
				walk(l, out[0].I, in[0].I, in[1].I, g)
			}
			return nil
		}
		return b.kernel(run, like(b.in[0], shape))
	}
}

var errDivideByZero = errors.New("division by zero")

// checkDivisor refuses a zero among integer divisors.
func checkDivisor(k *Kernel, err error) (*Kernel, error) {
	if err != nil {
		return nil, err
	}
	run := k.run
	k.run = func(in, out []*graph.Tensor, team *workers.Team) error {
		for _, v := range in[1].I {
			if v == 0 {
				return errDivideByZero
			}
		}
		return run(in, out, team)
	}
	return k, nil
}

func bindDiv(b *binding) (*Kernel, error) {
	return checkDivisor(arithmetic(divRow[float32], divRow[int64])(b))
}

// bindMod: the result has the divisor's sign, or with fmod=1 the dividend's.
func bindMod(b *binding) (*Kernel, error) {
	fmod, err := b.flag("fmod", 0)
	if err != nil {
		return nil, err
	}
	if !fmod && b.in[0].Type == graph.Float && b.opset < 28 {
		return nil, errors.New("needs fmod=1 for floating point numbers")
	}
	f := func(x, y float32) float32 {
		r := math.Mod(float64(x), float64(y))
		if !fmod && r != 0 && (r < 0) != (y < 0) {
			r += float64(y)
		}
		return float32(r)
	}
	g := func(x, y int64) int64 {
		r := x % y
		if !fmod && r != 0 && (r < 0) != (y < 0) {
			r += y
		}
		return r
	}
	return checkDivisor(arithmetic(eachRow(f), eachRow(g))(b))
}

// bindPow: base and exponent may differ in type; the result has the base's.
func bindPow(b *binding) (*Kernel, error) {
	if b.in[0].Type == b.in[1].Type {
		return arithmetic(eachRow(powFloat), eachRow(powInt))(b)
	}
	if b.opset < 12 {
		return nil, fmt.Errorf("base and exponent differ in type before opset 12")
	}
	shape, err := broadcast(b.in[0].Shape, b.in[1].Shape)
	if err != nil {
		return nil, err
	}
	l := broadcastLoops(shape, b.in[0].Shape, b.in[1].Shape)
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		x, y := converted(in[0], graph.Float), converted(in[1], graph.Float)
		z := x
		if out[0].Type == graph.Float {
			z = out[0]
		} else {
			z = Alloc(graph.Float, out[0].Shape)
		}
		walk(l, z.F, x.F, y.F, eachRow(powFloat))
		convert(out[0], z)
		return nil
	}
	return b.kernel(run, like(b.in[0], shape))
}

func powFloat(x, y float32) float32 {
	switch y {
	case 2:
		return x * x
	case 0.5:
		return sqrt32(x)
	}
	return float32(math.Pow(float64(x), float64(y)))
}

// powInt is 0 for a negative exponent, save of 1 and -1.
func powInt(x, y int64) int64 {
	if y < 0 {
		switch {
		case x == 1, x == -1 && y%2 == 0:
			return 1
		case x == -1:
			return -1
		}
		return 0
	}
	r := int64(1)
	for ; y > 0; y >>= 1 {
		if y&1 != 0 {
			r *= x
		}
		x *= x
	}
	return r
}

// bindPRelu: the slope broadcasts to x, never the other way.
func bindPRelu(b *binding) (*Kernel, error) {
	if !broadcastsTo(b.in[1].Shape, b.in[0].Shape) {
		return nil, fmt.Errorf("slope %v does not broadcast to %v", b.in[1].Shape, b.in[0].Shape)
	}
	return arithmetic(eachRow(preluOf[float32]), eachRow(preluOf[int64]))(b)
}

func preluOf[T number](x, slope T) T {
	if x < 0 {
		return x * slope
	}
	return x
}

// variadic binds an operator that folds any number of inputs with a binary one.
// Mean divides by their number at last.
func variadic(f rowFunc[float32, float32], g rowFunc[int64, int64]) func(*binding) (*Kernel, error) {
	return func(b *binding) (*Kernel, error) {
		shapes := make([][]int, len(b.in))
		for i, t := range b.in {
			shapes[i] = t.Shape
		}
		shape, err := broadcast(shapes...)
		if err != nil {
			return nil, err
		}
		if _, err := count(shape); err != nil {
			return nil, err
		}
		walks := make([]*loops, len(b.in))
		for i, s := range shapes {
			walks[i] = broadcastLoops(shape, shape, s)
		}
		scale := float32(1)
		if b.Op == "Mean" {
			scale = 1 / float32(len(b.in))
		}
		run := func(in, out []*graph.Tensor, team *workers.Team) error {
			expand(out[0], in[0])
			for i, t := range in[1:] {
				if o := out[0]; o.Type == graph.Float {
					walk(walks[i+1], o.F, o.F, t.F, f)
				} else {
					walk(walks[i+1], o.I, o.I, t.I, g)
				}
			}
			if scale != 1 {
				vmath.Scale(out[0].F, scale, out[0].F)
			}
			return nil
		}
		return b.kernel(run, like(b.in[0], shape))
	}
}
