package onnx

import (
	"fmt"

	onnxgo "github.com/owulveryck/onnx-go"
	// Newer than the one that gorgonia.org/tensor asks for, which refuses to
	// start on this version of Go.
	_ "go4.org/unsafe/assume-no-moving-gc"
	gonum "gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// decodeNodes has onnx-go decode the nodes of d.
func (d *decoder) decodeNodes() (nodes []*graph.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			nodes, err = nil, fmt.Errorf("onnx-go could not decode the graph: %v", r)
		}
	}()
	b := &backend{WeightedDirectedGraph: simple.NewWeightedDirectedGraph(0, 0)}
	if err := onnxgo.NewModel(b).UnmarshalBinary(d.strippedModel()); err != nil {
		return nil, fmt.Errorf("onnx-go could not decode the graph: %w", err)
	}
	if len(b.nodes) != len(d.nodes) {
		return nil, fmt.Errorf("onnx-go decoded %d of %d nodes", len(b.nodes), len(d.nodes))
	}
	return b.nodes, nil
}

// value is a node of onnx-go's graph: a value of the network. An operator has
// no node there; it is applied to the nodes of its outputs.
type value struct {
	gonum.Node
	name string
}

func (v *value) SetName(s string) { v.name = s }
func (v *value) GetName() string  { return v.name }

// backend implements onnxgo.Backend: it is the graph that onnx-go builds, with
// an edge from each output of an operator to each of its inputs, weighted by
// the position of that input.
type backend struct {
	*simple.WeightedDirectedGraph
	nodes   []*graph.Node
	pending []gonum.WeightedEdge // of the operator to be applied next
}

// NewNode implements gonum's graph.NodeAdder.
func (b *backend) NewNode() gonum.Node {
	return &value{Node: b.WeightedDirectedGraph.NewNode()}
}

// SetWeightedEdge implements gonum's graph.WeightedEdgeAdder. The graph keeps
// one edge between two nodes, and none from a node to itself; so operators are
// made of the pending edges, where Mul(x, x) has two.
func (b *backend) SetWeightedEdge(e gonum.WeightedEdge) {
	b.pending = append(b.pending, e)
	if e.From().ID() != e.To().ID() {
		b.WeightedDirectedGraph.SetWeightedEdge(e)
	}
}

// ApplyOperation implements onnxgo.OperationCarrier. onnx-go calls it for the
// nodes in the order of the file, each after the edges of its outputs.
func (b *backend) ApplyOperation(op onnxgo.Operation, outputs ...gonum.Node) error {
	n := &graph.Node{Op: op.Name, Attrs: make(map[string]graph.Attr, len(op.Attributes))}
	for _, o := range outputs {
		n.Outputs = append(n.Outputs, o.(*value).name)
	}
	for _, e := range b.pending {
		if e.From().ID() != outputs[0].ID() {
			continue // the same inputs again, for another output
		}
		i := int(e.Weight())
		for len(n.Inputs) <= i {
			n.Inputs = append(n.Inputs, "")
		}
		n.Inputs[i] = e.To().(*value).name
	}
	n.Inputs = trim(n.Inputs)
	n.Outputs = trim(n.Outputs)
	b.pending = b.pending[:0]

	for name, v := range op.Attributes {
		a, err := attr(v)
		if err != nil {
			return fmt.Errorf("%s, attribute %s: %w", graph.Word(op.Name), graph.Name(name), err)
		}
		n.Attrs[name] = a
	}
	b.nodes = append(b.nodes, n)
	return nil
}

// trim cuts trailing optional values left out.
func trim(names []string) []string {
	for len(names) > 0 && names[len(names)-1] == "" {
		names = names[:len(names)-1]
	}
	return names
}

// attr converts an attribute value of onnx-go.
func attr(v any) (graph.Attr, error) {
	switch v := v.(type) {
	case float32:
		return graph.Attr{F: v}, nil
	case int64:
		return graph.Attr{I: v}, nil
	case string:
		return graph.Attr{S: v}, nil
	case []float32:
		return graph.Attr{Floats: v}, nil
	case []int64:
		return graph.Attr{Ints: v}, nil
	case []string:
		return graph.Attr{Strings: v}, nil
	}
	return graph.Attr{}, fmt.Errorf("unexpected type %T", v)
}
