package onnx

import (
	"slices"
	"testing/fstest"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	typeInt8   dataType = 3
	typeInt16  dataType = 5
	typeInt64  dataType = 7
	typeUint64 dataType = 13
)

// The functions of this file build protobuf messages, wrong ones too.

func str(num protowire.Number, s string) []byte { return appendString(nil, num, s) }
func num(num protowire.Number, v int64) []byte  { return appendInt(nil, num, v) }
func sub(num protowire.Number, fields ...[]byte) []byte {
	return appendBytes(nil, num, slices.Concat(fields...))
}

// modelOf returns a ModelProto, IR version 8, opset 13, with the given fields of its graph.
func modelOf(graph ...[]byte) []byte {
	return slices.Concat(num(1, 8), sub(8, str(1, ""), num(2, 13)), sub(7, graph...))
}

func nodeOf(op string, inputs, outputs []string, more ...[]byte) []byte {
	var f [][]byte
	for _, s := range inputs {
		f = append(f, str(1, s))
	}
	for _, s := range outputs {
		f = append(f, str(2, s))
	}
	return sub(1, append(append(f, str(4, op)), more...)...)
}

func inputOf(name string) []byte  { return sub(11, str(1, name)) }
func outputOf(name string) []byte { return sub(12, str(1, name)) }

// initOf returns an initialiser of the given type and shape; data are its other fields.
func initOf(name string, typ dataType, dims []int64, data ...[]byte) []byte {
	f := [][]byte{num(fieldDataType, int64(typ)), str(fieldTensorName, name)}
	for _, d := range dims {
		f = append(f, num(fieldDims, d))
	}
	return sub(5, append(f, data...)...)
}

func raw(b string) []byte { return str(fieldRawData, b) }

// outside returns the fields of a tensor with external data, from pairs of key and value.
func outside(pairs ...string) []byte {
	b := num(fieldDataLocation, 1)
	for i := 0; i < len(pairs); i += 2 {
		b = append(b, sub(fieldExternalData, str(1, pairs[i]), str(2, pairs[i+1]))...)
	}
	return b
}

// addW is a model that adds the initialiser w to x.
func addW(w []byte) []byte {
	return modelOf(inputOf("x"), outputOf("y"), w, nodeOf("Add", []string{"x", "w"}, []string{"y"}, str(3, "add")))
}

// files makes a file system of name, content, name, content...
func files(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}
