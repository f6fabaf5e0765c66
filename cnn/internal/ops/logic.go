package ops

import (
	"cmp"
	"fmt"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var logicOps = []Op{
	{Name: "Equal", Since: 7, Sig: "a =", bind: bindEqual},
	{Name: "Greater", Since: 7, Sig: "n =", bind: compare(greater[float32], greater[int64], nil)},
	{Name: "Less", Since: 7, Sig: "n =", bind: compare(less[float32], less[int64], nil)},
	{Name: "GreaterOrEqual", Since: 12, Sig: "n =", bind: compare(greaterEqual[float32], greaterEqual[int64], nil)},
	{Name: "LessOrEqual", Since: 12, Sig: "n =", bind: compare(lessEqual[float32], lessEqual[int64], nil)},
	{Name: "And", Since: 7, Sig: "b b", bind: compare(nil, nil, func(x, y bool) bool { return x && y })},
	{Name: "Or", Since: 7, Sig: "b b", bind: compare(nil, nil, func(x, y bool) bool { return x || y })},
	{Name: "Xor", Since: 7, Sig: "b b", bind: compare(nil, nil, func(x, y bool) bool { return x != y })},
	{Name: "Not", Since: 1, Sig: "b", bind: bindNot},
	{Name: "IsNaN", Since: 9, Sig: "f", bind: bindIsNaN},
	{Name: "IsInf", Since: 10, Sig: "f", bind: bindIsInf},
	{Name: "Where", Since: 9, Sig: "b a a", bind: bindWhere},
}

func equal[T comparable](x, y T) bool         { return x == y }
func greater[T cmp.Ordered](x, y T) bool      { return x > y }
func less[T cmp.Ordered](x, y T) bool         { return x < y }
func greaterEqual[T cmp.Ordered](x, y T) bool { return x >= y }
func lessEqual[T cmp.Ordered](x, y T) bool    { return x <= y }

func bindEqual(b *binding) (*Kernel, error) {
	return compare(equal[float32], equal[int64], equal[bool])(b)
}

// compare binds a binary operator with broadcasting whose result is a truth value.
func compare(f func(x, y float32) bool, g func(x, y int64) bool, h func(x, y bool) bool) func(*binding) (*Kernel, error) {
	return func(b *binding) (*Kernel, error) {
		shape, err := broadcast(b.in[0].Shape, b.in[1].Shape)
		if err != nil {
			return nil, err
		}
		l := broadcastLoops(shape, b.in[0].Shape, b.in[1].Shape)
		run := func(in, out []*graph.Tensor, team *workers.Team) error {
			switch in[0].Type {
			case graph.Float:
				walk(l, out[0].B, in[0].F, in[1].F, eachRow(f))
			case graph.Int:
				walk(l, out[0].B, in[0].I, in[1].I, eachRow(g))
			case graph.Bool:
				walk(l, out[0].B, in[0].B, in[1].B, eachRow(h))
			}
			return nil
		}
		return b.kernel(run, graph.Tensor{Type: graph.Bool, Shape: shape})
	}
}

func bindNot(b *binding) (*Kernel, error) {
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		mapSlice(out[0].B, in[0].B, func(x bool) bool { return !x })
		return nil
	}
	return b.kernel(run, like(b.in[0], b.in[0].Shape))
}

// test binds a predicate of floats.
func (b *binding) test(f func(float32) bool) (*Kernel, error) {
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		mapSlice(out[0].B, in[0].F, f)
		return nil
	}
	return b.kernel(run, graph.Tensor{Type: graph.Bool, Shape: b.in[0].Shape})
}

func bindIsNaN(b *binding) (*Kernel, error) {
	return b.test(func(x float32) bool { return x != x })
}

func bindIsInf(b *binding) (*Kernel, error) {
	pos, err := b.flag("detect_positive", 1)
	if err != nil {
		return nil, err
	}
	neg, err := b.flag("detect_negative", 1)
	if err != nil {
		return nil, err
	}
	return b.test(func(x float32) bool { return pos && x > math.MaxFloat32 || neg && x < -math.MaxFloat32 })
}

func bindWhere(b *binding) (*Kernel, error) {
	c, x, y := b.in[0], b.in[1], b.in[2]
	if x.Type != y.Type {
		return nil, fmt.Errorf("%s and %s differ in type", describe(x), describe(y))
	}
	shape, err := broadcast(c.Shape, x.Shape, y.Shape)
	if err != nil {
		return nil, err
	}
	l := broadcastLoops(shape, c.Shape, x.Shape, y.Shape)
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		switch x, y, o := in[1], in[2], out[0]; o.Type {
		case graph.Float:
			choose(l, o.F, in[0].B, x.F, y.F)
		case graph.Int:
			choose(l, o.I, in[0].B, x.I, y.I)
		case graph.Bool:
			choose(l, o.B, in[0].B, x.B, y.B)
		}
		return nil
	}
	return b.kernel(run, like(x, shape))
}

func choose[T any](l *loops, out []T, c []bool, x, y []T) {
	l.rows(func(o int, in []int) {
		for i := range l.n {
			if c[in[0]+i*l.step[0]] {
				out[o+i] = x[in[1]+i*l.step[1]]
			} else {
				out[o+i] = y[in[2]+i*l.step[2]]
			}
		}
	})
}
