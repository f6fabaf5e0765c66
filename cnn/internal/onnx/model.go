package onnx

import (
	"errors"
	"fmt"
	"io/fs"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/mmap"
)

// Model is a network as a model file has it. Its stored tensors lie in the
// model's files until Close.
type Model struct {
	*graph.Graph

	IR       int // version of the format
	Producer string
	Metadata map[string]string // metadata_props

	// External names the files of external data that were read, sorted,
	// relative to the model's folder.
	External []string

	files []*mmap.File
}

// Close closes the model's files: tensors that are Stored must not be read any
// more.
func (m *Model) Close() error {
	var err error
	for _, f := range m.files {
		err = errors.Join(err, f.Close())
	}
	m.files = nil
	return err
}

// decoder makes a Model of a ModelProto.
type decoder struct {
	lim   Limits
	spent int64 // of lim.Graph
	ext   external

	out       *Model
	opsets    map[string]int64 // version by domain
	functions map[string]bool  // "domain.name" of the functions of the model itself
	inputs    []graph.Value    // initialisers listed among them too
	inits     []tensorProto
	nodes     []node

	hasGraph    bool
	edges       int
	attrTensors int
	stripped    []byte // the NodeProtos that onnx-go gets
}

// node holds what onnx-go does not carry of a NodeProto.
type node struct {
	name, op, domain string
	tensors          []keptTensor
	refuse           string // why the engine cannot run this node
}

type keptTensor struct {
	attr string
	t    tensorProto
}

// newDecoder returns a decoder of the model file f, with external data from dir. It
// closes f with the model, or with itself.
func newDecoder(lim Limits, dir fs.FS, f *mmap.File) *decoder {
	b := graph.NewBudget(lim.Memory)
	size := int64(len(f.Bytes))
	b.Read(size)
	return &decoder{
		lim: lim,
		ext: external{fsys: dir, left: lim.Bytes - size, budget: b},
		out: &Model{
			Graph:    &graph.Graph{Init: map[string]*graph.Tensor{}, Budget: b},
			Metadata: map[string]string{},
			files:    []*mmap.File{f},
		},
		opsets:    map[string]int64{},
		functions: map[string]bool{},
	}
}

// close closes the files where no model comes of them.
func (m *decoder) close() {
	m.out.Close()
	for _, f := range m.ext.files {
		f.Close()
	}
}

// spend accounts for n bytes of the file that describe the graph, and for what
// an item costs in memory besides them.
func (m *decoder) spend(n int) error {
	const item = 16
	if m.spent += int64(n) + item; m.spent > m.lim.Graph {
		return fmt.Errorf("nodes, names and attributes exceed the limit of %d bytes", m.lim.Graph)
	}
	return nil
}

// parse reads a ModelProto, without the data of its tensors.
func (m *decoder) parse(buf []byte) error {
	for f, err := range fields(buf) {
		if err != nil {
			return err
		}
		switch f.num {
		case 1: // ir_version
			v, err := f.int()
			if err != nil {
				return err
			}
			m.out.IR = int(v)
		case 2, 3: // producer_name, producer_version
			s, err := f.str()
			if err != nil {
				return err
			}
			if m.out.Producer != "" && s != "" {
				s = " " + s
			}
			m.out.Producer += s
			if err := m.spend(len(s)); err != nil {
				return err
			}
		case 7: // graph
			b, err := f.bytes()
			if err != nil {
				return err
			}
			m.hasGraph = true
			if err := m.parseGraph(b); err != nil {
				return err
			}
		case 8: // opset_import
			if err := m.parseOpset(f); err != nil {
				return fmt.Errorf("opset_import: %w", err)
			}
		case 14: // metadata_props
			k, v, err := parsePair(f)
			if err != nil {
				return fmt.Errorf("metadata: %w", err)
			}
			if err := m.spend(len(k) + len(v)); err != nil {
				return err
			}
			m.out.Metadata[k] = v
		case 25: // functions
			name, domain, err := parseStrings(f, 1, 10)
			if err != nil {
				return fmt.Errorf("function: %w", err)
			}
			if err := m.spend(len(domain) + len(name)); err != nil {
				return err
			}
			m.functions[canonical(domain)+"."+name] = true
		}
	}
	if !m.hasGraph {
		return errors.New("it holds no graph")
	}
	return nil
}

