package onnx

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/float16"
	"github.com/onetomany/caption/internal/mmap"
)

// minHalf is the size from which on Float16 stores a tensor in half the space.
const minHalf = 256

// Float16 rewrites the model file name of fsys, which Read must be able to
// read: its FLOAT initialisers of two and more dimensions and 256 and more
// elements (weights, not biases and batch-norm statistics) are stored as
// FLOAT16, rounded to nearest even, each followed by a Cast back to FLOAT.
// The result is one self-contained file that any ONNX runtime reads; external
// data are merged in. A weight beyond the range of FLOAT16 is an error.
func Float16(fsys fs.FS, name string, lim Limits) (out []byte, err error) {
	defer calm(&err)
	err = mmap.Guard(func() error {
		out, err = halved(fsys, name, lim)
		return err
	})
	return out, err
}

func halved(fsys fs.FS, name string, lim Limits) ([]byte, error) {
	g, err := Read(fsys, name, lim)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	lim = lim.withDefaults()
	f, dir, err := openModel(fsys, name, lim.Bytes)
	if err != nil {
		return nil, err
	}
	r := halver{d: newDecoder(lim, dir, f), g: g, cast: map[string]bool{}}
	defer r.d.out.Close()
	out, err := r.model(f.Bytes)
	if err == nil {
		_, err = decode(&mmap.File{Bytes: out}, nil, lim) // it needs no other file now
	}
	if err != nil {
		return nil, wrap(name, err)
	}
	return out, nil
}

// halver rewrites a model for Float16.
type halver struct {
	d     *decoder        // for its budgets and external data
	g     *Model          // as read
	cast  map[string]bool // initialisers that are stored as FLOAT16
	taken map[string]bool // value names
}

func (r *halver) model(buf []byte) ([]byte, error) {
	if r.g.Opset < 6 {
		return nil, fmt.Errorf("opset %d has no Cast that could follow FLOAT16 weights; convert the model to opset 6 or later", r.g.Opset)
	}
	// From IR version 4 on initialisers need not be listed as inputs.
	out := appendInt(make([]byte, 0, len(buf)), 1, int64(max(r.g.IR, 4)))
	for f, err := range fields(buf) {
		if err != nil {
			return nil, err
		}
		switch f.num {
		case 1: // ir_version
		case 7: // graph
			g, err := r.graph(f.b)
			if err != nil {
				return nil, err
			}
			out = appendBytes(out, 7, g)
		default:
			out = append(out, f.raw...)
		}
	}
	return out, nil
}

func (r *halver) graph(b []byte) ([]byte, error) {
	var casts, inits, rest []byte
	for f, err := range fields(b) {
		if err != nil {
			return nil, err
		}
		if f.num != 5 { // initializer
			continue
		}
		t, err := parseTensor(f.b)
		if err != nil {
			return nil, err
		}
		node, tensor, err := r.tensor(&t)
		if err != nil {
			return nil, fmt.Errorf("initialiser %s: %w", graph.Name(t.name), err)
		}
		casts = append(casts, node...)
		inits = appendBytes(inits, 5, tensor)
	}
	for f, err := range fields(b) {
		if err != nil {
			return nil, err
		}
		switch f.num {
		case 5: // initializer
			continue
		case 11: // input
			v, err := parseValue(f)
			if err != nil {
				return nil, err
			}
			if r.cast[v.Name] {
				continue // produced by a Cast now
			}
		}
		rest = append(rest, f.raw...)
	}
	return append(append(casts, rest...), inits...), nil
}

// tensor returns t rewritten, and the graph's field with the Cast that belongs
// to it, if any.
func (r *halver) tensor(t *tensorProto) (node, tensor []byte, err error) {
	v := r.g.Init[t.name]
	half := t.typ == typeFloat && len(v.Shape) >= 2 && v.Len() >= minHalf
	if !half && !t.external {
		return nil, t.msg, nil
	}
	e, _ := graph.ElementTypeOf(graph.ToInt(int64(t.typ)))
	raw, err := r.d.data(t, e, int64(v.Len()))
	if err == nil { // it is copied from message to message, up to that of the model
		err = r.d.out.Budget.Take(4*int64(len(raw)), "tensor "+graph.Name(t.name))
	}
	if err != nil {
		return nil, nil, err
	}
	name := t.name
	if half {
		if raw, err = halve(raw); err != nil {
			return nil, nil, err
		}
		r.cast[t.name] = true
		name = r.fresh(t.name + "_fp16")
		node = appendBytes(nil, 1, castNode(name, t.name))
	}
	for _, d := range t.dims {
		tensor = appendInt(tensor, fieldDims, d)
	}
	typ := t.typ
	if half {
		typ = typeFloat16
	}
	tensor = appendInt(tensor, fieldDataType, int64(typ))
	tensor = appendString(tensor, fieldTensorName, name)
	return node, appendBytes(tensor, fieldRawData, raw), nil
}

// castNode returns a NodeProto that casts to FLOAT.
func castNode(in, out string) []byte {
	attr := appendString(nil, fieldAttrName, "to")
	attr = appendInt(attr, 3, int64(typeFloat))
	attr = appendInt(attr, fieldAttrType, attrInt)
	n := appendString(nil, 1, in)
	n = appendString(n, 2, out)
	n = appendString(n, 3, "Cast_"+in)
	n = appendString(n, 4, "Cast")
	return appendBytes(n, 5, attr)
}

// fresh makes name unlike those of all values.
func (r *halver) fresh(name string) string {
	if r.taken == nil {
		r.taken = map[string]bool{}
		for v := range r.g.Init {
			r.taken[v] = true
		}
		for _, v := range r.g.Inputs {
			r.taken[v.Name] = true
		}
		for _, n := range r.g.Nodes {
			for _, v := range n.Outputs {
				r.taken[v] = true
			}
		}
	}
	for r.taken[name] {
		name += "_"
	}
	r.taken[name] = true
	return name
}

// halve converts little-endian float32 to float16.
func halve(raw []byte) ([]byte, error) {
	out := make([]byte, 0, len(raw)/2)
	for i := 0; i < len(raw); i += 4 {
		f := math.Float32frombits(binary.LittleEndian.Uint32(raw[i:]))
		if float16.Overflows(f) {
			return nil, fmt.Errorf("element %d is %g, beyond the range of FLOAT16", i/4, f)
		}
		out = binary.LittleEndian.AppendUint16(out, float16.FromFloat32(f))
	}
	return out, nil
}
