package plan

import (
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
	order []*graph.Node            // all, as values are computed; with those that sequence.go makes up

	// fromBatch holds the constants that were computed from the batch size:
	// they are right for base pictures only.
	fromBatch map[string]bool

	// failed says why a value could not be inferred. It matters only if the
	// feature needs the value: heads come with all sorts of post-processing.
	failed map[string]error

	sequences map[string][]string // values that a sequence of tensors holds

	nhwcInput bool // pictures go in as [N,H,W,C]

	budget  *graph.Budget
	readers map[string]int        // nodes, and outputs of g, that are still to read a value
	names   map[*graph.Tensor]int // values that a computed constant is the data of
	spent   map[string]bool       // constants whose data were given up when all had read them
	work    int64                 // done so far to compute constants; see ops.Kernel
}

const (
	maxFoldWork = 1 << 32 // multiplications in a matrix product of constants

	// maxWork is how much work constants may take altogether, some two seconds,
	// besides workPerByte for each byte of the model's files.
	maxWork     = 1 << 29
	workPerByte = 32
)

// infer computes types and shapes of all values of g, and those values that do
// not depend on the picture, with the input of the given shape.
func infer(g *graph.Graph, input string, shape []int, budget *graph.Budget) *model {
	m := &model{g: g, input: input, base: shape[0], budget: budget,
		readers: map[string]int{}, names: map[*graph.Tensor]int{}, spent: map[string]bool{},
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
		for _, name := range n.Inputs {
			m.readers[name]++
		}
	}
	for _, o := range g.Outputs {
		m.readers[o.Name]++
	}
	for _, n := range g.Nodes {
		before := len(m.nodes)
		if err := m.node(n); err != nil {
			m.order = append(m.order, n)
			for _, name := range n.Outputs {
				m.failed[name] = err
				m.def[name] = n
				delete(m.val, name)
			}
		}
		if len(m.nodes) == before { // no run is to read its inputs
			m.release(n)
		}
	}
	return m
}

// release gives up constants that n was the last to read, and those of its outputs
// that nothing reads.
func (m *model) release(n *graph.Node) {
	for _, name := range n.Inputs {
		if m.readers[name]--; m.readers[name] == 0 {
			m.drop(name)
		}
	}
	for _, name := range n.Outputs {
		if m.readers[name] == 0 {
			m.drop(name)
		}
	}
}

// drop gives up the data of a constant that was computed.
func (m *model) drop(name string) {
	t := m.val[name]
	if t == nil || m.names[t] == 0 || m.spent[name] {
		return
	}
	m.spent[name] = true
	m.val[name] = &graph.Tensor{Type: t.Type, Shape: t.Shape}
	if m.names[t]--; m.names[t] == 0 {
		delete(m.names, t)
		m.budget.Give(t.Bytes())
	}
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
			return fmt.Errorf("node %s: input %s is not defined", graph.Name(n.Name), graph.Name(name))
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
				if err := t.Load(m.budget, who(n)); err != nil {
					return err
				}
			}
		}
	}
	k, err := ops.Bind(n, m.g.Opset, in)
	if err != nil {
		return err
	}
	if constant && cheap(n, in) && k.Folds() {
		out, err := m.fold(n, k, in)
		if err != nil {
			return err
		}
		m.set(n, fromBatch, out...)
		return nil
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

// fold computes the outputs of n, which is k on constants.
func (m *model) fold(n *graph.Node, k *ops.Kernel, in []*graph.Tensor) ([]*graph.Tensor, error) {
	if m.work += k.Work; m.work > maxWork+workPerByte*m.budget.Files() {
		return nil, fmt.Errorf("%s: constants take too long to compute; let the exporter fold them, or ONNX Simplifier", who(n))
	}
	bytes := k.Room
	for i := range k.Out {
		bytes += k.Out[i].Bytes()
	}
	if err := m.budget.Take(bytes, who(n)); err != nil {
		return nil, err
	}
	out, err := k.Eval(in)
	if err != nil {
		m.budget.Give(bytes)
		return nil, fmt.Errorf("%s: %w", who(n), err)
	}
	m.budget.Give(k.Room)
	for i, t := range out {
		if i < len(n.Outputs) && n.Outputs[i] != "" {
			m.names[t] = 0 // it is computed
		} else {
			m.budget.Give(t.Bytes())
		}
	}
	return out, nil
}

// who names a node in messages.
func who(n *graph.Node) string {
	return fmt.Sprintf("node %s (%s)", graph.Name(n.Name), graph.Word(n.Op))
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
	m.order = append(m.order, n)
	for i, name := range n.Outputs {
		if name == "" || i >= len(out) {
			continue
		}
		m.val[name] = out[i]
		m.def[name] = n
		if _, computed := m.names[out[i]]; computed {
			m.names[out[i]]++
		}
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
	return t != nil && t.Known() || m.spent[name]
}
