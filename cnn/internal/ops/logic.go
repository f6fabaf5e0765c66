package ops

import (
	"cmp"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = register(
	Op{Name: "Equal", Since: 7, Sig: "a =", Pictures: elementwise, Work: 1, bind: compare(equal[float32], equal[int64], equal[bool])},
	Op{Name: "Greater", Since: 7, Sig: "n =", Pictures: elementwise, bind: compare(greater[float32], greater[int64], nil)},
	Op{Name: "Less", Since: 7, Sig: "n =", Pictures: elementwise, bind: compare(less[float32], less[int64], nil)},
	Op{Name: "GreaterOrEqual", Since: 12, Sig: "n =", Pictures: elementwise, bind: compare(greaterEqual[float32], greaterEqual[int64], nil)},
	Op{Name: "LessOrEqual", Since: 12, Sig: "n =", Pictures: elementwise, bind: compare(lessEqual[float32], lessEqual[int64], nil)},
	Op{Name: "And", Since: 7, Sig: "b b", Pictures: elementwise, Work: 1, bind: compare(nil, nil, func(x, y bool) bool { return x && y })},
	Op{Name: "Or", Since: 7, Sig: "b b", Pictures: elementwise, bind: compare(nil, nil, func(x, y bool) bool { return x || y })},
	Op{Name: "Xor", Since: 7, Sig: "b b", Pictures: elementwise, bind: compare(nil, nil, func(x, y bool) bool { return x != y })},
	Op{Name: "Not", Since: 1, Sig: "b", Pictures: elementwise, bind: bindNot},
	Op{Name: "IsNaN", Since: 9, Sig: "f", Pictures: elementwise, bind: test(func(x float32) bool { return x != x })},
	Op{Name: "IsInf", Since: 10, Sig: "f", Attrs: "detect_positive:flag=1 detect_negative:flag=1", Pictures: elementwise, bind: bindIsInf},
	Op{Name: "Where", Since: 9, Sig: "b a a", Pictures: elementwise, Work: 1, bind: bindWhere},
)

func equal[T comparable](x, y T) bool         { return x == y }
func greater[T cmp.Ordered](x, y T) bool      { return x > y }
func less[T cmp.Ordered](x, y T) bool         { return x < y }
func greaterEqual[T cmp.Ordered](x, y T) bool { return x >= y }
func lessEqual[T cmp.Ordered](x, y T) bool    { return x <= y }

// compare binds a binary operator with broadcasting whose result is a truth value.
func compare(f func(x, y float32) bool, g func(x, y int64) bool, h func(x, y bool) bool) func(*binding) *Kernel {
	return func(b *binding) *Kernel {
		shape, w := b.broadcast()
		return b.computes(func(in, out tensors) {
			switch x, y := in[0], in[1]; x.Type {
			case graph.Float:
				walk(w, out[0].B, x.F, y.F, eachRow(f))
			case graph.Int:
				walk(w, out[0].B, x.I, y.I, eachRow(g))
			case graph.Bool:
				walk(w, out[0].B, x.B, y.B, eachRow(h))
			}
		}, boolean(shape...))
	}
}

func bindNot(b *binding) *Kernel {
	return b.computes(func(in, out tensors) {
		mapSlice(out[0].B, in[0].B, func(x bool) bool { return !x })
	}, boolean(b.shape()...))
}

// test binds a predicate of floats.
func test(f func(float32) bool) func(*binding) *Kernel {
	return func(b *binding) *Kernel {
		return b.computes(func(in, out tensors) { mapSlice(out[0].B, in[0].F, f) }, boolean(b.shape()...))
	}
}

func bindIsInf(b *binding) *Kernel {
	pos, neg := b.flag("detect_positive"), b.flag("detect_negative")
	return test(func(x float32) bool { return pos && x > math.MaxFloat32 || neg && x < -math.MaxFloat32 })(b)
}

func bindWhere(b *binding) *Kernel {
	c, x, y := b.in[0], b.in[1], b.in[2]
	b.refuseIf(x.Type != y.Type, "%s and %s differ in type", describe(x), describe(y))
	shape := try(tensor.Broadcast(c.Shape, x.Shape, y.Shape))
	try(tensor.Count(shape))
	w := tensor.BroadcastWalk(shape, c.Shape, x.Shape, y.Shape)
	return b.computes(func(in, out tensors) {
		c := in[0].B
		switch x, y, o := in[1], in[2], out[0]; o.Type {
		case graph.Float:
			choose(&w, o.F, c, x.F, y.F)
		case graph.Int:
			choose(&w, o.I, c, x.I, y.I)
		case graph.Bool:
			choose(&w, o.B, c, x.B, y.B)
		}
	}, like(x, shape))
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
