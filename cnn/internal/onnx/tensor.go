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

// dataFormat describes a data type.
type dataFormat struct {
	name string
	kind graph.DType      // what they become; Invalid where they are not supported
	raw  element.Type     // as raw_data has them
	list protowire.Number // the field that has them instead of raw_data
}

var dataTypes = map[dataType]dataFormat{
	typeFloat:   {"FLOAT", graph.Float, element.F32, fieldFloatData},
	2:           {"UINT8", graph.Int, element.U8, fieldInt32Data},
	3:           {"INT8", graph.Int, element.I8, fieldInt32Data},
	4:           {"UINT16", graph.Int, element.U16, fieldInt32Data},
	5:           {"INT16", graph.Int, element.I16, fieldInt32Data},
	6:           {"INT32", graph.Int, element.I32, fieldInt32Data},
	7:           {"INT64", graph.Int, element.I64, fieldInt64Data},
	8:           {name: "STRING"},
	9:           {"BOOL", graph.Bool, element.Bool, fieldInt32Data},
	typeFloat16: {"FLOAT16", graph.Float, element.F16, fieldInt32Data},
	11:          {"DOUBLE", graph.Float, element.F64, fieldDoubleData},
	12:          {"UINT32", graph.Int, element.U32, fieldUint64Data},
	13:          {"UINT64", graph.Int, element.U64, fieldUint64Data},
	14:          {name: "COMPLEX64"},
	15:          {name: "COMPLEX128"},
	16:          {"BFLOAT16", graph.Float, element.BF16, fieldInt32Data},
	17:          {name: "FLOAT8E4M3FN"},
	18:          {name: "FLOAT8E4M3FNUZ"},
	19:          {name: "FLOAT8E5M2"},
	20:          {name: "FLOAT8E5M2FNUZ"},
	21:          {"UINT4", graph.Int, element.U4, fieldInt32Data},
	22:          {"INT4", graph.Int, element.I4, fieldInt32Data},
	23:          {name: "FLOAT4E2M1"},
	24:          {name: "FLOAT8E8M0"},
	25:          {name: "UINT2"},
	26:          {name: "INT2"},
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
	e, ok := dataTypes[t.typ]
	if !ok {
		return nil, fmt.Errorf("unknown data type %d", t.typ)
	}
	if e.kind == graph.Invalid {
		return nil, &graph.UnsupportedError{Reason: fmt.Sprintf("tensor %s has type %s, which is not supported", graph.Name(t.name), e.name)}
	}
	n, err := elementsOf(t.dims)
	if err != nil {
		return nil, err
	}
	raw, err := d.data(t, e, n)
	if err != nil {
		return nil, err
	}
	v := &graph.Tensor{Type: e.kind, Shape: make([]int, len(t.dims))}
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
	switch e.kind {
	case graph.Float:
		v.F = make([]float32, n)
		e.raw.Floats(v.F, raw)
	case graph.Int:
		v.I = make([]int64, n)
		err = e.raw.Ints(v.I, raw)
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
func (d *decoder) data(t *tensorProto, e dataFormat, n int64) (raw []byte, err error) {
	switch {
	case t.external:
		raw, err = d.ext.data(t.where, e.raw.Size(n))
	case len(t.raw) > 0:
		raw = t.raw
	default:
		raw, err = listData(t.msg, e, n)
	}
	if want := e.raw.Size(n); err == nil && int64(len(raw)) != want {
		err = fmt.Errorf("%s %v takes %d bytes, there are %d", e.name, t.dims, want, len(raw))
	}
	return raw, err
}

// listData returns the elements of a typed list (float_data, int32_data...) as
// raw_data would have them, at most n elements.
func listData(msg []byte, e dataFormat, n int64) ([]byte, error) {
	width, most := max(e.raw.Bits()/8, 1), e.raw.Size(n)
	fixed := e.list == fieldFloatData || e.list == fieldDoubleData
	var raw []byte
	for f, err := range fields(msg) {
		if err != nil {
			return nil, err
		}
		packed := f.typ == protowire.BytesType
		switch {
		case f.num != e.list:
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
