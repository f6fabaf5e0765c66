package plan

import (
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// Activate computes an activation function of In[0].
type Activate struct {
	common
	Act Act
}

// An Act is an activation function with its parameters.
type Act = op.Activation

// The functions that the kernels have are known to package ops.
func init() {
	r := map[string]rule{}
	for _, o := range op.All() {
		if o.Activates() {
			r[o.Name] = (*lowering).activate
		}
	}
	register(&Activate{}, r)
}

func (l *lowering) activate(n *graph.Node, x *Value, _ []int) *Value {
	in := make([]*graph.Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		if t := l.val[name]; name != "" && l.fromBatch[name] {
			in[i] = &graph.Tensor{Type: t.Type, Shape: t.Shape} // for this number of pictures only
		} else if name != "" {
			in[i] = t
		}
	}
	f, ok := op.ActivationOf(n, l.g.Opset, in)
	if !ok {
		return nil
	}
	return l.net.add(n.Outputs[0], &Activate{Act: f}, graph.Float, x.Shape, x)
}

func (o *Activate) pictures(n *Node) (int, bool)     { return n.keep() }
func (o *Activate) move([]int) (Op, bool)            { return o, true }
func (o *Activate) inPlace(n *Node) (first, end int) { return 0, 1 }
func (o *Activate) words(*Node) words                { return words{what: inWords(o.Act)} }

// inWords names f, with its parameters where it has any.
func inWords(f Act) string {
	switch name := actNames[f.F]; f.F {
	case vmath.ActClip, vmath.ActHardSigmoid:
		return fmt.Sprintf("%s(%.4g,%.4g)", name, f.Alpha, f.Beta)
	case vmath.ActLeakyReLU:
		return fmt.Sprintf("%s(%.4g)", name, f.Alpha)
	default:
		return name
	}
}

var actNames = map[vmath.Activation]string{
	vmath.ActReLU: "relu", vmath.ActClip: "clip", vmath.ActLeakyReLU: "leaky relu", vmath.ActSigmoid: "sigmoid", vmath.ActTanh: "tanh",
	vmath.ActHardSigmoid: "hard sigmoid", vmath.ActHardSwish: "hard swish", vmath.ActGELU: "gelu", vmath.ActSiLU: "silu",
}
