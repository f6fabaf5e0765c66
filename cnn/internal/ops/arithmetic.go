package ops

import (
	"errors"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var _ = op.Register([]op.Row{
	{Name: "Add", Since: 7, Sig: "n =", Pictures: op.Elementwise, Work: 1, Head: op.AddsBias, Bind: arithmetic(AddFloats, EachRow(addOf[int64]))},
	{Name: "Sub", Since: 7, Sig: "n =", Pictures: op.Elementwise, Work: 1, Bind: arithmetic(vector(vmath.Sub, EachRow(subOf[float32])), EachRow(subOf[int64]))},
	{Name: "Mul", Since: 7, Sig: "n =", Pictures: op.Elementwise, Work: 1, Bind: arithmetic(MulFloats, EachRow(mulOf[int64]))},
	{Name: "Div", Since: 7, Sig: "n =", Pictures: op.Elementwise, Work: 1, Bind: bindDiv},
	{Name: "Mod", Since: 10, Sig: "n =", Attrs: "fmod:flag=0", Pictures: op.Elementwise, Bind: bindMod},
	{Name: "Pow", Since: 7, Sig: "n n", Pictures: op.Elementwise, Bind: bindPow},
	{Name: "PRelu", Since: 7, Sig: "n =", Pictures: op.Elementwise, Bind: bindPRelu},

	{Name: "Max", Since: 1, Sig: "n =*", Pictures: op.Elementwise, Bind: variadic(EachRow(maxOf[float32]), EachRow(maxOf[int64]))},
	{Name: "Min", Since: 1, Sig: "n =*", Pictures: op.Elementwise, Bind: variadic(EachRow(minOf[float32]), EachRow(minOf[int64]))},
	{Name: "Sum", Since: 1, Sig: "f =*", Pictures: op.Elementwise, Work: 1, Bind: variadic(AddFloats, nil)},
	{Name: "Mean", Since: 1, Sig: "f =*", Pictures: op.Elementwise, Bind: bindMean},
})

type number interface{ float32 | int64 }

// RowFunc computes a row of a binary operator. The step of a and of b is 1, or
// 0 for a single element that stands for the whole row; not both are 0 unless
// the row has one element.
type RowFunc[T, R any] func(out []R, a, b []T, sa, sb int)

// Rows of floats of equal length go to the vector kernels.
var (
	AddFloats = vector(vmath.Add, EachRow(addOf[float32]))
	MulFloats = vector(vmath.Mul, EachRow(mulOf[float32]))
)

func vector(full func(dst, a, b []float32), row RowFunc[float32, float32]) RowFunc[float32, float32] {
	return func(out, a, b []float32, sa, sb int) {
		if sa == 1 && sb == 1 {
			full(out, a, b)
		} else {
			row(out, a, b, sa, sb)
		}
	}
}

// EachRow makes a row function of one for single elements.
func EachRow[T, R any](f func(x, y T) R) RowFunc[T, R] {
	return func(out []R, a, b []T, sa, sb int) {
		for i := range out {
			out[i] = f(a[i*sa], b[i*sb])
		}
	}
}

func addOf[T number](x, y T) T { return x + y }
func subOf[T number](x, y T) T { return x - y }
func mulOf[T number](x, y T) T { return x * y }
func divOf[T number](x, y T) T { return x / y } // a zero among integer divisors has been refused before
func maxOf[T number](x, y T) T { return max(x, y) }
func minOf[T number](x, y T) T { return min(x, y) }

// Walk computes out from a and b, which broadcast to its shape.
func Walk[T, R any](w *tensor.Walk, out []R, a, b []T, f RowFunc[T, R]) {
	n, step := w.Row()
	w.Rows(func(o int, in [3]int) {
		f(out[o:o+n], a[in[0]:], b[in[1]:], step[0], step[1])
	})
}

// broadcast plans a binary operator with broadcasting.
func broadcast(b *op.Binding) (shape []int, w *tensor.Walk) {
	shapes := b.Shapes()
	shape = op.Try(tensor.Broadcast(shapes...))
	op.Try(tensor.Count(shape))
	v := tensor.BroadcastWalk(shape, shapes[:min(len(shapes), 3)]...)
	return shape, &v
}

// arithmetic binds a binary operator with broadcasting.
func arithmetic(f RowFunc[float32, float32], g RowFunc[int64, int64]) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		shape, w := broadcast(b)
		return b.Computes(func(in, out op.Tensors) {
			if out[0].Type == graph.Float {
				Walk(w, out[0].F, in[0].F, in[1].F, f)
			} else {
				Walk(w, out[0].I, in[0].I, in[1].I, g)
			}
		}, op.Like(b.In[0], shape))
	}
}

