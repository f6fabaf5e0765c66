package plan

import (
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/winograd"
	"github.com/onetomany/caption/internal/weights"
)

// An epilogue is what a linear operator does to each result before it is
// stored: act(sum + bias + residual).
type epilogue struct {
	bias     []float32 // one for each output channel, or nil
	residual bool      // add in[1], of the shape of the output
	act      act
}

// window is the geometry of a convolution or pool over [N,H,W,C].
type window struct {
	kh, kw        int
	sh, sw        int // strides
	dh, dw        int // dilations
	top, left     int // padding
	bottom, right int
}

// convOp convolves in[0] of [N,H,W,C] with weights [O][C/groups][kh][kw].
type convOp struct {
	window
	groups int
	c, out int // channels of a group going in, of all groups coming out
	w      weights.Data
	scale  []float32 // factor for each output channel, or nil
	epilogue

	winograd int  // rows of Winograd's tiles, 0 for a direct convolution; from chooseWinograd
	planar   bool // in[0] is [N,C,H,W]; from choosePlanar
	fill     int  // channels of zeros that in[0] has behind its own; from net.narrow

	b        []*matmul.PackedB     // by group; from prepare
	wino     *winograd.Filters     // instead of b, from prepare
	half     []*matmul.PackedBF16  // instead of b, from prepareBF16
	winoHalf *winograd.FiltersBF16 // instead of half
	taps     []float32             // depthwise: [kh·kw][channels]; from prepare
}

// denseOp multiplies the rows of in[0], [...,K], with a constant matrix: a fully
// connected layer, or a 1×1 convolution.
type denseOp struct {
	k, n  int
	w     weights.Data // [n][k] if trans, else [k][n]
	trans bool
	scale []float32 // factor for each output column, or nil
	gated bool      // the last input, [N,1,1,K], has a factor for each column of in[0]; from gates
	epilogue

	b    *matmul.PackedB    // from prepare
	half *matmul.PackedBF16 // instead of b, from prepareBF16
}

// windowOf reads the geometry of n, which maps x to shape, both [N,C,H,W].
func windowOf(n *graph.Node, kernel, x, shape []int) (w window, ok bool) {
	or := func(v []int, def int) []int {
		if v == nil {
			return []int{def, def}
		}
		return v
	}
	s, d := or(n.Ints("strides"), 1), or(n.Ints("dilations"), 1)
	if len(kernel) != 2 || len(s) != 2 || len(d) != 2 {
		return w, false
	}
	w = window{kh: kernel[0], kw: kernel[1], sh: s[0], sw: s[1], dh: d[0], dw: d[1]}
	total := func(i int) int { return max((shape[2+i]-1)*s[i]+(kernel[i]-1)*d[i]+1-x[2+i], 0) }
	switch n.Str("auto_pad", "NOTSET") {
	case "SAME_UPPER":
		w.top, w.left = total(0)/2, total(1)/2
		w.bottom, w.right = total(0)-w.top, total(1)-w.left
	case "SAME_LOWER":
		w.bottom, w.right = total(0)/2, total(1)/2
		w.top, w.left = total(0)-w.bottom, total(1)-w.right
	case "NOTSET", "":
		if p := n.Ints("pads"); len(p) == 4 {
			w.top, w.left, w.bottom, w.right = p[0], p[1], p[2], p[3]
		}
	}
	return w, min(w.top, w.left, w.bottom, w.right) >= 0
}

func (w window) pointwise() bool {
	return w == window{kh: 1, kw: 1, sh: 1, sw: 1, dh: w.dh, dw: w.dw}
}

func (l *lowering) conv(n *graph.Node, x *value, shape []int) *value {
	w, ok := l.weights(n, 1)
	bias, ok2 := l.floats(n, 2)
	if !ok || !ok2 || len(x.shape) != 4 {
		return nil
	}
	win, ok := windowOf(n, w.Shape[2:], x.shape, shape)
	if !ok {
		return nil
	}
	var ep epilogue
	if bias != nil {
		ep.bias = bias.F
	}
	groups := n.Int("group", 1)
	if groups == 1 && win.pointwise() {
		return l.viaNHWC(n.Outputs[0], &denseOp{k: w.Shape[1], n: w.Shape[0], w: weightsOf(w), trans: true, epilogue: ep}, x, shape)
	}
	return l.viaNHWC(n.Outputs[0], &convOp{window: win, groups: groups, c: w.Shape[1], out: w.Shape[0], w: weightsOf(w), epilogue: ep}, x, shape)
}

func (l *lowering) gemm(n *graph.Node, x *value, shape []int) *value {
	w, ok := l.weights(n, 1)
	bias, ok2 := l.floats(n, 2)
	if !ok || !ok2 || n.Int("transA", 0) != 0 || len(x.shape) != 2 {
		return nil
	}
	o := &denseOp{k: x.shape[1], n: shape[1], w: weightsOf(w), trans: n.Int("transB", 0) != 0}
	if alpha := n.Float("alpha", 1); alpha != 1 {
		o.scale = l.net.floats(n.Name, o.n)
		for i := range o.scale {
			o.scale[i] = alpha
		}
	}
	if bias != nil {
		b, ok := channels(bias, 2, shape)
		if !ok || b.axis == 0 {
			return nil
		}
		beta := n.Float("beta", 1)
		o.bias = l.net.floats(n.Name, o.n)
		for j := range o.bias {
			o.bias[j] = beta * b.at(j)
		}
	}
	return l.net.add(n.Outputs[0], o, graph.Float, shape, x)
}

func (l *lowering) matmul(n *graph.Node, x *value, shape []int) *value {
	w, ok := l.weights(n, 1)
	if !ok || len(w.Shape) != 2 || len(x.shape) < 2 || x.data != nil {
		return nil
	}
	o := &denseOp{k: w.Shape[0], n: w.Shape[1], w: weightsOf(w)}
	return l.net.add(n.Outputs[0], o, graph.Float, shape, x)
}
