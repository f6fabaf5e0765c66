package ops

import (
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// bindPad: padding and value are attributes up to opset 10, inputs from then
// on; axes come with opset 18. Negative padding cuts off.
func bindPad(b *binding) (*Kernel, error) {
	x := b.in[0]
	rank := len(x.Shape)
	modes := []string{"constant", "reflect", "edge", "wrap"}
	if b.opset < 19 {
		modes = modes[:3]
	}
	mode, err := b.oneOf("mode", modes...)
	if err != nil {
		return nil, err
	}
	if b.opset < 11 && x.Type != graph.Float {
		return nil, fmt.Errorf("input 0: cannot be %s before opset 11", typeName(x.Type))
	}
	pads, err := b.attrOrInput("pads", 10, 1)
	if err != nil {
		return nil, err
	}
	axes, err := b.padAxes(rank)
	if err != nil {
		return nil, err
	}
	if len(pads) != 2*len(axes) {
		return nil, fmt.Errorf("pads has %d values for %d axes", len(pads), len(axes))
	}
	if v := b.x(2); v != nil && (v.Type != x.Type || v.Len() != 1) {
		return nil, fmt.Errorf("constant_value is %s, not one %s", describe(v), typeName(x.Type))
	}
	shape := append([]int{}, x.Shape...)
	var maps []axisMap
	for i, a := range axes {
		begin, end, n := pads[i], pads[len(axes)+i], x.Shape[a]
		if max(begin, end, -begin, -end) > MaxElements || min(begin, end) < -MaxElements {
			return nil, fmt.Errorf("pads %v are out of range", pads)
		}
		shape[a] = n + begin + end
		if shape[a] < 0 {
			return nil, fmt.Errorf("pads %d and %d cut off more than the %d of axis %d", begin, end, n, a)
		}
		if n == 0 && shape[a] > 0 && mode != "constant" {
			return nil, fmt.Errorf("axis %d is empty: nothing to pad with", a)
		}
		if begin == 0 && end == 0 {
			continue
		}
		maps = append(maps, axisMap{a, shape[a], func(i int, t []tap) []tap {
			return append(t, tap{index: padIndex(mode, i-begin, n)})
		}})
	}
	fill := Alloc(x.Type, nil)
	if b.opset < 11 {
		fill.F[0] = b.Float("value", 0)
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		fill := fill
		if len(in) > 2 && in[2] != nil {
			fill = in[2]
		}
		resample(out[0], in[0], maps, fill)
		return nil
	}
	return &Kernel{Out: []graph.Tensor{like(x, shape)}, Room: resampleRoom(maps, x, shape), run: run}, nil
}

// padAxes returns the axes that pads speak of, by default all.
func (b *binding) padAxes(rank int) ([]int, error) {
	if b.x(3) != nil {
		if b.opset < 18 {
			return nil, fmt.Errorf("has axes before opset 18")
		}
		axes, err := b.constInts(3, "axes")
		if err != nil {
			return nil, err
		}
		return axesOf(axes, rank)
	}
	return allAxes(rank), nil
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
