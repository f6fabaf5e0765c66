package onnx

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
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
	spent int64 // of maxGraph
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

// newDecoder returns a decoder of the model file f, with external data from dir. The
// model closes all files.
func newDecoder(lim Limits, dir fs.FS, f *mmap.File) *decoder {
	b := graph.NewBudget(lim.Memory)
	size := int64(len(f.Bytes))
	b.Read(size)
	m := &Model{
		Graph:    &graph.Graph{Init: map[string]*graph.Tensor{}, Budget: b},
		Metadata: map[string]string{},
		files:    []*mmap.File{f},
	}
	return &decoder{
		ext:       external{fsys: dir, left: lim.Bytes - size, model: m},
		out:       m,
		opsets:    map[string]int64{},
		functions: map[string]bool{},
	}
}

// spend accounts for n bytes of the file that describe the graph, and for what
// an item costs in memory besides them.
func (d *decoder) spend(n int) error {
	const item = 16
	if d.spent += int64(n) + item; d.spent > maxGraph {
		return fmt.Errorf("nodes, names and attributes exceed the limit of %d bytes", maxGraph)
	}
	return nil
}

// parse reads a ModelProto, without the data of its tensors.
func (d *decoder) parse(buf []byte) error {
	err := rules{
		{1, number(&d.out.IR)}, // ir_version
		{2, d.parseProducer},   // producer_name
		{3, d.parseProducer},   // producer_version
		{7, d.parseGraph},      // graph
		{8, d.parseOpset},      // opset_import
		{14, d.parseMetadata},  // metadata_props
		{25, d.parseFunction},  // functions
	}.read(buf)
	if err == nil && !d.hasGraph {
		err = errors.New("it holds no graph")
	}
	return err
}

func (d *decoder) parseProducer(f field) error {
	s, err := f.str()
	if err != nil {
		return err
	}
	if d.out.Producer != "" && s != "" {
		s = " " + s
	}
	d.out.Producer += s
	return d.spend(len(s))
}

func (d *decoder) parseOpset(f field) error {
	var domain string
	var version int64
	err := rules{{1, text(&domain)}, {2, number(&version)}}.sub(f)
	if err == nil {
		d.opsets[canonical(domain)] = version
		err = d.spend(len(domain))
	}
	return within("opset_import", err)
}

func (d *decoder) parseMetadata(f field) error {
	k, v, err := parsePair(f)
	if err != nil {
		return within("metadata", err)
	}
	d.out.Metadata[k] = v
	return d.spend(len(k) + len(v))
}

func (d *decoder) parseFunction(f field) error {
	var name, domain string
	if err := (rules{{1, text(&name)}, {10, text(&domain)}}).sub(f); err != nil {
		return within("function", err)
	}
	d.functions[canonical(domain)+"."+name] = true
	return d.spend(len(domain) + len(name))
}

