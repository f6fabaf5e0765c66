package plan

import (
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// PyTorch's newer exporter, with its optimiser off, writes a split as a sequence
// of tensors that is then indexed by constants. That is a Split in other words;
// sequences are not supported otherwise.

const maxPieces = 1000 // of a sequence

// sequence infers n if it is one of these two operators; ok is false if not.
func (m *model) sequence(n *graph.Node) (ok bool, err error) {
	switch {
	case len(n.Outputs) != 1:
	case n.Op == "SplitToSequence":
		return true, m.splitToSequence(n)
	case n.Op == "SequenceAt":
		return true, m.sequenceAt(n)
	}
	return false, nil
}

// splitToSequence infers n as a Split whose outputs are the sequence's elements.
func (m *model) splitToSequence(n *graph.Node) error {
	in, err := m.inputs(n)
	if err != nil {
		return err
	}
	unsupported := func(why string) error {
		return &graph.UnsupportedError{Op: n.Op, Node: n.Name, Opset: m.g.Opset, Reason: why}
	}
	if len(in) != 2 || in[0] == nil || in[1] == nil || in[1].Type != graph.Int || !in[1].Known() {
		return unsupported("only sizes that are constants are supported")
	}
	axis := tensor.FromEnd(n.Int("axis", 0), len(in[0].Shape))
	if axis < 0 || axis >= len(in[0].Shape) {
		return fmt.Errorf("node %s: axis %d of shape %v", graph.Name(n.Name), axis, in[0].Shape)
	}
	sizes, length := in[1].I, int64(in[0].Shape[axis])
	if len(in[1].Shape) == 0 { // pieces of one size; the last may be smaller
		each := max(sizes[0], 1)
		sizes = nil
		for at := int64(0); at < length && len(sizes) <= maxPieces; at += each {
			sizes = append(sizes, min(each, length-at))
		}
	}
	if len(sizes) > maxPieces {
		return unsupported(fmt.Sprintf("more than %d pieces", maxPieces))
	}
	split := &graph.Node{Name: n.Name, Op: "Split", Inputs: []string{n.Inputs[0], n.Outputs[0] + "/sizes"},
		Attrs: map[string]graph.Attr{"axis": {I: int64(axis)}}}
	if m.g.Opset < 13 {
		split.Inputs = split.Inputs[:1]
		split.Attrs["split"] = graph.Attr{Ints: sizes}
	}
	m.val[n.Outputs[0]+"/sizes"] = &graph.Tensor{Type: graph.Int, Shape: []int{len(sizes)}, I: sizes}
	for i := range sizes {
		split.Outputs = append(split.Outputs, fmt.Sprintf("%s/%d", n.Outputs[0], i))
	}
	if err := m.node(split); err != nil {
		return err
	}
	m.sequences[n.Outputs[0]] = split.Outputs
	return nil
}

// sequenceAt infers n as the element of a sequence.
func (m *model) sequenceAt(n *graph.Node) error {
	if len(n.Inputs) == 2 {
		seq, at := m.sequences[n.Inputs[0]], m.val[n.Inputs[1]]
		if at != nil && len(at.I) == 1 {
			if i := tensor.FromEnd(int(at.I[0]), len(seq)); i >= 0 && i < len(seq) {
				return m.node(&graph.Node{Name: n.Name, Op: "Identity", Inputs: seq[i : i+1], Outputs: n.Outputs})
			}
		}
	}
	for _, v := range n.Inputs {
		if err := m.failed[v]; err != nil {
			return err
		}
	}
	return &graph.UnsupportedError{Op: n.Op, Node: n.Name, Opset: m.g.Opset,
		Reason: "only constant positions in what SplitToSequence made are supported"}
}
