package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/element"
	"github.com/onetomany/caption/internal/weights"
)

// dataType is TensorProto.DataType.
type dataType int64

const (
	typeFloat   dataType = 1
	typeFloat16 dataType = 10
)

// listOf returns the field that has elements of a type instead of raw_data.
func listOf(t element.Type) protowire.Number {
	switch t {
	case element.F32:
		return fieldFloatData
	case element.F64:
		return fieldDoubleData
	case element.I64:
		return fieldInt64Data
	case element.U32, element.U64:
		return fieldUint64Data
	}
	return fieldInt32Data
}

// The fields of a TensorProto.
const (
	fieldDims         = 1
	fieldDataType     = 2
	fieldSegment      = 3
	fieldFloatData    = 4
	fieldInt32Data    = 5
	fieldInt64Data    = 7
	fieldTensorName   = 8
	fieldRawData      = 9
	fieldDoubleData   = 10
	fieldUint64Data   = 11
	fieldExternalData = 13
	fieldDataLocation = 14
)

const maxDim = math.MaxInt32

// tensorProto is a TensorProto, its data still in the file's bytes.
type tensorProto struct {
	name     string
	typ      dataType
	dims     []int64
	msg      []byte // the whole message
	raw      []byte // raw_data
	external bool
	where    location // of external data
}

// parseTensor reads a TensorProto, but not its data.
func parseTensor(msg []byte) (t tensorProto, err error) {
	t = tensorProto{msg: msg, dims: []int64{}, where: location{length: -1}}
	err = rules{
		{fieldDims, func(f field) (err error) {
			t.dims, err = appendVarints(t.dims, f, tensor.MaxRank)
			return within("dims", err)
		}},
		{fieldDataType, number(&t.typ)},
		{fieldSegment, func(field) error { return errors.New("a tensor in segments") }},
		{fieldTensorName, text(&t.name)},
		{fieldRawData, func(f field) (err error) {
			t.raw, err = f.bytes()
			return err
		}},
		{fieldExternalData, func(f field) error {
			k, v, err := parsePair(f)
			if err == nil {
				err = t.where.set(k, v)
			}
			if err != nil {
				return fmt.Errorf("%s: external_data: %w", graph.Name(t.name), err)
			}
			return nil
		}},
		{fieldDataLocation, func(f field) error {
			v, err := f.int()
			t.external = v == 1
			return err
		}},
	}.read(msg)
	return t, err
}

// appendVarints appends the packed or single varints of f, of which there may
// be limit in all.
func appendVarints(list []int64, f field, limit int) ([]int64, error) {
	if f.typ != protowire.VarintType {
		if err := f.want(protowire.BytesType); err != nil {
			return nil, err
		}
	}
	for v, err := range f.numbers() {
		if err != nil {
			return nil, err
		}
		if list = append(list, int64(v)); len(list) > limit {
			return nil, fmt.Errorf("more than %d", limit)
		}
	}
	return list, nil
}

// tensor decodes the data of t.
func (d *decoder) tensor(t *tensorProto) (*graph.Tensor, error) {
	e, ok := graph.ElementTypeOf(graph.ToInt(int64(t.typ)))
	switch {
	case e.Name == "":
		return nil, fmt.Errorf("unknown data type %d", t.typ)
	case !ok:
		return nil, &graph.UnsupportedError{Reason: fmt.Sprintf("tensor %s has type %s, which is not supported", graph.Name(t.name), e.Name)}
	}
	n, err := elementsOf(t.dims)
	if err != nil {
		return nil, err
	}
	raw, err := d.data(t, e, n)
	if err != nil {
		return nil, err
	}
	v := &graph.Tensor{Type: e.Type, Element: int(t.typ), Shape: make([]int, len(t.dims))}
	for i, d := range t.dims {
		v.Shape[i] = int(d)
	}
	if half := t.typ == typeFloat16; n >= minStored && (half || t.typ == typeFloat) {
		v.Stored = weights.Stored(raw, half)
		return v, nil
	}
	if err := d.out.Budget.Take(v.Bytes(), "tensor "+graph.Name(t.name)); err != nil {
		return nil, err
	}
	switch e.Type {
	case graph.Float:
		v.F = make([]float32, n)
		e.Raw.Floats(v.F, raw)
	case graph.Int:
		v.I = make([]int64, n)
		err = e.Raw.Ints(v.I, raw)
	case graph.Bool:
		v.B = make([]bool, n)
		for i := range v.B {
			v.B[i] = raw[i] != 0
		}
	}
	return v, err
}

// minStored is the number of elements from which on a tensor stays where it lies:
// a matrix of weights, not a bias.
const minStored = 4096

// elementsOf returns the number of elements of a tensor.
func elementsOf(dims []int64) (int64, error) {
	n := int64(1)
	for _, d := range dims {
		if d < 0 || d > maxDim {
			return 0, fmt.Errorf("a dimension of %d in %v", d, dims)
		}
		if d > 0 && n > math.MaxInt64/64/d {
			return 0, fmt.Errorf("%v has too many elements", dims)
		}
		n *= d
	}
	return n, nil
}

// data returns the n elements of t as raw_data has them, wherever they are.
func (d *decoder) data(t *tensorProto, e graph.ElementType, n int64) (raw []byte, err error) {
	switch {
	case t.external:
		raw, err = d.ext.data(t.where, e.Raw.Size(n))
	case len(t.raw) > 0:
		raw = t.raw
	default:
		raw, err = listData(t.msg, e.Raw, n)
	}
	if want := e.Raw.Size(n); err == nil && int64(len(raw)) != want {
		err = fmt.Errorf("%s %v takes %d bytes, there are %d", e.Name, t.dims, want, len(raw))
	}
	return raw, err
}

// listData returns the elements of a typed list (float_data, int32_data...) as
// raw_data would have them, at most n elements.
func listData(msg []byte, typ element.Type, n int64) ([]byte, error) {
	width, most, list := max(typ.Bits()/8, 1), typ.Size(n), listOf(typ)
	fixed := list == fieldFloatData || list == fieldDoubleData
	var raw []byte
	for f, err := range fields(msg) {
		if err != nil {
			return nil, err
		}
		packed := f.typ == protowire.BytesType
		switch {
		case f.num != list:
			continue
		case packed && fixed && raw == nil:
			raw = f.b // the usual case: one packed list, as it is
		case packed && fixed:
			raw = append(raw[:len(raw):len(raw)], f.b...)
		case !packed && fixed == (f.typ == protowire.VarintType):
			return nil, fmt.Errorf("corrupt protobuf: wire type %d in a list", f.typ)
		default:
			if raw == nil {
				raw = make([]byte, 0, min(most, 8*int64(len(f.b)+1)))
			}
			for v, err := range f.numbers() {
				if err != nil {
					return nil, err
				}
				if raw = binary.LittleEndian.AppendUint64(raw, v)[:len(raw)+width]; int64(len(raw)) > most {
					break
				}
			}
		}
		if int64(len(raw)) > most {
			return nil, fmt.Errorf("more than %d elements", n)
		}
	}
	return raw, nil
}
