package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/ops"
	"github.com/onetomany/caption/internal/weights"
)

// genericOp is an ONNX operator as package ops computes it, in row-major order.
type genericOp struct {
	node  *graph.Node
	opset int
}

// move lets transpositions pass what works element by element.
func (o *genericOp) move([]int) (op, bool) { return o, ops.Get(o.node.Op).Elementwise() }

// batch returns the axis of the outputs along which the pictures lie.
func (o *genericOp) batch(n *node) (axis int, ok bool) {
	in, axes := make([]*graph.Tensor, len(n.in)), make([]int, len(n.in))
	for i, v := range n.in {
		axes[i] = -1
		if v != nil {
			in[i], axes[i] = v.tensor(), v.batch
		}
	}
	return ops.BatchAxis(o.node, o.opset, in, axes)
}

// tensor returns what is known of v.
func (v *value) tensor() *graph.Tensor {
	if v.data != nil {
		return v.data
	}
	return &graph.Tensor{Type: v.typ, Shape: v.shape}
}

// bind prepares n for inputs and outputs of the types and shapes in s. It fails
// where the operator would give others than the plan expects.
func (o *genericOp) bind(s *state, n *node) (*ops.Kernel, error) {
	// Shapes alone, except for constants: data of the last run must not count.
	in := make([]*graph.Tensor, len(n.in))
	for i, v := range n.in {
		switch {
		case v == nil:
		case v.data != nil:
			in[i] = v.data
		default:
			in[i] = &graph.Tensor{Type: v.typ, Shape: s.t[v.id].Shape}
		}
	}
	k, err := ops.Bind(o.node, o.opset, in)
	if err != nil {
		return nil, err
	}
	for i, v := range n.out {
		if t := s.t[v.id]; k.Out[i].Type != t.Type || !slices.Equal(k.Out[i].Shape, t.Shape) {
			return nil, fmt.Errorf("operator %s (node %s) gives %v, not %v, for %d pictures", o.node.Op, graph.Name(n.name), k.Out[i].Shape, t.Shape, s.n)
		}
	}
	return k, nil
}

func (o *genericOp) run(s *state, n *node) error {
	b := &s.bound[n.index]
	for i, v := range n.in {
		if v != nil {
			b.in[i] = s.t[v.id]
		}
	}
	for i, v := range n.out {
		b.out[i] = s.t[v.id]
	}
	if err := b.kernel.Run(b.in, b.out, &s.team); err != nil {
		return fmt.Errorf("operator %s (node %s): %w", o.node.Op, graph.Name(n.name), err)
	}
	return nil
}

// weightsOf returns the elements of a Float tensor, wherever they are.
func weightsOf(t *graph.Tensor) weights.Data {
	if d, ok := t.Stored.(weights.Data); ok {
		return d
	}
	return weights.Of(t.F)
}
