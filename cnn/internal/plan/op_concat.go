package plan

import (
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Concat joins its inputs along an axis.
type Concat struct {
	common
	Axis int
}

func init() { register(&Concat{}, map[string]rule{"Concat": (*lowering).concat}) }

func (l *lowering) concat(n *graph.Node, _ *Value, shape []int) *Value {
	var in []*Value
	for _, name := range n.Inputs {
		if v := l.value(name); v.Len() > 0 {
			in = append(in, v)
		}
	}
	if len(in) == 1 {
		return in[0]
	}
	return l.net.add(n.Outputs[0], &Concat{Axis: tensor.FromEnd(n.Int("axis", 0), len(shape))}, graph.Float, shape, in...)
}

func (o *Concat) pictures(n *Node) (axis int, ok bool) {
	axis, ok = n.keep(o.Axis)
	for _, v := range n.In {
		ok = ok && v.Shape[axis] == n.In[0].Shape[axis]
	}
	return axis, ok
}

func (o *Concat) move(perm []int) (Op, bool) { return &Concat{Axis: perm[o.Axis]}, true }
func (o *Concat) words(*Node) words {
	return words{fmt.Sprint("concat along axis ", o.Axis), "copy", ""}
}
