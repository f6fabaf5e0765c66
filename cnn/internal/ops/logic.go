package ops

import (
	"cmp"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "Equal", Since: 7, Sig: "a =", Pictures: op.Elementwise, Work: 1, Bind: compare(equal[float32], equal[int64], equal[bool])},
	{Name: "Greater", Since: 7, Sig: "n =", Pictures: op.Elementwise, Bind: compare(greater[float32], greater[int64], nil)},
	{Name: "Less", Since: 7, Sig: "n =", Pictures: op.Elementwise, Bind: compare(less[float32], less[int64], nil)},
	{Name: "GreaterOrEqual", Since: 12, Sig: "n =", Pictures: op.Elementwise, Bind: compare(greaterEqual[float32], greaterEqual[int64], nil)},
	{Name: "LessOrEqual", Since: 12, Sig: "n =", Pictures: op.Elementwise, Bind: compare(lessEqual[float32], lessEqual[int64], nil)},
	{Name: "And", Since: 7, Sig: "b b", Pictures: op.Elementwise, Work: 1, Bind: compare(nil, nil, func(x, y bool) bool { return x && y })},
	{Name: "Or", Since: 7, Sig: "b b", Pictures: op.Elementwise, Bind: compare(nil, nil, func(x, y bool) bool { return x || y })},
	{Name: "Xor", Since: 7, Sig: "b b", Pictures: op.Elementwise, Bind: compare(nil, nil, func(x, y bool) bool { return x != y })},
	{Name: "Not", Since: 1, Sig: "b", Pictures: op.Elementwise, Bind: bindNot},
	{Name: "IsNaN", Since: 9, Sig: "f", Pictures: op.Elementwise, Bind: test(func(x float32) bool { return x != x })},
	{Name: "IsInf", Since: 10, Sig: "f", Attrs: "detect_positive:flag=1 detect_negative:flag=1", Pictures: op.Elementwise, Bind: bindIsInf},
	{Name: "Where", Since: 9, Sig: "b a a", Pictures: op.Elementwise, Work: 1, Bind: bindWhere},
})

func equal[T comparable](x, y T) bool         { return x == y }
func greater[T cmp.Ordered](x, y T) bool      { return x > y }
func less[T cmp.Ordered](x, y T) bool         { return x < y }
func greaterEqual[T cmp.Ordered](x, y T) bool { return x >= y }
func lessEqual[T cmp.Ordered](x, y T) bool    { return x <= y }

// compare binds a binary operator with broadcasting whose result is a truth value.
func compare(f func(x, y float32) bool, g func(x, y int64) bool, h func(x, y bool) bool) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		shape, w := broadcast(b)
		return b.Computes(func(in, out op.Tensors) {
			switch x, y := in[0], in[1]; x.Type {
			case graph.Float:
				Walk(w, out[0].B, x.F, y.F, EachRow(f))
			case graph.Int:
				Walk(w, out[0].B, x.I, y.I, EachRow(g))
			case graph.Bool:
				Walk(w, out[0].B, x.B, y.B, EachRow(h))
			}
		}, op.Boolean(shape...))
	}
}

func bindNot(b *op.Binding) *op.Kernel {
	return b.Computes(func(in, out op.Tensors) {
		tensor.Map(out[0].B, in[0].B, func(x bool) bool { return !x })
	}, op.Boolean(b.Shape()...))
}

// test binds a predicate of floats.
func test(f func(float32) bool) func(*op.Binding) *op.Kernel {
	return func(b *op.Binding) *op.Kernel {
		return b.Computes(func(in, out op.Tensors) { tensor.Map(out[0].B, in[0].F, f) }, op.Boolean(b.Shape()...))
	}
}

func bindIsInf(b *op.Binding) *op.Kernel {
	pos, neg := b.Flag("detect_positive"), b.Flag("detect_negative")
	return test(func(x float32) bool { return pos && x > math.MaxFloat32 || neg && x < -math.MaxFloat32 })(b)
}

func bindWhere(b *op.Binding) *op.Kernel {
	c, x, y := b.In[0], b.In[1], b.In[2]
	b.RefuseIf(x.Type != y.Type, "%s and %s differ in type", x, y)
	shape := op.Try(tensor.Broadcast(c.Shape, x.Shape, y.Shape))
	op.Try(tensor.Count(shape))
	w := tensor.BroadcastWalk(shape, c.Shape, x.Shape, y.Shape)
	return b.Computes(func(in, out op.Tensors) {
		c := in[0].B
		switch x, y, o := in[1], in[2], out[0]; o.Type {
		case graph.Float:
			choose(&w, o.F, c, x.F, y.F)
		case graph.Int:
			choose(&w, o.I, c, x.I, y.I)
		case graph.Bool:
			choose(&w, o.B, c, x.B, y.B)
		}
	}, op.Like(x, shape))
}

func choose[T any](w *tensor.Walk, out []T, c []bool, x, y []T) {
	w.Elements(func(o int, in [3]int) {
		if c[in[0]] {
			out[o] = x[in[1]]
		} else {
			out[o] = y[in[2]]
		}
	})
}
