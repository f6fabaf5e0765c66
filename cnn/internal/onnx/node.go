package onnx

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// The fields of an AttributeProto, other than those of its value.
const (
	fieldAttrName    = 1
	fieldAttrType    = 20
	fieldAttrRefName = 21
)

// The types of an AttributeProto that have a case of their own.
const (
	attrInt    = 2
	attrTensor = 4
	attrGraph  = 5
	attrGraphs = 10
)

// attrValues says for each type which field holds the value.
var attrValues = map[int64]struct {
	field protowire.Number
	wire  protowire.Type // of the field, or of its elements where it may be packed
	plain bool           // onnx-go carries it
}{
	1:          {2, protowire.Fixed32Type, true}, // FLOAT
	attrInt:    {3, protowire.VarintType, true},
	3:          {4, protowire.BytesType, true}, // STRING
	attrTensor: {5, protowire.BytesType, false},
	attrGraph:  {6, protowire.BytesType, false},
	6:          {7, protowire.Fixed32Type, true}, // FLOATS
	7:          {8, protowire.VarintType, true},  // INTS
	8:          {9, protowire.BytesType, true},   // STRINGS
	9:          {10, protowire.BytesType, false}, // TENSORS
	attrGraphs: {11, protowire.BytesType, false},
	11:         {22, protowire.BytesType, false}, // SPARSE_TENSOR
	12:         {23, protowire.BytesType, false}, // SPARSE_TENSORS
	13:         {14, protowire.BytesType, false}, // TYPE_PROTO
	14:         {15, protowire.BytesType, false}, // TYPE_PROTOS
}

// parseNode reads a NodeProto, appends to d.stripped what onnx-go carries of
// it and to d.nodes the rest.
func (d *decoder) parseNode(f field) error {
	b, err := f.bytes()
	if err != nil {
		return err
	}
	if len(d.nodes) >= maxNodes {
		return fmt.Errorf("more than %d nodes", maxNodes)
	}
	var n node
	var out []byte
	var inputs, outputs int
	attrs := map[string]bool{}
	keep := func(f field) error {
		s, err := f.str()
		if err != nil {
			return err
		}
		out = appendString(out, f.num, s)
		return d.spend(len(s))
	}
	err = rules{
		{1, func(f field) error { inputs++; return keep(f) }},
		{2, func(f field) error { outputs++; return keep(f) }},
		{3, text(&n.name)},
		{4, func(f field) error { n.op = string(f.b); return keep(f) }}, // op_type
		{5, func(f field) (err error) { // attribute
			if out, err = d.parseAttr(f, &n, attrs, out); err != nil {
				err = fmt.Errorf("%s: %w", graph.Word(n.op), err)
			}
			return err
		}},
		{7, text(&n.domain)},
	}.read(b)
	if err != nil {
		return err
	}
	n.domain = canonical(n.domain)
	switch {
	case n.op == "":
		return errors.New("it has no operator")
	case outputs == 0:
		return fmt.Errorf("%s without outputs", graph.Word(n.op))
	case inputs == 0:
		// onnx-go makes up an input for such a node, and a name that may be
		// taken; an input left out ("") keeps it from that.
		out = appendString(out, 1, "")
		inputs = 1
	}
	// onnx-go adds the pairs of input and output to its graph one by one.
	if left := maxEdges - d.edges; outputs > left/inputs {
		return fmt.Errorf("more than %d edges", maxEdges)
	}
	d.edges += inputs * outputs
	d.stripped = appendBytes(d.stripped, 1, out)
	d.nodes = append(d.nodes, n)
	return d.spend(len(n.name) + len(n.domain))
}

// parseAttr reads an AttributeProto: a plain one goes to out, a tensor to n.
func (d *decoder) parseAttr(f field, n *node, seen map[string]bool, out []byte) ([]byte, error) {
	b, err := f.bytes()
	if err != nil {
		return nil, err
	}
	name, typ, err := attrType(b)
	if err != nil {
		return nil, err
	}
	if seen[name] {
		return nil, fmt.Errorf("attribute %s occurs twice", graph.Name(name))
	}
	seen[name] = true

	value, ok := attrValues[typ]
	switch {
	case !ok:
		return nil, fmt.Errorf("attribute %s has no value of a known type", graph.Name(name))
	case value.plain:
		kept := appendString(nil, fieldAttrName, name)
		for f, err := range fields(b) {
			if err == nil && f.num == value.field {
				// onnx-go would take a value of the wrong wire type for none.
				if packed := typ > 5 && f.typ == protowire.BytesType; !packed {
					err = f.want(value.wire)
				}
				kept = append(kept, f.raw...)
			}
			if err != nil {
				return nil, fmt.Errorf("attribute %s: %w", graph.Name(name), err)
			}
		}
		kept = appendInt(kept, fieldAttrType, typ)
		return appendBytes(out, 5, kept), d.spend(len(kept))
	case typ == attrTensor:
		t, err := d.parseAttrTensor(b)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", graph.Name(name), err)
		}
		n.tensors = append(n.tensors, keptTensor{name, t})
		return out, d.spend(len(name) + 8*len(t.dims))
	case typ == attrGraph || typ == attrGraphs:
		n.refuse = fmt.Sprintf("sub-graphs (attribute %s) are not supported", graph.Name(name))
	default:
		n.refuse = fmt.Sprintf("the attribute %s is of a kind that is not supported", graph.Name(name))
	}
	return out, nil
}

// attrType returns name and type of an AttributeProto. Files of the first ONNX
// versions state no type: it follows from the field that is there.
func attrType(b []byte) (name string, typ int64, err error) {
	var found int64
	known := rules{
		{fieldAttrName, text(&name)},
		{fieldAttrType, number(&typ)},
		{fieldAttrRefName, func(field) error {
			return errors.New("an attribute refers to one of a function, outside any function")
		}},
	}
	for f, err := range fields(b) {
		if err == nil {
			err = known.one(f)
		}
		if err != nil {
			return "", 0, err
		}
		for t, v := range attrValues {
			if v.field == f.num {
				found = t
			}
		}
	}
	return name, cmp.Or(typ, found), nil
}

func (d *decoder) parseAttrTensor(b []byte) (t tensorProto, err error) {
	found := false
	err = rules{{attrValues[attrTensor].field, func(f field) error {
		if found {
			return errors.New("two tensors instead of one")
		}
		found = true
		b, err := f.bytes()
		if err == nil {
			t, err = parseTensor(b)
		}
		return err
	}}}.read(b)
	switch {
	case err != nil:
		return t, err
	case !found:
		return t, errors.New("the tensor is missing")
	}
	if d.attrTensors++; d.attrTensors > maxTensors {
		return t, fmt.Errorf("more than %d tensors", maxTensors)
	}
	return t, nil
}

// nameNodes names the nodes without name after their operator and number, and
// gives all but the first of several with one name a suffix.
func nameNodes(nodes []node) {
	taken := make(map[string]bool, len(nodes))
	var again []*node
	for i := range nodes {
		n := &nodes[i]
		switch {
		case n.name == "":
			n.name = n.op + "_" + strconv.Itoa(i)
			again = append(again, n)
		case taken[n.name]:
			again = append(again, n)
		default:
			taken[n.name] = true
		}
	}
	next := map[string]int{} // suffix to try for a name
	for _, n := range again {
		base := n.name
		for taken[n.name] {
			next[base]++
			n.name = base + "_" + strconv.Itoa(next[base])
		}
		taken[n.name] = true
	}
}
