package plan

import "github.com/onetomany/caption/cnn/internal/graph"

// Pool takes the maximum or the mean over windows of In[0], [N,H,W,C].
type Pool struct {
	common
	Window
	Max      bool
	CountPad bool // the mean counts the padding, which is zero
}

func init() {
	register(&Pool{}, map[string]rule{"MaxPool": (*lowering).pool, "AveragePool": (*lowering).pool})
}

func (l *lowering) pool(n *graph.Node, x *Value, shape []int) *Value {
	if len(x.Shape) != 4 || len(n.Ints("kernel_shape")) != 2 {
		return nil
	}
	win, ok := windowOf(n, n.Ints("kernel_shape"), x.Shape, shape)
	if !ok {
		return nil
	}
	o := &Pool{Window: win, Max: n.Op == "MaxPool", CountPad: n.Int("count_include_pad", 0) != 0}
	whole := win.KH == x.Shape[2] && win.KW == x.Shape[3] && spatial(shape) == 1
	if !o.Max && whole && win.PadTop+win.PadLeft+win.PadBottom+win.PadRight == 0 && win.DilH == 1 && win.DilW == 1 {
		return l.globalMean(n.Outputs[0], x)
	}
	// A window of one is what AdaptiveAvgPool becomes when there is nothing to do.
	if win.pointwise() {
		return x
	}
	// In ceil mode windows may reach beyond the padding, which then does not count.
	endH := (shape[2]-1)*win.StrideH - win.PadTop + (win.KH-1)*win.DilH + 1
	endW := (shape[3]-1)*win.StrideW - win.PadLeft + (win.KW-1)*win.DilW + 1
	if o.CountPad && (endH > x.Shape[2]+win.PadBottom || endW > x.Shape[3]+win.PadRight) {
		return nil
	}
	return l.viaNHWC(n.Outputs[0], o, x, shape)
}

func (o *Pool) pictures(n *Node) (int, bool) { return n.keep(1, 2, 3) }

func (o *Pool) words(*Node) words {
	if o.Max {
		return words{"max pool " + o.Window.String(), "strip", ""}
	}
	return words{"average pool " + o.Window.String(), "strip", ""}
}
