package plan

import (
	"fmt"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels"
)

// Activate computes an activation function of In[0].
type Activate struct {
	common
	Act
}

// An Act is an activation function. A and B are Clip's bounds, LeakyReLU's slope
// or HardSigmoid's α and β.
type Act struct {
	F    kernels.Activation
	A, B float32
}

var inf = float32(math.Inf(1))

// acts holds the functions that the kernels have, by ONNX operator; ok is false
// where a node computes another one.
var acts = map[string]func(n *graph.Node) (f Act, ok bool){
	"Relu":      always(kernels.ActReLU),
	"Sigmoid":   always(kernels.ActSigmoid),
	"Tanh":      always(kernels.ActTanh),
	"HardSwish": always(kernels.ActHardSwish),
	"Gelu": func(n *graph.Node) (Act, bool) {
		return Act{F: kernels.ActGELU}, n.Str("approximate", "none") == "none"
	},
	"Swish": func(n *graph.Node) (Act, bool) { return Act{F: kernels.ActSiLU}, n.Float("alpha", 1) == 1 },
	"LeakyRelu": func(n *graph.Node) (Act, bool) {
		return Act{F: kernels.ActLeakyReLU, A: n.Float("alpha", 0.01)}, true
	},
	"HardSigmoid": func(n *graph.Node) (Act, bool) {
		return Act{F: kernels.ActHardSigmoid, A: n.Float("alpha", 0.2), B: n.Float("beta", 0.5)}, true
	},
}

func always(f kernels.Activation) func(*graph.Node) (Act, bool) {
	return func(*graph.Node) (Act, bool) { return Act{F: f}, true }
}

func init() {
	r := map[string]rule{"Clip": (*lowering).clip}
	for name, act := range acts {
		r[name] = func(l *lowering, n *graph.Node, x *Value, shape []int) *Value {
			f, ok := act(n)
			return l.activate(n, x, f, ok)
		}
	}
	register(&Activate{}, r)
}

func (l *lowering) activate(n *graph.Node, x *Value, f Act, ok bool) *Value {
	if !ok {
		return nil
	}
	return l.net.add(n.Outputs[0], &Activate{Act: f}, graph.Float, x.Shape, x)
}

func (l *lowering) clip(n *graph.Node, x *Value, shape []int) *Value {
	lo, ok1 := l.bound(n, 1, "min", -inf)
	hi, ok2 := l.bound(n, 2, "max", inf)
	f := Act{F: kernels.ActClip, A: lo, B: hi}
	if lo == 0 && hi == inf {
		f = Act{F: kernels.ActReLU}
	}
	return l.activate(n, x, f, ok1 && ok2)
}

// bound returns a bound of Clip: an attribute up to opset 10, then an input.
func (l *lowering) bound(n *graph.Node, i int, attr string, def float32) (float32, bool) {
	if l.g.Opset < 11 {
		return n.Float(attr, def), true
	}
	if i >= len(n.Inputs) || n.Inputs[i] == "" {
		return def, true
	}
	t := l.val[n.Inputs[i]]
	if len(t.F) != 1 || l.fromBatch[n.Inputs[i]] {
		return 0, false
	}
	return t.F[0], true
}

func (o *Activate) pictures(n *Node) (int, bool)     { return n.keep() }
func (o *Activate) move([]int) (Op, bool)            { return o, true }
func (o *Activate) inPlace(n *Node) (first, end int) { return 0, 1 }
func (o *Activate) words(*Node) words                { return words{what: o.Act.String()} }

// String names the function, with its parameters where it has any.
func (f Act) String() string {
	switch name := actNames[f.F]; f.F {
	case kernels.ActClip, kernels.ActHardSigmoid:
		return fmt.Sprintf("%s(%.4g,%.4g)", name, f.A, f.B)
	case kernels.ActLeakyReLU:
		return fmt.Sprintf("%s(%.4g)", name, f.A)
	default:
		return name
	}
}

var actNames = map[kernels.Activation]string{
	kernels.ActReLU: "relu", kernels.ActClip: "clip", kernels.ActLeakyReLU: "leaky relu", kernels.ActSigmoid: "sigmoid", kernels.ActTanh: "tanh",
	kernels.ActHardSigmoid: "hard sigmoid", kernels.ActHardSwish: "hard swish", kernels.ActGELU: "gelu", kernels.ActSiLU: "silu",
}
