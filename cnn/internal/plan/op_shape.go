package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// reshapeOp gives in[0] another shape. It moves nothing.
type reshapeOp struct{}

// transposeOp permutes dimensions: out.shape[i] = in.shape[perm[i]].
type transposeOp struct{ perm []int }

// concatOp joins its inputs along an axis.
type concatOp struct{ axis int }

// sliceOp takes out.shape[axis] indices of an axis of in[0], from start on.
type sliceOp struct{ axis, start int }

// padOp puts a border of zeros around in[0]: before and after each axis.
type padOp struct{ before, after []int }

func (o *concatOp) move(perm []int) (op, bool) { return &concatOp{perm[o.axis]}, true }
func (o *sliceOp) move(perm []int) (op, bool)  { return &sliceOp{perm[o.axis], o.start}, true }

func (o *padOp) move(perm []int) (op, bool) {
	p := &padOp{make([]int, len(perm)), make([]int, len(perm))}
	for i, a := range perm {
		p.before[a], p.after[a] = o.before[i], o.after[i]
	}
	return p, true
}

func (l *lowering) concat(n *graph.Node, shape []int) *value {
	var in []*value
	for _, name := range n.Inputs {
		if v := l.value(name); v.len() > 0 {
			in = append(in, v)
		}
	}
	if len(in) == 1 {
		return in[0]
	}
	return l.net.add(n.Outputs[0], &concatOp{axisOf(n.Int("axis", 0), len(shape))}, graph.Float, shape, in...)
}

func axisOf(a, rank int) int {
	if a < 0 {
		a += rank
	}
	return a
}

// cut takes size indices of an axis of x, from start on.
func (l *lowering) cut(name string, x *value, axis, start, size int) *value {
	if start == 0 && size == x.shape[axis] {
		return x
	}
	shape := slices.Clone(x.shape)
	shape[axis] = size
	return l.net.add(name, &sliceOp{axis, start}, graph.Float, shape, x)
}

// split lowers Split to slices; it returns the first.
func (l *lowering) split(n *graph.Node) *value {
	x := l.value(n.Inputs[0])
	if x.typ != graph.Float || x.len() == 0 {
		return nil
	}
	axis := axisOf(n.Int("axis", 0), len(x.shape))
	start := 0
	var first *value
	for i, name := range n.Outputs {
		if name == "" {
			return nil
		}
		size := l.val[name].Shape[axis]
		if size == 0 {
			return nil
		}
		l.vals[name] = l.cut(name, x, axis, start, size)
		start += size
		if i == 0 {
			first = l.vals[name]
		}
	}
	return first
}

// slice lowers a Slice whose steps are 1.
func (l *lowering) slice(n *graph.Node, x *value, shape []int) *value {
	starts, ok1 := l.ints(n, 1, "starts")
	axes, ok2 := l.ints(n, 3, "axes")
	steps, ok3 := l.ints(n, 4, "steps")
	if !ok1 || !ok2 || !ok3 || slices.ContainsFunc(steps, func(s int) bool { return s != 1 }) {
		return nil
	}
	for i, s := range starts {
		a := i
		if axes != nil {
			a = axisOf(axes[i], len(x.shape))
		}
		if s < 0 {
			s += x.shape[a]
		}
		s = min(max(s, 0), x.shape[a])
		x = l.cut(n.Outputs[0], x, a, s, shape[a])
	}
	return x
}

// gather lowers a Gather of one index, or of neighbouring ones, to a slice.
func (l *lowering) gather(n *graph.Node, x *value, shape []int) *value {
	at, ok := l.ints(n, 1, "")
	if !ok || len(at) == 0 || len(l.val[n.Inputs[1]].Shape) > 1 {
		return nil
	}
	axis := axisOf(n.Int("axis", 0), len(x.shape))
	for i := range at {
		if at[i] < 0 {
			at[i] += x.shape[axis]
		}
		if at[i] != at[0]+i || at[i] < 0 || at[i] >= x.shape[axis] {
			return nil // an index out of range is found when the operator runs
		}
	}
	return l.reshape(n.Outputs[0], l.cut(n.Outputs[0], x, axis, at[0], len(at)), shape)
}

// pad lowers a Pad with constant zeros.
func (l *lowering) pad(n *graph.Node, x *value, shape []int) *value {
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
	o := &padOp{make([]int, len(shape)), make([]int, len(shape))}
	for i := range len(pads) / 2 {
		a := i
		if axes != nil {
			a = axisOf(axes[i], len(shape))
		}
		o.before[a], o.after[a] = pads[i], pads[len(pads)/2+i]
	}
	return l.net.add(n.Outputs[0], o, graph.Float, shape, x)
}
