package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	_ "github.com/onetomany/caption/cnn/internal/ops" // the operators
	_ "github.com/onetomany/caption/cnn/internal/ops/layers"
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
	work    int64                 // done so far to compute constants; see op.Kernel
}

const (
	maxNodeWork = 1 << 28 // for a matrix product of constants; see op.Kernel

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

// inputs returns what is known of the inputs of n, nil for those left out.
func (m *model) inputs(n *graph.Node) ([]*graph.Tensor, error) {
	in := make([]*graph.Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		if in[i] = m.val[name]; in[i] == nil {
			if err := m.failed[name]; err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("node %s: input %s is not defined", graph.Name(n.Name), graph.Name(name))
		}
	}
	return in, nil
}

// node infers the outputs of n.
func (m *model) node(n *graph.Node) error {
	if ok, err := m.sequence(n); ok {
		return err
	}
	in, err := m.inputs(n)
	if err != nil {
		return err
	}
	k, err := op.Bind(n, m.g.Opset, in)
	if err != nil {
		return err
	}
	if o := op.Get(n.Op); o.Constant(in) {
		// A shape that counts, instead of the numbers, is that of base pictures.
		fromBatch := false
		for i, t := range in {
			if t != nil && !o.TypeOnly(i) && (!t.Known() || m.fromBatch[n.Inputs[i]]) {
				fromBatch = true
			}
		}
		switch {
		case k.Keeps && sameTensor(in[0], &k.Out[0]) && len(n.Outputs) == 1:
			// Exporters alias shared weights by hundreds of these, and FLOAT16 weights
			// come with a Cast: no copy.
			m.set(n, fromBatch, in[0])
			return nil
		case k.Folds() && (cheap(k, in) || !o.Product()):
			out, err := m.fold(n, k, in)
			if err != nil {
				return err
			}
			m.set(n, fromBatch, out...)
			return nil
		}
	}
	out := make([]*graph.Tensor, len(k.Out))
	for i := range k.Out {
		out[i] = &k.Out[i]
		out[i].Element = 0 // is for constants
	}
	m.set(n, false, out...)
	m.nodes = append(m.nodes, n)
	return nil
}

// cheap reports whether k does not take much longer than to read its operands, as
// large products of constants would: those are left to the run, which is faster at them.
func cheap(k *op.Kernel, in []*graph.Tensor) bool {
	var elements int64
	for _, t := range in {
		if t != nil {
			elements += int64(t.Len())
		}
	}
	return k.Work <= max(maxNodeWork, 100*elements)
}

// sameTensor reports whether two tensors have the same type and shape.
func sameTensor(a, b *graph.Tensor) bool { return a.Type == b.Type && slices.Equal(a.Shape, b.Shape) }

// fold computes the outputs of n, which is k on constants.
func (m *model) fold(n *graph.Node, k *op.Kernel, in []*graph.Tensor) ([]*graph.Tensor, error) {
	if m.work += k.Work; m.work > maxWork+workPerByte*m.budget.Files() {
		return nil, fmt.Errorf("%s: constants take too long to compute; let the exporter fold them, or ONNX Simplifier", who(n))
	}
	for _, t := range in {
		if t != nil {
			if err := t.Load(m.budget, who(n)); err != nil {
				return nil, err
			}
		}
	}
	bytes := k.Workspace
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
	m.budget.Give(k.Workspace)
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

// isConst reports whether value name is a constant.
func (m *model) isConst(name string) bool {
	t := m.val[name]
	return t != nil && t.Known() || m.spent[name]
}