func (m *decoder) parseOpset(f field) error {
	b, err := f.bytes()
	if err != nil {
		return err
	}
	var domain string
	var version int64
	for f, err := range fields(b) {
		if err == nil && f.num == 1 {
			domain, err = f.str()
		}
		if err == nil && f.num == 2 {
			version, err = f.int()
		}
		if err != nil {
			return err
		}
	}
	m.opsets[canonical(domain)] = version
	return m.spend(len(domain))
}

// canonical returns "" for both names of the default operator set.
func canonical(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

// parseStrings reads two string fields of the message f.
func parseStrings(f field, first, second protowire.Number) (a, b string, err error) {
	msg, err := f.bytes()
	if err != nil {
		return "", "", err
	}
	for f, err := range fields(msg) {
		if err == nil && f.num == first {
			a, err = f.str()
		}
		if err == nil && f.num == second {
			b, err = f.str()
		}
		if err != nil {
			return "", "", err
		}
	}
	return a, b, nil
}

// parsePair reads a StringStringEntryProto.
func parsePair(f field) (key, value string, err error) { return parseStrings(f, 1, 2) }

func (m *decoder) parseGraph(b []byte) error {
	for f, err := range fields(b) {
		if err != nil {
			return fmt.Errorf("graph: %w", err)
		}
		switch f.num {
		case 1: // node
			if err := m.parseNode(f); err != nil {
				return fmt.Errorf("node %d: %w", len(m.nodes), err)
			}
		case 5: // initializer
			if err := m.parseInit(f); err != nil {
				return fmt.Errorf("initialiser %d: %w", len(m.inits), err)
			}
		case 11, 12: // input, output
			v, err := parseValue(f, m.lim.Rank)
			if err == nil {
				err = m.spend(len(v.Name) + 8*len(v.Shape))
			}
			if err != nil {
				return fmt.Errorf("graph input or output %s: %w", graph.Name(v.Name), err)
			}
			if f.num == 11 {
				m.inputs = append(m.inputs, v)
			} else if m.out.Outputs = append(m.out.Outputs, v); len(m.out.Outputs) > m.lim.Outputs {
				return fmt.Errorf("more than %d outputs", m.lim.Outputs)
			}
		case 15: // sparse_initializer
			return &graph.UnsupportedError{Reason: "the model has sparse initialisers"}
		}
	}
	return nil
}

func (m *decoder) parseInit(f field) error {
	b, err := f.bytes()
	if err != nil {
		return err
	}
	if len(m.inits) >= m.lim.Tensors {
		return fmt.Errorf("more than %d tensors", m.lim.Tensors)
	}
	t, err := parseTensor(b, m.lim.Rank)
	if err != nil {
		return err
	}
	if t.name == "" {
		return errors.New("it has no name")
	}
	m.inits = append(m.inits, t)
	return m.spend(len(t.name) + 8*len(t.dims))
}

// parseValue reads a ValueInfoProto.
func parseValue(f field, maxRank int) (v graph.Value, err error) {
	b, err := f.bytes()
	if err != nil {
		return v, err
	}
	for f, err := range fields(b) {
		if err == nil && f.num == 1 {
			v.Name, err = f.str()
		}
		if err == nil && f.num == 2 {
			err = parseType(f, &v, maxRank)
		}
		if err != nil {
			return v, err
		}
	}
	return v, nil
}

// parseType reads a TypeProto. Types other than tensors leave v.Type Invalid.
func parseType(f field, v *graph.Value, maxRank int) error {
	b, err := f.bytes()
	if err != nil {
		return err
	}
	for f, err := range fields(b) {
		if err != nil {
			return err
		}
		if f.num != 1 { // tensor_type
			continue
		}
		b, err := f.bytes()
		if err != nil {
			return err
		}
		for f, err := range fields(b) {
			if err != nil {
				return err
			}
			switch f.num {
			case 1: // elem_type
				e, err := f.int()
				if err != nil {
					return err
				}
				v.Type = elements[dataType(e)].kind
			case 2: // shape
				if v.Shape, err = parseShape(f, maxRank); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// parseShape reads a TensorShapeProto. A dimension is open unless it has a
// positive value: exporters write 0 or -1 for "any", too.
func parseShape(f field, maxRank int) ([]int, error) {
	b, err := f.bytes()
	if err != nil {
		return nil, err
	}
	shape := []int{}
	for f, err := range fields(b) {
		if err != nil {
			return nil, err
		}
		if f.num != 1 { // dim
			continue
		}
		b, err := f.bytes()
		if err != nil {
			return nil, err
		}
		dim := -1
		for f, err := range fields(b) {
			if err != nil {
				return nil, err
			}
			if f.num != 1 { // dim_value
				continue
			}
			d, err := f.int()
			if err != nil {
				return nil, err
			}
			if d > maxDim {
				return nil, fmt.Errorf("a dimension of %d", d)
			}
			if d > 0 {
				dim = int(d)
			}
		}
		if shape = append(shape, dim); len(shape) > maxRank {
			return nil, fmt.Errorf("more than %d dimensions", maxRank)
		}
	}
	return shape, nil
}

// graph makes the graph of a parsed model.
func (m *decoder) graph() error {
	if err := m.checkOpset(); err != nil {
		return err
	}
	switch {
	case len(m.nodes) == 0:
		return errors.New("the graph has no nodes")
	case len(m.out.Outputs) == 0:
		return errors.New("the graph has no outputs")
	}
	nameNodes(m.nodes)
	for i := range m.nodes {
		if err := m.checkNode(&m.nodes[i]); err != nil {
			return err
		}
	}
	g := m.out.Graph
	for i := range m.inits {
		t := &m.inits[i]
		if g.Init[t.name] != nil {
			return fmt.Errorf("two initialisers have the name %s", graph.Name(t.name))
		}
		v, err := m.tensor(t)
		if err != nil {
			return fmt.Errorf("initialiser %s: %w", graph.Name(t.name), err)
		}
		g.Init[t.name] = v
	}
	for _, v := range m.inputs {
		if g.Init[v.Name] == nil {
			g.Inputs = append(g.Inputs, v)
		}
	}
	var err error
	if g.Nodes, err = m.decodeNodes(); err != nil {
		return err
	}
	if err := m.attach(); err != nil {
		return err
	}
	return link(g)
}

// checkOpset takes the version of the default operator set. Models before IR
// version 3 name none and mean 1.
func (m *decoder) checkOpset() error {
	v, ok := m.opsets[""]
	switch {
	case !ok && m.out.IR < 3:
		v = 1
	case !ok:
		return errors.New("it imports no version of the ONNX operator set")
	case v < 1 || v > 1<<16:
		return fmt.Errorf("it imports version %d of the ONNX operator set", v)
	}
	m.out.Opset = int(v)
	return nil
}

// checkNode refuses operators of other domains and sub-graphs.
func (m *decoder) checkNode(n *node) error {
	e := &graph.UnsupportedError{Op: n.op, Node: n.name, Opset: m.out.Opset, Reason: n.refuse}
	if n.domain != "" {
		e.Op, e.Opset = n.domain+"."+n.op, int(m.opsets[n.domain])
		e.Reason = "only operators of the ONNX standard are supported"
	}
	if m.functions[n.domain+"."+n.op] {
		e.Reason = "it is a function of the model itself: inline it with onnx.inliner.inline_local_functions"
	}
	if e.Reason != "" {
		return e
	}
	return nil
}

// attach adds to the decoded nodes what onnx-go did not carry.
func (m *decoder) attach() error {
	for i, n := range m.out.Nodes {
		kept := &m.nodes[i]
		n.Name = kept.name
		for _, a := range kept.tensors {
			t, err := m.tensor(&a.t)
			if err != nil {
				return fmt.Errorf("node %s (%s), attribute %s: %w", graph.Name(n.Name), graph.Word(n.Op), graph.Name(a.attr), err)
			}
			// Operators read their attributes at any time.
			if err := t.Load(m.out.Budget, "a constant of node "+graph.Name(n.Name)); err != nil {
				return err
			}
			n.Attrs[a.attr] = graph.Attr{T: t}
		}
	}
	return nil
}

// strippedModel returns a ModelProto of the nodes and the names of the graph's
// inputs and outputs.
func (m *decoder) strippedModel() []byte {
	g := make([]byte, 0, len(m.stripped)+64*(len(m.inputs)+len(m.out.Outputs)))
	g = append(g, m.stripped...)
	for _, v := range m.out.Inputs {
		g = appendBytes(g, 11, appendString(nil, 1, v.Name))
	}
	for _, v := range m.out.Outputs {
		g = appendBytes(g, 12, appendString(nil, 1, v.Name))
	}
	return appendBytes(appendInt(nil, 1, int64(m.out.IR)), 7, g)
}
