package ops

import (
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "Pad", Since: 2, Sig: "a i? a? i?", Attrs: "mode:constant|reflect|edge mode@19:constant|reflect|edge|wrap pads-10:ints value-10:float=0",
		Pictures: padPictures, Work: 32, Bind: bindPad},
})

// padPictures: pictures lie along an axis that is not padded.
var padPictures = op.Along(func(b *op.Binding) (mixed []int) {
	pads, axes := pads(b)
	for i, a := range axes {
		if pads[i] != 0 || pads[len(axes)+i] != 0 {
			mixed = append(mixed, a)
		}
	}
	return mixed
})

// bindPad: padding and value are attributes up to opset 10, inputs from then
// on; axes come with opset 18. Negative padding cuts off.
func bindPad(b *op.Binding) *op.Kernel {
	x := b.In[0]
	mode := b.Word("mode")
	b.RefuseIf(b.Opset < 11 && x.Type != graph.Float, "input 0: cannot be %s before opset 11", x.Type)
	pads, axes := pads(b)
	if v := b.X(2); v != nil && (v.Type != x.Type || v.Len() != 1) {
		b.Refuse("constant_value is %s, not one %s", v, x.Type)
	}
	shape := append([]int{}, x.Shape...)
	var maps []axisMap
	for i, a := range axes {
		begin, end, n := pads[i], pads[len(axes)+i], x.Shape[a]
		b.RefuseIf(max(begin, end, -begin, -end) > tensor.MaxElements || min(begin, end) < -tensor.MaxElements, "pads %v are out of range", pads)
		shape[a] = n + begin + end
		b.RefuseIf(shape[a] < 0, "pads %d and %d cut off more than the %d of axis %d", begin, end, n, a)
		b.RefuseIf(n == 0 && shape[a] > 0 && mode != "constant", "axis %d is empty: nothing to pad with", a)
		if begin == 0 && end == 0 {
			continue
		}
		maps = append(maps, axisMap{a, shape[a], func(i int, t []tap) []tap {
			return append(t, tap{index: padIndex(mode, i-begin, n)})
		}})
	}
	fill := graph.Alloc(x.Type, nil)
	if b.Opset < 11 {
		fill.F[0] = b.Float("value")
	}
	return resampled(b, shape, maps, func(in op.Tensors) *graph.Tensor {
		if len(in) > 2 && in[2] != nil {
			return in[2]
		}
		return fill
	})
}

// pads returns the axes that are padded, by default all, and how much: before each
// of them, then after each.
func pads(b *op.Binding) (pads, axes []int) {
	pads, axes = b.AttrOrInput("pads", 1), tensor.AllAxes(len(b.Shape()))
	if b.X(3) != nil {
		b.RefuseIf(b.Opset < 18, "has axes before opset 18")
		axes = op.Try(tensor.Axes(b.ConstInts(3, "axes"), len(b.Shape())))
	}
	b.RefuseIf(len(pads) != 2*len(axes), "pads has %d values for %d axes", len(pads), len(axes))
	return pads, axes
}

// padIndex returns the element of an axis of n that stands at position i,
// which may lie outside; -1 for the constant.
func padIndex(mode string, i, n int) int {
	if i >= 0 && i < n {
		return i
	}
	switch mode {
	case "edge":
		return max(0, min(i, n-1))
	case "wrap":
		return (i%n + n) % n
	case "reflect":
		if n == 1 {
			return 0
		}
		period := 2 * (n - 1)
		i = (i%period + period) % period
		return min(i, period-i)
	}
	return -1
}