// canonical returns "" for both names of the default operator set.
func canonical(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

// within says in what of the file err, which may be nil, was found.
func within(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// parsePair reads a StringStringEntryProto.
func parsePair(f field) (key, value string, err error) {
	err = rules{{1, text(&key)}, {2, text(&value)}}.sub(f)
	return key, value, err
}

func (d *decoder) parseGraph(f field) error {
	b, err := f.bytes()
	if err != nil {
		return err
	}
	d.hasGraph = true
	known := rules{
		{1, func(f field) error {
			if err := d.parseNode(f); err != nil {
				return fmt.Errorf("node %d: %w", len(d.nodes), err)
			}
			return nil
		}},
		{5, func(f field) error { // initializer
			if err := d.parseInit(f); err != nil {
				return fmt.Errorf("initialiser %d: %w", len(d.inits), err)
			}
			return nil
		}},
		{11, d.parseValue}, // input
		{12, d.parseValue}, // output
		{15, func(field) error { return &graph.UnsupportedError{Reason: "the model has sparse initialisers"} }},
	}
	for f, err := range fields(b) {
		if err != nil {
			return within("graph", err)
		}
		if err := known.one(f); err != nil {
			return err
		}
	}
	return nil
}

// parseValue takes an input or output of the graph.
func (d *decoder) parseValue(f field) error {
	v, err := parseValue(f)
	if err == nil {
		err = d.spend(len(v.Name) + 8*len(v.Shape))
	}
	switch {
	case err != nil:
		return fmt.Errorf("graph input or output %s: %w", graph.Name(v.Name), err)
	case f.num == 11:
		d.inputs = append(d.inputs, v)
		return nil
	}
	if d.out.Outputs = append(d.out.Outputs, v); len(d.out.Outputs) > maxOutputs {
		return fmt.Errorf("more than %d outputs", maxOutputs)
	}
	return nil
}

func (d *decoder) parseInit(f field) error {
	b, err := f.bytes()
	if err != nil {
		return err
	}
	if len(d.inits) >= maxTensors {
		return fmt.Errorf("more than %d tensors", maxTensors)
	}
	t, err := parseTensor(b)
	if err != nil {
		return err
	}
	if t.name == "" {
		return errors.New("it has no name")
	}
	d.inits = append(d.inits, t)
	return d.spend(len(t.name) + 8*len(t.dims))
}

// parseValue reads a ValueInfoProto. Types other than tensors leave v.Type Invalid.
func parseValue(f field) (v graph.Value, err error) {
	shape := rules{{1, func(f field) error { // dim
		dim, err := parseDim(f)
		if v.Shape = append(v.Shape, dim); err == nil && len(v.Shape) > tensor.MaxRank {
			err = fmt.Errorf("more than %d dimensions", tensor.MaxRank)
		}
		return err
	}}}
	tensorType := rules{
		{1, func(f field) error { // elem_type
			e, err := f.int()
			t, _ := graph.ElementTypeOf(graph.ToInt(e))
			v.Type = t.Type
			return err
		}},
		{2, func(f field) error { // shape
			v.Shape = []int{}
			return shape.sub(f)
		}},
	}
	err = rules{
		{1, text(&v.Name)},
		{2, rules{{1, tensorType.sub}}.sub}, // type: tensor_type
	}.sub(f)
	return v, err
}

// parseDim reads a dimension of a TensorShapeProto, -1 where it is open. It is unless
// it has a positive value: exporters write 0 or -1 for "any", too.
func parseDim(f field) (dim int, err error) {
	dim = -1
	err = rules{{1, func(f field) error { // dim_value
		d, err := f.int()
		switch {
		case err != nil:
			return err
		case d > maxDim:
			return fmt.Errorf("a dimension of %d", d)
		case d > 0:
			dim = int(d)
		}
		return nil
	}}}.sub(f)
	return dim, err
}

// graph makes the graph of a parsed model.
func (d *decoder) graph() error {
	if err := d.checkOpset(); err != nil {
		return err
	}
	switch {
	case len(d.nodes) == 0:
		return errors.New("the graph has no nodes")
	case len(d.out.Outputs) == 0:
		return errors.New("the graph has no outputs")
	}
	nameNodes(d.nodes)
	for i := range d.nodes {
		if err := d.checkNode(&d.nodes[i]); err != nil {
			return err
		}
	}
	g := d.out.Graph
	for i := range d.inits {
		t := &d.inits[i]
		if g.Init[t.name] != nil {
			return fmt.Errorf("two initialisers have the name %s", graph.Name(t.name))
		}
		v, err := d.tensor(t)
		if err != nil {
			return fmt.Errorf("initialiser %s: %w", graph.Name(t.name), err)
		}
		g.Init[t.name] = v
	}
	for _, v := range d.inputs {
		if g.Init[v.Name] == nil {
			g.Inputs = append(g.Inputs, v)
		}
	}
	var err error
	if g.Nodes, err = d.decodeNodes(); err != nil {
		return err
	}
	if err := d.attach(); err != nil {
		return err
	}
	return link(g)
}

// checkOpset takes the version of the default operator set. Models before IR
// version 3 name none and mean 1.
func (d *decoder) checkOpset() error {
	v, ok := d.opsets[""]
	switch {
	case !ok && d.out.IR < 3:
		v = 1
	case !ok:
		return errors.New("it imports no version of the ONNX operator set")
	case v < 1 || v > 1<<16:
		return fmt.Errorf("it imports version %d of the ONNX operator set", v)
	}
	d.out.Opset = int(v)
	return nil
}

// checkNode refuses operators of other domains and sub-graphs.
func (d *decoder) checkNode(n *node) error {
	e := &graph.UnsupportedError{Op: n.op, Node: n.name, Opset: d.out.Opset, Reason: n.refuse}
	if n.domain != "" {
		e.Op, e.Opset = n.domain+"."+n.op, int(d.opsets[n.domain])
		e.Reason = "only operators of the ONNX standard are supported"
	}
	if d.functions[n.domain+"."+n.op] {
		e.Reason = "it is a function of the model itself: inline it with onnx.inliner.inline_local_functions"
	}
	if e.Reason != "" {
		return e
	}
	return nil
}

// attach adds to the decoded nodes what onnx-go did not carry.
func (d *decoder) attach() error {
	for i, n := range d.out.Nodes {
		kept := &d.nodes[i]
		n.Name = kept.name
		for _, a := range kept.tensors {
			t, err := d.tensor(&a.t)
			if err != nil {
				return fmt.Errorf("node %s (%s), attribute %s: %w", graph.Name(n.Name), graph.Word(n.Op), graph.Name(a.attr), err)
			}
			// Operators read their attributes at any time.
			if err := t.Load(d.out.Budget, "a constant of node "+graph.Name(n.Name)); err != nil {
				return err
			}
			n.Attrs[a.attr] = graph.Attr{T: t}
		}
	}
	return nil
}

// strippedModel returns a ModelProto of the nodes and the names of the graph's
// inputs and outputs.
func (d *decoder) strippedModel() []byte {
	g := make([]byte, 0, len(d.stripped)+64*(len(d.inputs)+len(d.out.Outputs)))
	g = append(g, d.stripped...)
	for _, v := range d.out.Inputs {
		g = appendBytes(g, 11, appendString(nil, 1, v.Name))
	}
	for _, v := range d.out.Outputs {
		g = appendBytes(g, 12, appendString(nil, 1, v.Name))
	}
	return appendBytes(appendInt(nil, 1, int64(d.out.IR)), 7, g)
}
