package onnx

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// refused reads m.onnx of fsys, and fails unless that gives a FormatError
// which names the file and contains want.
func refused(t *testing.T, fsys fs.FS, want string) {
	t.Helper()
	_, err := Read(fsys, "m.onnx", Limits{})
	var format *FormatError
	switch {
	case err == nil:
		t.Errorf("read, want an error with %q", want)
	case !errors.As(err, &format):
		t.Errorf("error %v is no FormatError", err)
	case !strings.HasPrefix(err.Error(), "m.onnx: ") || !strings.Contains(err.Error(), want):
		t.Errorf("error %q, want one with %q", err, want)
	}
}

func TestNotModel(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"empty", "", "an empty file"},
		{"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 102\n", "git lfs pull"},
		{"jpeg", "\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG picture"},
		{"png", "\x89PNG\r\n\x1a\n", "a PNG picture"},
		{"html", "\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page"},
		{"text", "a cat sits on a mat\n", "a text file"},
		{"utf-8", "ein Kätzchen — schön\n", "a text file"},
		{"zip", "PK\x03\x04\x00\x00", "torch.onnx.export"},
		{"tflite", "\x1c\x00\x00\x00TFL3\x14\x00", "TensorFlow Lite"},
		{"safetensors", "\x10\x00\x00\x00\x00\x00\x00\x00{\"a\":{}}", "safetensors"},
		{"zeros", "\x00\x00\x00\x00", "not an ONNX model"},
		{"noise", "\xfe\x01\x9c\x77\x00\x12", "not an ONNX model"},
		{"another message", string(str(2, "producer")), "holds no graph"},
	} {
		t.Run(tt.name, func(t *testing.T) { refused(t, files("m.onnx", tt.data), tt.want) })
	}
}

