package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Pad puts a border of zeros around In[0]: before and after each axis.
type Pad struct {
	common
	Before, After []int
}

func init() { register(&Pad{}, map[string]rule{"Pad": (*lowering).pad}) }

// pad lowers a Pad with constant zeros.
func (l *lowering) pad(n *graph.Node, x *Value, shape []int) *Value {
	pads, ok := l.ints(n, 1, "pads")
	if !ok || n.Str("mode", "constant") != "constant" || n.Float("value", 0) != 0 {
		return nil
	}
	if len(n.Inputs) > 2 && n.Inputs[2] != "" {
		if t, ok := l.floats(n, 2); !ok || len(t.F) != 1 || t.F[0] != 0 {
			return nil
		}
	}
	axes, ok := l.ints(n, 3, "axes")
	if !ok || slices.ContainsFunc(pads, func(p int) bool { return p < 0 }) {
		return nil
	}
	o := &Pad{Before: make([]int, len(shape)), After: make([]int, len(shape))}
	for i := range len(pads) / 2 {
		a := i
		if axes != nil {
			a = tensor.FromEnd(axes[i], len(shape))
		}
		o.Before[a], o.After[a] = pads[i], pads[len(pads)/2+i]
	}
	return l.net.add(n.Outputs[0], o, graph.Float, shape, x)
}

func (o *Pad) pictures(n *Node) (int, bool) {
	axis := n.In[0].Pictures
	return axis, axis >= 0 && o.Before[axis] == 0 && o.After[axis] == 0
}

func (o *Pad) move(perm []int) (Op, bool) {
	inv := tensor.Inverse(perm)
	return &Pad{Before: tensor.Permuted(o.Before, inv), After: tensor.Permuted(o.After, inv)}, true
}

func (o *Pad) words(*Node) words {
	return words{fmt.Sprintf("pad %v before, %v after", o.Before, o.After), "copy", ""}
}
