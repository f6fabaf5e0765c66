package plan

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// An act is an activation function. For Clip, a and b are its bounds.
type act struct {
	f    vmath.Activation
	a, b float32
}

var inf = float32(math.Inf(1))

// actOf returns the activation that n computes of its first input; ok is false
// where n is none that the kernels have.
func (m *model) actOf(n *graph.Node) (a act, ok bool) {
	switch n.Op {
	case "Relu":
		return act{f: vmath.ActReLU}, true
	case "Clip":
		lo, ok1 := m.bound(n, 1, "min", -inf)
		hi, ok2 := m.bound(n, 2, "max", inf)
		if lo == 0 && hi == inf {
			return act{f: vmath.ActReLU}, ok1 && ok2
		}
		return act{f: vmath.ActClip, a: lo, b: hi}, ok1 && ok2
	case "LeakyRelu":
		return act{f: vmath.ActLeakyReLU, a: n.Float("alpha", 0.01)}, true
	case "Sigmoid":
		return act{f: vmath.ActSigmoid}, true
	case "Tanh":
		return act{f: vmath.ActTanh}, true
	case "HardSigmoid":
		return act{f: vmath.ActHardSigmoid, a: n.Float("alpha", 0.2), b: n.Float("beta", 0.5)}, true
	case "HardSwish":
		return act{f: vmath.ActHardSwish}, true
	case "Gelu":
		return act{f: vmath.ActGELU}, n.Str("approximate", "none") == "none"
	case "Swish":
		return act{f: vmath.ActSiLU}, n.Float("alpha", 1) == 1
	}
	return act{}, false
}

// bound returns a bound of Clip: an attribute up to opset 10, then an input.
func (m *model) bound(n *graph.Node, i int, attr string, def float32) (float32, bool) {
	if m.g.Opset < 11 {
		return n.Float(attr, def), true
	}
	if i >= len(n.Inputs) || n.Inputs[i] == "" {
		return def, true
	}
	t := m.val[n.Inputs[i]]
	if len(t.F) != 1 || m.fromBatch[n.Inputs[i]] {
		return 0, false
	}
	return t.F[0], true
}
