package cnn

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/encoding/protowire"
)

// A builder writes an ONNX model of opset 17 whose input is x, a line a node:
//
//	y = Concat x x axis=1
//
// Constants are made by init; attributes are integers or, with commas, lists of
// integers.
type builder struct {
	graph []byte
	last  string // output of the last node
	nodes int
}

func field(num protowire.Number, parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
}

func text(num protowire.Number, s string) []byte { return field(num, []byte(s)) }

func number(num protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), uint64(v))
}

// input declares x.
func (b *builder) input(shape ...int64) *builder {
	var dims []byte
	for _, d := range shape {
		dims = append(dims, field(1, number(1, d))...)
	}
	b.graph = append(b.graph, field(11, text(1, "x"), field(2, field(1, number(1, 1), field(2, dims))))...)
	return b
}

// floats adds a constant whose elements are v.
func (b *builder) floats(name string, v float32, shape ...int64) *builder {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	raw := make([]byte, 4*n)
	for i := range n {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return b.tensor(name, 1, shape, raw)
}

// ints adds a vector of INT64.
func (b *builder) ints(name string, v ...int64) *builder {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	return b.tensor(name, 7, []int64{int64(len(v))}, raw)
}

// scalar adds an INT64 without dimensions.
func (b *builder) scalar(name string, v int64) *builder {
	return b.tensor(name, 7, nil, binary.LittleEndian.AppendUint64(nil, uint64(v)))
}

func (b *builder) tensor(name string, typ int64, shape []int64, raw []byte) *builder {
	b.graph = append(b.graph, field(5, tensorProto(name, typ, shape, raw))...)
	return b
}

func tensorProto(name string, typ int64, shape []int64, raw []byte) []byte {
	var t []byte
	for _, d := range shape {
		t = append(t, number(1, d)...)
	}
	t = append(t, number(2, typ)...)
	t = append(t, text(8, name)...)
	return append(t, text(9, string(raw))...)
}

// node adds what the line says.
func (b *builder) node(line string) *builder {
	f := strings.Fields(line)
	var n []byte
	for _, w := range f[3:] {
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			n = append(n, text(1, strings.Trim(w, "_"))...)
			continue
		}
		var ints []byte
		values := strings.Split(value, ",")
		for _, v := range values {
			var x int64
			fmt.Sscan(v, &x)
			if len(values) == 1 {
				ints = append(number(3, x), number(20, 2)...)
			} else {
				ints = append(ints, number(8, x)...)
			}
		}
		if len(values) > 1 {
			ints = append(ints, number(20, 7)...)
		}
		n = append(n, field(5, text(1, name), ints)...)
	}
	for _, o := range strings.Split(f[0], ",") {
		n = append(n, text(2, o)...)
	}
	b.last = f[0]
	return b.add(append(n, text(4, f[2])...))
}

// add adds a NodeProto.
func (b *builder) add(node []byte) *builder {
	b.graph = append(b.graph, field(1, node)...)
	b.nodes++
	return b
}

// chain adds n nodes, each of which takes the output of the one before, where
// the line has %s, under a name of its own.
func (b *builder) chain(n int, first, line string) *builder {
	at := first
	for range n {
		next := fmt.Sprintf("v%d", b.nodes)
		b.node(next + " = " + strings.ReplaceAll(line, "%s", at))
		at = next
	}
	return b
}

// model returns the file, of whose graph the outputs given are outputs.
func (b *builder) model(outputs ...string) []byte {
	graph := slices.Clip(b.graph)
	for _, o := range outputs {
		graph = append(graph, field(12, text(1, o))...)
	}
	return append(append(number(1, 8), field(8, number(2, 17))...), field(7, graph)...)
}

// openBytes opens a model in memory.
func openBytes(t testing.TB, model []byte, opt *Options) (*Net, error) {
	t.Helper()
	return OpenFS(fstest.MapFS{"m.onnx": {Data: model}}, "m.onnx", opt)
}