func TestNoFile(t *testing.T) {
	for _, name := range []string{"none.onnx", "dir/none.onnx"} {
		if _, err := Read(files("m.onnx", ""), name, Limits{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("Read: %v", err)
		}
		path := filepath.Join(t.TempDir(), name)
		if _, err := Open(path, Limits{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("Open: %v", err)
		}
	}
	if _, err := Open(t.TempDir(), Limits{}); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
}

// TestTruncated cuts a model at every byte: no prefix panics, and none reads,
// but those that end between the fields of the model.
func TestTruncated(t *testing.T) {
	b := addW(initOf("w", typeFloat, []int64{2}, raw("\x00\x00\x80\x3f\x00\x00\x00\x40")))
	for n := range b {
		if _, err := Read(files("m.onnx", string(b[:n])), "m.onnx", Limits{}); err == nil {
			t.Errorf("the first %d of %d bytes were read as a model", n, len(b))
		}
	}
}

func TestCorruptGraph(t *testing.T) {
	x, y := inputOf("x"), outputOf("y")
	relu := nodeOf("Relu", []string{"x"}, []string{"y"})
	for _, tt := range []struct {
		name  string
		model []byte
		want  string
	}{
		{"no nodes", modelOf(x, y), "the graph has no nodes"},
		{"no outputs", modelOf(x, relu), "the graph has no outputs"},
		{"no opset", slices.Concat(num(1, 8), sub(7, x, y, relu)), "imports no version"},
		{"opset 0", slices.Concat(modelOf(x, y, relu), sub(8, num(2, 0))), "imports version 0"},
		{"no operator", modelOf(x, y, nodeOf("", []string{"x"}, []string{"y"})), "no operator"},
		{"node without outputs", modelOf(x, y, relu, nodeOf("Relu", []string{"x"}, nil)), "node 1: Relu without outputs"},
		{"node with outputs left out", modelOf(x, y, relu, nodeOf("Relu", []string{"x"}, []string{""}, str(3, "r"))), `node "r" (Relu) has no outputs`},
		{"undefined input", modelOf(x, y, nodeOf("Add", []string{"x", "z"}, []string{"y"}, str(3, "add"))), `node "add" (Add) reads "z", which nothing produces`},
		{"undefined output", modelOf(x, outputOf("z"), relu), `nothing produces the graph's output "z"`},
		{"output without name", modelOf(x, outputOf(""), relu), `nothing produces the graph's output ""`},
		{"assigned twice", modelOf(x, y, relu, relu), `node "Relu_1" (Relu) produces "y", which node "Relu_0" produces already`},
		{"assigned twice by one node", modelOf(x, y, nodeOf("Split", []string{"x"}, []string{"y", "y"})), "produces already"},
		{"input assigned", modelOf(x, y, relu, nodeOf("Relu", []string{"y"}, []string{"x"})), `produces "x", which an input or initialiser provides already`},
		{"two inputs of one name", modelOf(x, x, y, relu), `two graph inputs have the name "x"`},
		{"input without name", modelOf(inputOf(""), x, y, relu), "has no name"},
		{"two initialisers of one name", modelOf(x, y, relu, initOf("w", typeFloat, []int64{0}), initOf("w", typeFloat, []int64{0})), `two initialisers have the name "w"`},
		{"initialiser without name", modelOf(x, y, relu, initOf("", typeFloat, []int64{0})), "initialiser 0: it has no name"},
		{"reads itself", modelOf(x, y, nodeOf("Relu", []string{"y"}, []string{"y"})), "cycle"},
		{"cycle", modelOf(x, y, nodeOf("Add", []string{"x", "b"}, []string{"a"}), nodeOf("Relu", []string{"a"}, []string{"b"}), nodeOf("Relu", []string{"b"}, []string{"y"})), `cycle at or before node "Add_0"`},
		{"attribute twice", modelOf(x, y, nodeOf("Relu", []string{"x"}, []string{"y"}, sub(5, str(1, "a"), num(3, 1)), sub(5, str(1, "a"), num(3, 1)))), `attribute "a" occurs twice`},
		{"attribute without value", modelOf(x, y, nodeOf("Relu", []string{"x"}, []string{"y"}, sub(5, str(1, "a")))), `attribute "a" has no value of a known type`},
		{"attribute of unknown type", modelOf(x, y, nodeOf("Relu", []string{"x"}, []string{"y"}, sub(5, str(1, "a"), num(20, 99)))), `attribute "a" has no value of a known type`},
		{"attribute of another wire type", modelOf(x, y, nodeOf("Relu", []string{"x"}, []string{"y"}, sub(5, str(1, "a"), num(20, 6), num(7, 1)))), `attribute "a": corrupt protobuf: field 7`},
		{"name is not UTF-8", modelOf(x, y, nodeOf("Relu", []string{"\xff"}, []string{"y"})), "not valid UTF-8"},
		{"group", append(modelOf(x, y, relu), protowire.AppendTag(nil, 40, protowire.StartGroupType)...), "wire type 3"},
		{"edges", modelOf(x, y, nodeOf("Concat", make([]string, 3000), make([]string, 3000))), "edges"},
		{"huge dimension", modelOf(sub(11, str(1, "x"), sub(2, sub(1, sub(2, sub(1, num(1, math.MaxInt64)))))), y, relu), "a dimension of"},
	} {
		t.Run(tt.name, func(t *testing.T) { refused(t, files("m.onnx", string(tt.model)), tt.want) })
	}
}

func TestCorruptTensors(t *testing.T) {
	four := raw("\x00\x00\x80\x3f")
	for _, tt := range []struct {
		name string
		w    []byte
		want string
	}{
		{"no data", initOf("w", typeFloat, []int64{2}), `initialiser "w": FLOAT [2] takes 8 bytes, there are 0`},
		{"too little", initOf("w", typeFloat, []int64{2}, four), "FLOAT [2] takes 8 bytes, there are 4"},
		{"too much", initOf("w", typeFloat, []int64{}, raw("12345678")), "FLOAT [] takes 4 bytes, there are 8"},
		{"ragged", initOf("w", typeInt16, []int64{2}, raw("123")), "INT16 [2] takes 4 bytes, there are 3"},
		{"list too short", initOf("w", typeInt64, []int64{2}, num(fieldInt64Data, 1)), "INT64 [2] takes 16 bytes, there are 8"},
		{"list too long", initOf("w", typeInt64, []int64{1}, num(fieldInt64Data, 1), num(fieldInt64Data, 1)), "more than 1 elements"},
		{"list of another type", initOf("w", typeInt64, []int64{1}, num(fieldInt32Data, 1)), "there are 0"},
		{"list of another wire type", initOf("w", typeFloat, []int64{1}, num(fieldFloatData, 1)), "wire type 0 in a list"},
		{"negative", initOf("w", typeFloat, []int64{-1}, four), "a dimension of -1"},
		{"product overflows to 1", initOf("w", typeFloat, []int64{1 << 31, 1 << 31, 4}, four), "a dimension of 2147483648"},
		{"product overflows", initOf("w", typeFloat, []int64{1 << 30, 1 << 30, 1 << 30, 1 << 30}, four), "too many elements"},
		{"promised more than the limit", initOf("w", typeFloat, []int64{1 << 30, 4}, four), "takes 17179869184 bytes, there are 4"},
		{"rank", initOf("w", typeFloat, slices.Repeat([]int64{1}, 33), four), "dims: more than 32"},
		{"packed rank", initOf("w", typeFloat, nil, str(fieldDims, strings.Repeat("\x01", 1000)), four), "dims: more than 32"},
		{"segment", initOf("w", typeFloat, []int64{1}, sub(fieldSegment), four), "segments"},
		{"unknown type", initOf("w", 99, []int64{1}, four), "unknown data type 99"},
		{"UINT64 beyond INT64", initOf("w", typeUint64, []int64{1}, raw("\x00\x00\x00\x00\x00\x00\x00\x80")), "above the largest supported"},
	} {
		t.Run(tt.name, func(t *testing.T) { refused(t, files("m.onnx", string(addW(tt.w))), tt.want) })
	}
}

func TestUnsupported(t *testing.T) {
	x, y := inputOf("x"), outputOf("y")
	node := func(op string, more ...[]byte) []byte {
		return modelOf(x, y, nodeOf(op, []string{"x"}, []string{"y"}, append(more, str(3, "n"))...))
	}
	relu := nodeOf("Relu", []string{"x"}, []string{"y"})
	for _, tt := range []struct {
		name  string
		model []byte
		want  graph.UnsupportedError // its Reason is part of the error's
	}{
		{"If", node("If", sub(5, str(1, "then_branch"), sub(6), num(20, attrGraph))), graph.UnsupportedError{Op: "If", Node: "n", Opset: 13, Reason: "sub-graphs"}},
		{"If of IR 1", modelOf(x, y, relu, nodeOf("If", []string{"x"}, []string{"z"}, sub(5, str(1, "then_branch"), sub(6)))), graph.UnsupportedError{Op: "If", Node: "If_1", Opset: 13, Reason: "sub-graphs"}},
		{"sparse constant", node("Constant", sub(5, str(1, "sparse_value"), sub(22), num(20, 11))), graph.UnsupportedError{Op: "Constant", Node: "n", Opset: 13, Reason: "sparse_value"}},
		{"other domain", append(node("FusedConv", str(7, "com.microsoft")), sub(8, str(1, "com.microsoft"), num(2, 1))...),
			graph.UnsupportedError{Op: "com.microsoft.FusedConv", Node: "n", Opset: 1, Reason: "ONNX standard"}},
		{"function", append(node("silu", str(7, "pkg")), sub(25, str(1, "silu"), str(10, "pkg"))...),
			graph.UnsupportedError{Op: "pkg.silu", Node: "n", Opset: 0, Reason: "inline"}},
		{"string tensor", modelOf(x, y, relu, initOf("w", 8, []int64{1}, str(6, "s"))), graph.UnsupportedError{Reason: `tensor "w" has type STRING`}},
		{"sparse initialiser", modelOf(x, y, relu, sub(15)), graph.UnsupportedError{Reason: "sparse"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(files("m.onnx", string(tt.model)), "m.onnx", Limits{})
			var e *graph.UnsupportedError
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "m.onnx: ") {
				t.Fatalf("error %v", err)
			}
			if e.Op != tt.want.Op || e.Node != tt.want.Node || e.Opset != tt.want.Opset || !strings.Contains(e.Reason, tt.want.Reason) {
				t.Errorf("got %+v, want %+v", e, tt.want)
			}
		})
	}
}

func TestExternal(t *testing.T) {
	const data = "....\x00\x00\x80\x3f\x00\x00\x00\x40" // 1, 2 from byte 4 on
	sum := sha1.Sum([]byte(data))
	checksum := hex.EncodeToString(sum[:])
	dims := []int64{2}
	for _, tt := range []struct {
		name  string
		where []string
		want  string // the error; "" where it reads
	}{
		{"good", []string{"location", "w.bin", "offset", "4", "length", "8"}, ""},
		{"no length", []string{"location", "w.bin", "offset", "4"}, ""},
		{"dot", []string{"location", "./w.bin", "offset", "4"}, ""},
		{"folder below", []string{"location", "sub/w.bin", "offset", "4"}, ""},
		{"checksum", []string{"location", "w.bin", "offset", "4", "checksum", strings.ToUpper(checksum)}, ""},
		{"unknown key", []string{"location", "w.bin", "offset", "4", "basepath", "/etc"}, ""},
		{"wrong checksum", []string{"location", "w.bin", "offset", "4", "checksum", strings.Repeat("0", 40)}, "the file has SHA-1 " + checksum},
		{"no location", []string{"offset", "4"}, "no location"},
		{"missing", []string{"location", "none.bin"}, "it belongs beside the model"},
		{"parent", []string{"location", "../../etc/passwd"}, `external data "../../etc/passwd": refused`},
		{"parent in the middle", []string{"location", "sub/../../up.bin"}, "refused"},
		{"absolute", []string{"location", "/etc/passwd"}, "refused"},
		{"Windows parent", []string{"location", `..\w.bin`}, "refused"},
		{"Windows drive", []string{"location", "C:/w.bin"}, "refused"},
		{"NUL", []string{"location", "w.bin\x00"}, "refused"},
		{"the folder itself", []string{"location", "."}, "refused"},
		{"a folder", []string{"location", "sub"}, "is a folder"},
		{"too short", []string{"location", "w.bin", "offset", "8"}, "8 bytes at offset 8 end beyond the file's 12: it is cut off"},
		{"offset beyond the end", []string{"location", "w.bin", "offset", "9223372036854775807"}, "end beyond the file's 12"},
		{"lying length", []string{"location", "w.bin", "offset", "4", "length", "4"}, "the tensor takes 8 bytes, its length is given as 4"},
		{"huge length", []string{"location", "w.bin", "length", "9223372036854775807"}, "its length is given as 9223372036854775807"},
		{"negative offset", []string{"location", "w.bin", "offset", "-4"}, `offset: "-4" is not a number of bytes`},
		{"negative length", []string{"location", "w.bin", "length", "-1"}, `length: "-1" is not a number of bytes`},
		{"offset overflows", []string{"location", "w.bin", "offset", "18446744073709551620"}, "is not a number of bytes"},
		{"LFS pointer", []string{"location", "lfs.bin", "offset", "4096"}, "git lfs pull"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := files("dir/m.onnx", string(addW(initOf("w", typeFloat, dims, outside(tt.where...)))),
				"dir/w.bin", data, "dir/sub/w.bin", data, "up.bin", data, "etc/passwd", data,
				"dir/lfs.bin", "version https://git-lfs.github.com/spec/v1\n")
			dir, err := fs.Sub(fsys, "dir")
			if err != nil {
				t.Fatal(err)
			}
			if tt.want != "" {
				refused(t, dir, tt.want)
				return
			}
			for name, fsys := range map[string]fs.FS{"m.onnx": dir, "dir/m.onnx": fsys} {
				g, err := Read(fsys, name, Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if w := g.Init["w"].F; !slices.Equal(w, []float32{1, 2}) {
					t.Errorf("w is %v", w)
				}
			}
		})
	}
}

// TestLinks checks which symbolic links Open follows: the model itself may be
// one to anywhere, as in download caches, external data may not lead out.
func TestLinks(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "model")
	write := func(name, data string) {
		t.Helper()
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	link := func(old, new string) {
		t.Helper()
		if err := os.Symlink(old, filepath.Join(dir, new)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	model := func(location string) string {
		return string(addW(initOf("w", typeFloat, []int64{1}, outside("location", location))))
	}
	write("secret", "\x00\x00\x80\x3f")
	write("model/w.bin", "\x00\x00\x80\x3f")
	write("model/in.onnx", model("in.bin"))
	write("model/out.onnx", model("out.bin"))
	write("model/abs.onnx", model("abs.bin"))
	write("model/dir.onnx", model("up/secret"))
	write("blob", model("w.bin"))
	link("w.bin", "in.bin")
	link("../secret", "out.bin")
	link(filepath.Join(top, "secret"), "abs.bin")
	link("..", "up")
	link("../blob", "linked.onnx")

	for _, name := range []string{"in.onnx", "linked.onnx"} {
		if _, err := Open(filepath.Join(dir, name), Limits{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "out.onnx"), Limits{}); err == nil || !strings.Contains(err.Error(), "put the file itself beside the model") {
		t.Errorf("out.onnx: %v", err)
	}
	for _, name := range []string{"out.onnx", "abs.onnx", "dir.onnx"} {
		if _, err := Open(filepath.Join(dir, name), Limits{}); err == nil {
			t.Errorf("%s: read a file outside the model's folder", name)
		} else if !strings.Contains(err.Error(), "escapes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLimits(t *testing.T) {
	one := func(where ...string) []byte { return initOf("w", typeInt8, []int64{1000}, outside(where...)) }
	data := strings.Repeat("\x01", 1000)
	inside := addW(initOf("w", typeInt8, []int64{1000}, raw(data)))
	chain := func(nodes, inits, outputs int, name string) []byte {
		fields := [][]byte{nodeOf("Relu", []string{name}, []string{"r"}), initOf(name, typeFloat, []int64{0})}
		for i := range max(nodes, inits) - 1 {
			if i < nodes-1 {
				fields = append(fields, nodeOf("Relu", []string{name}, []string{fmt.Sprint("r", i)}))
			}
			if i < inits-1 {
				fields = append(fields, initOf(fmt.Sprint("i", i), typeFloat, []int64{0}))
			}
		}
		for range outputs {
			fields = append(fields, outputOf("r"))
		}
		return modelOf(fields...)
	}
	for _, tt := range []struct {
		name  string
		model []byte
		lim   Limits
		want  string
	}{
		{"file", inside, Limits{Bytes: 1000}, "bytes exceed the limit of 1000"},
		{"file and external data", addW(one("location", "w.bin")), Limits{Bytes: 1000}, "external data"},
		{"memory: an INT8 takes 8 bytes", inside, Limits{Memory: 7999}, "the limit is 8.0 kB"},
		{"memory of external data", addW(one("location", "w.bin")), Limits{Memory: 7999}, "takes 8.0 kB of memory"},
		{"many of all", chain(maxNodes, 10_000, maxOutputs, "x"), Limits{Bytes: 1000}, "bytes exceed the limit of 1000"},
		{"nodes", chain(maxNodes+1, 1, 1, "x"), Limits{}, "more than 20000 nodes"},
		{"outputs", chain(1, 1, maxOutputs+1, "x"), Limits{}, "more than 1000 outputs"},
		{"tensors", chain(1, maxTensors+1, 1, "x"), Limits{}, "more than 100000 tensors"},
		{"graph", chain(1, 1, 1, strings.Repeat("x", maxGraph)), Limits{}, "exceed the limit of 16777216 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := files("m.onnx", string(tt.model), "w.bin", data)
			if _, err := Read(fsys, "m.onnx", Limits{}); err != nil && tt.lim != (Limits{}) {
				t.Fatalf("within the default limits: %v", err)
			}
			if _, err := Read(fsys, "m.onnx", tt.lim); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
