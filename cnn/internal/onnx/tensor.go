package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/float16"
	"github.com/onetomany/caption/internal/weights"
)

// dataType is TensorProto.DataType.
type dataType int64

const (
	typeFloat    dataType = 1
	typeUint8    dataType = 2
	typeInt8     dataType = 3
	typeUint16   dataType = 4
	typeInt16    dataType = 5
	typeInt32    dataType = 6
	typeInt64    dataType = 7
	typeBool     dataType = 9
	typeFloat16  dataType = 10
	typeDouble   dataType = 11
	typeUint32   dataType = 12
	typeUint64   dataType = 13
	typeBfloat16 dataType = 16
	typeUint4    dataType = 21
	typeInt4     dataType = 22
)

// element describes a data type.
type element struct {
	name string
	kind graph.DType      // what it becomes; Invalid where it is not supported
	bits int              // of an element in raw_data
	list protowire.Number // the field that holds elements instead of raw_data
}

var elements = map[dataType]element{
	typeFloat:    {"FLOAT", graph.Float, 32, fieldFloatData},
	typeUint8:    {"UINT8", graph.Int, 8, fieldInt32Data},
	typeInt8:     {"INT8", graph.Int, 8, fieldInt32Data},
	typeUint16:   {"UINT16", graph.Int, 16, fieldInt32Data},
	typeInt16:    {"INT16", graph.Int, 16, fieldInt32Data},
	typeInt32:    {"INT32", graph.Int, 32, fieldInt32Data},
	typeInt64:    {"INT64", graph.Int, 64, fieldInt64Data},
	8:            {name: "STRING"},
	typeBool:     {"BOOL", graph.Bool, 8, fieldInt32Data},
	typeFloat16:  {"FLOAT16", graph.Float, 16, fieldInt32Data},
	typeDouble:   {"DOUBLE", graph.Float, 64, fieldDoubleData},
	typeUint32:   {"UINT32", graph.Int, 32, fieldUint64Data},
	typeUint64:   {"UINT64", graph.Int, 64, fieldUint64Data},
	14:           {name: "COMPLEX64"},
	15:           {name: "COMPLEX128"},
	typeBfloat16: {"BFLOAT16", graph.Float, 16, fieldInt32Data},
	17:           {name: "FLOAT8E4M3FN"},
	18:           {name: "FLOAT8E4M3FNUZ"},
	19:           {name: "FLOAT8E5M2"},
	20:           {name: "FLOAT8E5M2FNUZ"},
	typeUint4:    {"UINT4", graph.Int, 4, fieldInt32Data},
	typeInt4:     {"INT4", graph.Int, 4, fieldInt32Data},
	23:           {name: "FLOAT4E2M1"},
	24:           {name: "FLOAT8E8M0"},
	25:           {name: "UINT2"},
	26:           {name: "INT2"},
}

// size returns the bytes of n elements in raw_data; types of 4 bits are packed.
func (e element) size(n int64) int64 { return (n*int64(e.bits) + 7) / 8 }

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
	raw      field  // raw_data
	external bool
	where    location // of external data
}

// parseTensor reads a TensorProto, but not its data.
func parseTensor(msg []byte, maxRank int) (t tensorProto, err error) {
	t = tensorProto{msg: msg, dims: []int64{}, where: location{length: -1}}
	for f, err := range fields(msg) {
		if err != nil {
			return t, err
		}
		switch f.num {
		case fieldDims:
			if t.dims, err = appendVarints(t.dims, f, maxRank); err != nil {
				return t, fmt.Errorf("dims: %w", err)
			}
		case fieldDataType:
			v, err := f.int()
			if err != nil {
				return t, err
			}
			t.typ = dataType(v)
		case fieldSegment:
			return t, errors.New("a tensor in segments")
		case fieldTensorName:
			if t.name, err = f.str(); err != nil {
				return t, err
			}
		case fieldRawData:
			if _, err := f.bytes(); err != nil {
				return t, err
			}
			t.raw = f
		case fieldExternalData:
			k, v, err := parsePair(f)
			if err == nil {
				err = t.where.set(k, v)
			}
			if err != nil {
				return t, fmt.Errorf("%s: external_data: %w", graph.Name(t.name), err)
			}
		case fieldDataLocation:
			v, err := f.int()
			if err != nil {
				return t, err
			}
			t.external = v == 1
		}
	}
	return t, nil
}

// appendVarints appends the packed or single varints of f, of which there may
// be limit in all.
func appendVarints(list []int64, f field, limit int) ([]int64, error) {
	if f.typ == protowire.VarintType {
		list = append(list, int64(f.v))
	} else if err := f.want(protowire.BytesType); err != nil {
		return nil, err
	}
	for b := f.b; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		if list = append(list, int64(v)); len(list) > limit {
			break
		}
		b = b[n:]
	}
	if len(list) > limit {
		return nil, fmt.Errorf("more than %d", limit)
	}
	return list, nil
}

