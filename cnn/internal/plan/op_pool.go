package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// poolOp takes the maximum or the mean over windows of in[0], [N,H,W,C].
type poolOp struct {
	window
	max      bool
	countPad bool // the mean counts the padding, which is zero
}

// meanOp takes the mean over H and W of in[0], [N,H,W,C], to [N,1,1,C].
type meanOp struct{}

func (l *lowering) pool(n *graph.Node, x *value, shape []int) *value {
	if len(x.shape) != 4 || len(n.Ints("kernel_shape")) != 2 {
		return nil
	}
	win, ok := windowOf(n, n.Ints("kernel_shape"), x.shape, shape)
	if !ok {
		return nil
	}
	o := &poolOp{window: win, max: n.Op == "MaxPool", countPad: n.Int("count_include_pad", 0) != 0}
	whole := win.kh == x.shape[2] && win.kw == x.shape[3] && spatial(shape) == 1
	if !o.max && whole && win.top+win.left+win.bottom+win.right == 0 && win.dh == 1 && win.dw == 1 {
		return l.globalMean(n.Outputs[0], x)
	}
	// A window of one is what AdaptiveAvgPool becomes when there is nothing to do.
	if win.pointwise() {
		return x
	}
	// In ceil mode windows may reach beyond the padding, which then does not count.
	if o.countPad && (win.end(0, shape) > x.shape[2]+win.bottom || win.end(1, shape) > x.shape[3]+win.right) {
		return nil
	}
	return l.viaNHWC(n.Outputs[0], o, x, shape)
}

// end returns where the last window along H (0) or W (1) ends.
func (w window) end(axis int, shape []int) int {
	if axis == 0 {
		return (shape[2]-1)*w.sh - w.top + (w.kh-1)*w.dh + 1
	}
	return (shape[3]-1)*w.sw - w.left + (w.kw-1)*w.dw + 1
}

// mean lowers a ReduceMean over both spatial axes.
func (l *lowering) mean(n *graph.Node, x *value, shape []int) *value {
	axes, ok := l.ints(n, 1, "axes")
	if !ok || len(axes) != 2 || len(x.shape) != 4 {
		return nil
	}
	axes = slices.Clone(axes)
	for i, a := range axes {
		if a < 0 {
			axes[i] += 4
		}
	}
	slices.Sort(axes)
	hw, nhwc := slices.Equal(axes, []int{2, 3}), slices.Equal(axes, []int{1, 2})
	if !hw && !nhwc {
		return nil
	}
	// Before opset 18 an input for the axes means nothing, and all are reduced.
	if size(shape)*x.shape[axes[0]]*x.shape[axes[1]] != x.len() {
		return nil
	}
	name := n.Outputs[0]
	if hw {
		return l.reshape(name, l.globalMean(name, x), shape)
	}
	y := l.net.add(name, meanOp{}, graph.Float, []int{x.shape[0], 1, 1, x.shape[3]}, x)
	return l.reshape(name, y, shape)
}
