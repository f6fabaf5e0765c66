package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
)

// Generic is an ONNX operator as package ops computes it, in row-major order.
type Generic struct {
	common
	node  *graph.Node
	opset int
}

func init() { register(&Generic{}, nil) }

// move lets transpositions pass what works element by element.
func (o *Generic) move([]int) (Op, bool) { return o, op.Get(o.node.Op).Elementwise() }

// inPlace: what works element by element may overwrite its first input.
func (o *Generic) inPlace(*Node) (first, end int) {
	if op.Get(o.node.Op).Elementwise() {
		return 0, 1
	}
	return 0, 0
}

// pictures is what package op says of the operator.
func (o *Generic) pictures(n *Node) (axis int, ok bool) {
	in, axes := make([]*graph.Tensor, len(n.In)), make([]int, len(n.In))
	for i, v := range n.In {
		switch axes[i] = -1; {
		case v == nil:
		case v.Data != nil:
			in[i] = v.Data
		default:
			in[i], axes[i] = &graph.Tensor{Type: v.Type, Shape: v.Shape}, v.Pictures
		}
	}
	return op.Pictures(o.node, o.opset, in, axes)
}

func (o *Generic) prefers(*Net, *Node, bool) precision { return float32s }

// Operator names the operator for messages.
func (o *Generic) Operator() string { return o.node.Op }

func (o *Generic) words(*Node) words { return words{graph.Word(o.node.Op), "general", ""} }

// Bind prepares n, a Generic of p, for so many pictures. It fails where the
// operator would give other types or shapes than the plan expects.
func (o *Generic) Bind(p *Plan, n *Node, pictures int) (*op.Kernel, error) {
	in := make([]*graph.Tensor, len(n.In))
	for i, v := range n.In {
		switch {
		case v == nil:
		case v.Data != nil:
			in[i] = v.Data
		default:
			in[i] = &graph.Tensor{Type: v.Type, Shape: p.Shape(v, pictures)}
		}
	}
	k, err := op.Bind(o.node, o.opset, in)
	if err != nil {
		return nil, err
	}
	for i, v := range n.Out {
		if shape := p.Shape(v, pictures); k.Out[i].Type != v.Type || !slices.Equal(k.Out[i].Shape, shape) {
			return nil, fmt.Errorf("operator %s (node %s) gives %v, not %v, for %d pictures", o.node.Op, graph.Name(n.Name), k.Out[i].Shape, shape, pictures)
		}
	}
	return k, nil
}
