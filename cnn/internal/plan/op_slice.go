package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Slice takes Out.Shape[Axis] indices of an axis of In[0], from Start on.
type Slice struct {
	common
	Axis, Start int
}

func init() {
	register(&Slice{}, map[string]rule{"Slice": (*lowering).slice, "Split": (*lowering).split, "Gather": (*lowering).gather})
}

// part takes size indices of an axis of x, from start on.
func (l *lowering) part(name string, x *Value, axis, start, size int) *Value {
	if start == 0 && size == x.Shape[axis] {
		return x
	}
	shape := slices.Clone(x.Shape)
	shape[axis] = size
	return l.net.add(name, &Slice{Axis: axis, Start: start}, graph.Float, shape, x)
}

// split lowers Split to slices; it returns the first.
func (l *lowering) split(n *graph.Node, x *Value, _ []int) *Value {
	axis := tensor.FromEnd(n.Int("axis", 0), len(x.Shape))
	for _, name := range n.Outputs {
		if name == "" || l.val[name].Shape[axis] == 0 {
			return nil
		}
	}
	start := 0
	for _, name := range n.Outputs {
		size := l.val[name].Shape[axis]
		l.vals[name] = l.part(name, x, axis, start, size)
		start += size
	}
	return l.vals[n.Outputs[0]]
}

// slice lowers a Slice whose steps are 1.
func (l *lowering) slice(n *graph.Node, x *Value, shape []int) *Value {
	starts, ok1 := l.ints(n, 1, "starts")
	axes, ok2 := l.ints(n, 3, "axes")
	steps, ok3 := l.ints(n, 4, "steps")
	if !ok1 || !ok2 || !ok3 || slices.ContainsFunc(steps, func(s int) bool { return s != 1 }) {
		return nil
	}
	for i, s := range starts {
		a := i
		if axes != nil {
			a = tensor.FromEnd(axes[i], len(x.Shape))
		}
		s = min(max(tensor.FromEnd(s, x.Shape[a]), 0), x.Shape[a])
		x = l.part(n.Outputs[0], x, a, s, shape[a])
	}
	return x
}

// gather lowers a Gather of one index, or of neighbouring ones.
func (l *lowering) gather(n *graph.Node, x *Value, shape []int) *Value {
	at, ok := l.ints(n, 1, "")
	if !ok || len(at) == 0 || len(l.val[n.Inputs[1]].Shape) > 1 {
		return nil
	}
	axis := tensor.FromEnd(n.Int("axis", 0), len(x.Shape))
	for i := range at {
		at[i] = tensor.FromEnd(at[i], x.Shape[axis])
		if at[i] != at[0]+i || at[i] < 0 || at[i] >= x.Shape[axis] {
			return nil // an index out of range is found when the operator runs
		}
	}
	return l.reshape(n.Outputs[0], l.part(n.Outputs[0], x, axis, at[0], len(at)), shape)
}

func (o *Slice) pictures(n *Node) (int, bool) { return n.keep(o.Axis) }
func (o *Slice) move(perm []int) (Op, bool) {
	return &Slice{Axis: perm[o.Axis], Start: o.Start}, true
}

func (o *Slice) words(*Node) words {
	return words{fmt.Sprintf("slice of axis %d from %d", o.Axis, o.Start), "copy", ""}
}