// tensor decodes the data of t.
func (m *decoder) tensor(t *tensorProto) (*graph.Tensor, error) {
	e, ok := elements[t.typ]
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
	raw, err := m.data(t, e, n)
	if err != nil {
		return nil, err
	}
	v := &graph.Tensor{Type: e.kind, Element: int(t.typ), Shape: make([]int, len(t.dims))}
	for i, d := range t.dims {
		v.Shape[i] = int(d)
	}
	if half := t.typ == typeFloat16; n >= minStored && (half || t.typ == typeFloat) {
		v.Stored = weights.Stored(raw, half)
		return v, nil
	}
	if err := m.out.Budget.Take(v.Bytes(), "tensor "+graph.Name(t.name)); err != nil {
		return nil, err
	}
	return v, decodeRaw(v, t.typ, raw, int(n))
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

// inRaw reports whether the elements of t are in raw_data.
func (t *tensorProto) inRaw() bool { return !t.external && len(t.raw.b) > 0 }

// data returns the n elements of t as raw_data has them, wherever they are.
func (m *decoder) data(t *tensorProto, e element, n int64) (raw []byte, err error) {
	switch {
	case t.external:
		raw, err = m.ext.data(t.where, e.size(n))
	case t.inRaw():
		raw = t.raw.b
	default:
		raw, err = listData(t.msg, e, n)
	}
	if want := e.size(n); err == nil && int64(len(raw)) != want {
		err = fmt.Errorf("%s %v takes %d bytes, there are %d", e.name, t.dims, want, len(raw))
	}
	return raw, err
}

// listData returns the elements of a typed list (float_data, int32_data...) as
// raw_data would have them, at most n elements.
func listData(msg []byte, e element, n int64) ([]byte, error) {
	width := max(e.bits/8, 1)
	var raw []byte
	for f, err := range fields(msg) {
		if err != nil {
			return nil, err
		}
		if f.num != e.list {
			continue
		}
		if fixed := e.list == fieldFloatData || e.list == fieldDoubleData; fixed && f.typ == protowire.BytesType {
			if raw == nil {
				raw = f.b // the usual case: one packed list, as it is
			} else {
				raw = append(raw[:len(raw):len(raw)], f.b...)
			}
		} else if raw, err = appendList(raw, f, fixed, width, e.size(n)); err != nil {
			return nil, err
		}
		if int64(len(raw)) > e.size(n) {
			return nil, fmt.Errorf("more than %d elements", n)
		}
	}
	return raw, nil
}

// appendList appends the packed or single numbers of f, width bytes each, until
// there are more than limit bytes.
func appendList(raw []byte, f field, fixed bool, width int, limit int64) ([]byte, error) {
	if raw == nil {
		raw = make([]byte, 0, min(limit, 8*int64(len(f.b)+1)))
	}
	if f.typ != protowire.BytesType {
		if fixed == (f.typ == protowire.VarintType) {
			return nil, fmt.Errorf("corrupt protobuf: wire type %d in a list", f.typ)
		}
		return appendLow(raw, f.v, width), nil
	}
	for b := f.b; len(b) > 0 && int64(len(raw)) <= limit; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		raw = appendLow(raw, v, width)
		b = b[n:]
	}
	return raw, nil
}

// appendLow appends the low width bytes of v in little-endian order.
func appendLow(b []byte, v uint64, width int) []byte {
	var le [8]byte
	binary.LittleEndian.PutUint64(le[:], v)
	return append(b, le[:width]...)
}

// decodeRaw sets the data of v from n elements of type typ in raw, the length
// of which has been checked.
func decodeRaw(v *graph.Tensor, typ dataType, raw []byte, n int) error {
	switch v.Type {
	case graph.Float:
		v.F = make([]float32, n)
		decodeFloats(v.F, typ, raw)
	case graph.Int:
		v.I = make([]int64, n)
		return decodeInts(v.I, typ, raw)
	case graph.Bool:
		v.B = make([]bool, n)
		for i := range v.B {
			v.B[i] = raw[i] != 0
		}
	}
	return nil
}

func decodeFloats(dst []float32, typ dataType, raw []byte) {
	le := binary.LittleEndian
	switch typ {
	case typeFloat:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(raw[4*i:]))
		}
	case typeFloat16:
		for i := range dst {
			dst[i] = float16.ToFloat32(le.Uint16(raw[2*i:]))
		}
	case typeBfloat16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(le.Uint16(raw[2*i:])) << 16)
		}
	case typeDouble:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(le.Uint64(raw[8*i:])))
		}
	}
}

func decodeInts(dst []int64, typ dataType, raw []byte) error {
	le := binary.LittleEndian
	for i := range dst {
		switch typ {
		case typeInt8:
			dst[i] = int64(int8(raw[i]))
		case typeUint8:
			dst[i] = int64(raw[i])
		case typeInt16:
			dst[i] = int64(int16(le.Uint16(raw[2*i:])))
		case typeUint16:
			dst[i] = int64(le.Uint16(raw[2*i:]))
		case typeInt32:
			dst[i] = int64(int32(le.Uint32(raw[4*i:])))
		case typeUint32:
			dst[i] = int64(le.Uint32(raw[4*i:]))
		case typeInt64:
			dst[i] = int64(le.Uint64(raw[8*i:]))
		case typeUint64:
			u := le.Uint64(raw[8*i:])
			if u > math.MaxInt64 {
				return fmt.Errorf("element %d is %d, above the largest supported %d", i, u, int64(math.MaxInt64))
			}
			dst[i] = int64(u)
		case typeUint4:
			dst[i] = int64(raw[i/2] >> (i % 2 * 4) & 15)
		case typeInt4:
			dst[i] = int64(int8(raw[i/2]>>(i%2*4)<<4) >> 4)
		}
	}
	return nil
}