var errDivideByZero = errors.New("division by zero")

// checkDivisor refuses a zero among integer divisors.
func checkDivisor(k *op.Kernel) *op.Kernel {
	run := k.Compute
	k.Compute = func(in, out op.Tensors, team *workers.Team) error {
		for _, v := range in[1].I {
			if v == 0 {
				return errDivideByZero
			}
		}
		return run(in, out, team)
	}
	return k
}

func bindDiv(b *op.Binding) *op.Kernel {
	return checkDivisor(arithmetic(EachRow(divOf[float32]), EachRow(divOf[int64]))(b))
}

// bindMod: the result has the divisor's sign, or with fmod=1 the dividend's.
func bindMod(b *op.Binding) *op.Kernel {
	fmod := b.Flag("fmod")
	b.RefuseIf(!fmod && b.In[0].Type == graph.Float && b.Opset < 28, "needs fmod=1 for floating point numbers")
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
	return checkDivisor(arithmetic(EachRow(f), EachRow(g))(b))
}

// bindPow: base and exponent may differ in type; the result has the base's.
func bindPow(b *op.Binding) *op.Kernel {
	if b.In[0].Type == b.In[1].Type {
		return arithmetic(EachRow(powFloat), EachRow(powInt))(b)
	}
	b.RefuseIf(b.Opset < 12, "base and exponent differ in type before opset 12")
	shape, w := broadcast(b)
	k := b.Computes(func(in, out op.Tensors) {
		x, y := graph.Converted(in[0], graph.Float), graph.Converted(in[1], graph.Float)
		z := graph.Alloc(graph.Float, out[0].Shape)
		Walk(w, z.F, x.F, y.F, EachRow(powFloat))
		graph.Convert(out[0], z)
	}, op.Like(b.In[0], shape))
	k.Workspace = 4 * int64(b.In[0].Len()+b.In[1].Len()+2*tensor.Size(shape))
	return k
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
func bindPRelu(b *op.Binding) *op.Kernel {
	b.RefuseIf(!tensor.BroadcastsTo(b.In[1].Shape, b.In[0].Shape), "slope %v does not broadcast to %v", b.In[1].Shape, b.In[0].Shape)
	return arithmetic(EachRow(preluOf[float32]), EachRow(preluOf[int64]))(b)
}

func preluOf[T number](x, slope T) T {
	if x < 0 {
		return x * slope
	}
	return x
}

// variadic binds an operator that folds any number of inputs with a binary one.
func variadic(f RowFunc[float32, float32], g RowFunc[int64, int64]) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		shape, _ := broadcast(b)
		shapes := b.Shapes()
		return b.Computes(func(in, out op.Tensors) {
			o := out[0]
			graph.Expand(o, in[0])
			for i, t := range in[1:] {
				w := tensor.BroadcastWalk(shape, shape, shapes[i+1])
				if o.Type == graph.Float {
					Walk(&w, o.F, o.F, t.F, f)
				} else {
					Walk(&w, o.I, o.I, t.I, g)
				}
			}
		}, op.Like(b.In[0], shape))
	}
}

// bindMean is a Sum divided by the number of inputs.
func bindMean(b *op.Binding) *op.Kernel {
	k := variadic(AddFloats, nil)(b)
	sum, scale := k.Compute, 1/float32(len(b.In))
	k.Compute = func(in, out op.Tensors, team *workers.Team) error {
		err := sum(in, out, team)
		vmath.Scale(out[0].F, scale, out[0].F)
		return err
	}
	return k
}
