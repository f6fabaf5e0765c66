package plan

import (
	"errors"
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/ops"
)

// A model is an ONNX graph for one input shape: types and shapes of all values,
// and the data of those that do not depend on the picture.
type model struct {
	g     *graph.Graph
	input string
	base  int                      // pictures in a batch, in shapes
	val   map[string]*graph.Tensor // every value; data where constant
	def   map[string]*graph.Node   // what computes a value
	nodes []*graph.Node            // those that depend on the picture

	// fromBatch holds the constants that were computed from the batch size:
	// they are right for base pictures only.
	fromBatch map[string]bool

	// failed says why a value could not be inferred. It matters only if the
	// feature needs the value: heads come with all sorts of post-processing.
	failed map[string]error

	sequences map[string][]string // values that a sequence of tensors holds

	nhwcInput bool // pictures go in as [N,H,W,C]

	folded int // elements computed at load
}

const (
	maxFoldWork = 1 << 32 // multiplications in a matrix product of constants
	maxFolded   = 1 << 29 // elements of all folded constants together
)

// infer computes types and shapes of all values of g, and those values that do
// not depend on the picture, with the input of the given shape.
func infer(g *graph.Graph, input string, shape []int) *model {
	m := &model{g: g, input: input, base: shape[0],
		val:       make(map[string]*graph.Tensor, len(g.Init)+2*len(g.Nodes)),
		def:       make(map[string]*graph.Node, len(g.Nodes)),
		fromBatch: map[string]bool{},
		failed:    map[string]error{},
		sequences: map[string][]string{},
	}
	for name, t := range g.Init {
		m.val[name] = t
	}
	m.val[input] = &graph.Tensor{Type: graph.Float, Shape: shape}
	for _, n := range g.Nodes {
		if err := m.node(n); err != nil {
			for _, name := range n.Outputs {
				m.failed[name] = err
				m.def[name] = n
				delete(m.val, name)
			}
		}
	}
	return m
}

// node infers the outputs of n.
func (m *model) node(n *graph.Node) error {
	if n.Op == "SequenceAt" && len(n.Outputs) == 1 {
		return m.sequenceAt(n)
	}
	in := make([]*graph.Tensor, len(n.Inputs))
	constant, fromBatch := true, false
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		t := m.val[name]
		if t == nil {
			if err := m.failed[name]; err != nil {
				return err
			}
			return fmt.Errorf("node %q: input %q is not defined", n.Name, name)
		}
		in[i] = t
		constant = constant && t.Known()
		fromBatch = fromBatch || m.fromBatch[name]
	}
	switch {
	case n.Op == "SplitToSequence" && len(n.Outputs) == 1:
		return m.splitToSequence(n, in)
	case n.Op == "CastLike" && len(in) == 2 && in[0] != nil && in[0].Known() && in[1] != nil:
		in[1] = ops.Alloc(in[1].Type, []int{1}) // its type alone counts
		constant, fromBatch = true, m.fromBatch[n.Inputs[0]]
	case n.Op == "Identity" && constant && len(in) == 1 && in[0] != nil, toFloat(n, in):
		// Exporters alias shared weights by hundreds of these, and FLOAT16 weights
		// come with a Cast: no copy.
		m.set(n, fromBatch, in[0])
		return nil
	case n.Op == "Shape" && len(in) == 1 && in[0] != nil && !constant:
		m.set(n, true, shapeOf(n, in[0].Shape))
		return nil
	case n.Op == "Size" && len(in) == 1 && in[0] != nil && !constant:
		m.set(n, true, &graph.Tensor{Type: graph.Int, Shape: []int{}, I: []int64{int64(in[0].Len())}})
		return nil
	}
	if constant || !linearWeights[n.Op] {
		for _, t := range in {
			if t != nil {
				t.Load()
			}
		}
	}
	if constant && cheap(n, in) {
		out, err := ops.Eval(n, m.g.Opset, in)
		if err == nil {
			for _, t := range out {
				m.folded += t.Len()
			}
			if m.folded > maxFolded {
				return fmt.Errorf("node %q: the model computes more than %d constants when it is loaded", n.Name, maxFolded)
			}
			m.set(n, fromBatch, out...)
			return nil
		}
		if !errors.Is(err, ops.ErrTooLarge) {
			return err
		}
	}
	k, err := ops.Bind(n, m.g.Opset, in)
	if err != nil {
		return err
	}
	out := make([]*graph.Tensor, len(k.Out))
	for i := range k.Out {
		if out[i] = &k.Out[i]; len(out[i].Shape) > maxRank {
			return &graph.UnsupportedError{Op: n.Op, Node: n.Name, Opset: m.g.Opset,
				Reason: fmt.Sprintf("its output has %d dimensions, at most %d are supported", len(out[i].Shape), maxRank)}
		}
	}
	m.set(n, false, out...)
	m.nodes = append(m.nodes, n)
	return nil
}

// linearWeights holds the operators that look at the shape of their constants
// only, so that the data can stay where they are stored until they are packed.
var linearWeights = map[string]bool{"Conv": true, "Gemm": true, "MatMul": true}

// toFloat reports whether n casts a constant to the type that it has here.
func toFloat(n *graph.Node, in []*graph.Tensor) bool {
	const float = 1 // TensorProto.FLOAT
	return n.Op == "Cast" && n.Int("to", 0) == float && len(in) == 1 && in[0] != nil && in[0].Type == graph.Float && in[0].Known()
}

// set records the outputs of n.
func (m *model) set(n *graph.Node, fromBatch bool, out ...*graph.Tensor) {
	for i, name := range n.Outputs {
		if name == "" || i >= len(out) {
			continue
		}
		m.val[name] = out[i]
		m.def[name] = n
		if fromBatch {
			m.fromBatch[name] = true
		}
	}
}

// cheap reports whether n does not take much longer to compute than its
// operands to read.
func cheap(n *graph.Node, in []*graph.Tensor) bool {
	switch n.Op {
	case "MatMul", "Gemm", "Conv", "ConvTranspose":
		return len(in) < 2 || in[0] == nil || in[1] == nil || int64(in[0].Len()) <= maxFoldWork/int64(max(in[1].Len(), 1))
	}
	return true
}

// shapeOf evaluates the Shape operator (from opset 15 on it can take a part).
func shapeOf(n *graph.Node, shape []int) *graph.Tensor {
	clamp := func(i int) int {
		if i < 0 {
			i += len(shape)
		}
		return min(max(i, 0), len(shape))
	}
	from, to := clamp(n.Int("start", 0)), clamp(n.Int("end", len(shape)))
	t := &graph.Tensor{Type: graph.Int, Shape: []int{max(to-from, 0)}, I: []int64{}}
	for i := from; i < to; i++ {
		t.I = append(t.I, int64(shape[i]))
	}
	return t
}

// isConst reports whether value name is a constant.
func (m *model) isConst(name string) bool {
	t := m.val[name]
	return t != nil && t.Known()
}
