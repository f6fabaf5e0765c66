package onnx

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// The types of an AttributeProto.
const (
	attrFloat        = 1
	attrInt          = 2
	attrString       = 3
	attrTensorType   = 4
	attrGraph        = 5
	attrFloats       = 6
	attrInts         = 7
	attrStrings      = 8
	attrTensors      = 9
	attrGraphs       = 10
	attrSparse       = 11
	attrSparses      = 12
	attrTypeProto    = 13
	attrTypeProtos   = 14
	fieldAttrName    = 1
	fieldAttrTensor  = 5
	fieldAttrType    = 20
	fieldAttrRefName = 21
)

// attrField gives the field of an AttributeProto that holds a value of each type.
var attrField = map[int64]protowire.Number{
	attrFloat: 2, attrInt: 3, attrString: 4, attrTensorType: fieldAttrTensor, attrGraph: 6,
	attrFloats: 7, attrInts: 8, attrStrings: 9, attrTensors: 10, attrGraphs: 11,
	attrSparse: 22, attrSparses: 23, attrTypeProto: 14, attrTypeProtos: 15,
}

// parseNode reads a NodeProto, appends to m.stripped what onnx-go carries of
// it and to m.nodes the rest.
func (m *model) parseNode(f field) error {
	b, err := f.bytes()
	if err != nil {
		return err
	}
	if len(m.nodes) >= m.lim.Nodes {
		return fmt.Errorf("more than %d nodes", m.lim.Nodes)
	}
	var n node
	var out []byte
	var inputs, outputs int
	attrs := map[string]bool{}
	for f, err := range fields(b) {
		if err != nil {
			return err
		}
		switch f.num {
		case 1, 2, 4: // input, output, op_type
			s, err := f.str()
			if err != nil {
				return err
			}
			switch f.num {
			case 1:
				inputs++
			case 2:
				outputs++
			case 4:
				n.op = s
			}
			out = appendString(out, f.num, s)
			if err := m.spend(len(s)); err != nil {
				return err
			}
		case 3: // name
			if n.name, err = f.str(); err != nil {
				return err
			}
		case 7: // domain
			if n.domain, err = f.str(); err != nil {
				return err
			}
			n.domain = canonical(n.domain)
		case 5: // attribute
			if out, err = m.parseAttr(f, &n, attrs, out); err != nil {
				return fmt.Errorf("%s: %w", n.op, err)
			}
		}
	}
	switch {
	case n.op == "":
		return errors.New("it has no operator")
	case outputs == 0:
		return fmt.Errorf("%s without outputs", n.op)
	case inputs == 0:
		// onnx-go makes up an input for such a node, and a name that may be
		// taken; an input left out ("") keeps it from that.
		out = appendString(out, 1, "")
		inputs = 1
	}
	if m.edges += inputs * outputs; inputs > maxEdges || outputs > maxEdges || m.edges > maxEdges {
		return fmt.Errorf("more than %d edges", maxEdges)
	}
	m.stripped = appendBytes(m.stripped, 1, out)
	m.nodes = append(m.nodes, n)
	return m.spend(len(n.name) + len(n.domain))
}

// parseAttr reads an AttributeProto: a plain one goes to out, a tensor to n.
func (m *model) parseAttr(f field, n *node, seen map[string]bool, out []byte) ([]byte, error) {
	b, err := f.bytes()
	if err != nil {
		return nil, err
	}
	name, typ, err := attrType(b)
	if err != nil {
		return nil, err
	}
	if seen[name] {
		return nil, fmt.Errorf("attribute %q occurs twice", name)
	}
	seen[name] = true

	switch typ {
	case attrFloat, attrInt, attrString, attrFloats, attrInts, attrStrings:
		kept := appendString(nil, fieldAttrName, name)
		for f, err := range fields(b) {
			if err != nil {
				return nil, err
			}
			if f.num == attrField[typ] {
				kept = appendField(kept, f)
			}
		}
		kept = appendInt(kept, fieldAttrType, typ)
		return appendBytes(out, 5, kept), m.spend(len(kept))
	case attrTensorType:
		t, err := m.parseAttrTensor(b)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		n.tensors = append(n.tensors, attrTensor{name, t})
		return out, m.spend(len(name) + 8*len(t.dims))
	case attrGraph, attrGraphs:
		n.refuse = fmt.Sprintf("sub-graphs (attribute %q) are not supported", name)
	case attrTensors, attrSparse, attrSparses, attrTypeProto, attrTypeProtos:
		n.refuse = fmt.Sprintf("the attribute %q is of a kind that is not supported", name)
	default:
		return nil, fmt.Errorf("attribute %q has no value that could be understood", name)
	}
	return out, nil
}

// attrType returns name and type of an AttributeProto. Files of the first ONNX
// versions state no type: it follows from the field that is there.
func attrType(b []byte) (name string, typ int64, err error) {
	var found int64
	for f, err := range fields(b) {
		if err != nil {
			return "", 0, err
		}
		switch f.num {
		case fieldAttrName:
			name, err = f.str()
		case fieldAttrType:
			typ, err = f.int()
		case fieldAttrRefName:
			err = errors.New("an attribute refers to one of a function, outside any function")
		default:
			for t, num := range attrField {
				if num == f.num {
					found = t
				}
			}
		}
		if err != nil {
			return "", 0, err
		}
	}
	if typ == 0 {
		typ = found
	}
	return name, typ, nil
}

func (m *model) parseAttrTensor(b []byte) (t tensorProto, err error) {
	found := false
	for f, err := range fields(b) {
		if err != nil {
			return t, err
		}
		if f.num != fieldAttrTensor {
			continue
		}
		if found {
			return t, errors.New("two tensors instead of one")
		}
		found = true
		b, err := f.bytes()
		if err != nil {
			return t, err
		}
		if t, err = parseTensor(b, m.lim.Rank); err != nil {
			return t, err
		}
	}
	if !found {
		return t, errors.New("the tensor is missing")
	}
	if m.attrTensors++; m.attrTensors > m.lim.Tensors {
		return t, fmt.Errorf("more than %d tensors", m.lim.Tensors)
	}
	return t, nil
}
