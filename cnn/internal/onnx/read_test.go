package onnx

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
)

func open(t *testing.T, path string) *Model {
	t.Helper()
	g, err := Open(path, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestTypes reads initialisers of every element type, stored in every way, as
// the onnx package writes them.
func TestTypes(t *testing.T) {
	inf := float32(math.Inf(1))
	floats := map[string][]float32{
		"FLOAT":    {1.5, -2, 3.4e38, 1e-40, inf, 0},
		"FLOAT16":  {1.5, -2, 65504, 0x1p-24, -inf, 0},
		"BFLOAT16": {1.5, -2, 0x1p127, 0x1p-126, 0, 1},
		"DOUBLE":   {1.5, -2, 1e30, 1e-30, 0, 0.1},
	}
	ints := map[string][]int64{
		"INT8":   {1, -1, 127, -128, 0, 2},
		"UINT8":  {1, 255, 127, 128, 0, 2},
		"INT16":  {1, -1, 32767, -32768, 0, 2},
		"UINT16": {1, 65535, 32767, 32768, 0, 2},
		"INT32":  {1, -1, 1<<31 - 1, -1 << 31, 0, 2},
		"UINT32": {1, 1<<32 - 1, 1 << 31, 3, 0, 2},
		"INT64":  {1, -1, 1<<63 - 1, -1 << 63, 0, 2},
		"UINT64": {1, 1<<63 - 1, 1 << 32, 3, 0, 2},
		"INT4":   {1, -1, 7, -8, 0},
		"UINT4":  {1, 15, 7, 8, 0},
	}
	want := map[string]*graph.Tensor{
		"BOOL":   {Type: graph.Bool, Shape: []int{2, 3}, B: []bool{true, false, true, true, false, false}},
		"scalar": {Type: graph.Float, Shape: []int{}, F: []float32{7}},
		"empty":  {Type: graph.Float, Shape: []int{0, 3}, F: []float32{}},
	}
	for name, f := range floats {
		want[name] = &graph.Tensor{Type: graph.Float, Shape: []int{2, 3}, F: f}
	}
	for name, v := range ints {
		shape := []int{2, 3}
		if len(v) == 5 {
			shape = []int{5}
		}
		want[name] = &graph.Tensor{Type: graph.Int, Shape: shape, I: v}
	}

	g := open(t, "testdata/types.onnx")
	got := maps.Clone(g.Init)
	for _, n := range g.Nodes {
		got[n.Outputs[0]] = n.Attrs["value"].T
	}
	for name, w := range want {
		stored := []string{name + "_raw", name + "_list", name + "_attr"}
		if name == "scalar" || name == "empty" {
			stored = []string{name}
			w.Element = int(typeFloat)
		}
		for number := range 30 {
			if e, _ := graph.ElementTypeOf(number); e.Name == name {
				w.Element = number
			}
		}
		for _, s := range stored {
			if !reflect.DeepEqual(got[s], w) {
				t.Errorf("%s: got %+v, want %+v", s, got[s], w)
			}
			delete(got, s)
		}
	}
	for name := range got {
		t.Errorf("unexpected tensor %s", name)
	}
}

// TestForms reads what decoders are known to get wrong.
func TestForms(t *testing.T) {
	g := open(t, "testdata/forms.onnx")
	if g.Opset != 18 || g.IR != 8 || g.Producer != "make.py 1" {
		t.Errorf("opset %d, IR %d, producer %q", g.Opset, g.IR, g.Producer)
	}
	if want := map[string]string{"mean": "0.5,0.5,0.5", "labels": ""}; !maps.Equal(g.Metadata, want) {
		t.Errorf("metadata %v", g.Metadata)
	}
	if want := []graph.Value{{Name: "x", Type: graph.Float, Shape: []int{-1, 3, -1, -1}}}; !reflect.DeepEqual(g.Inputs, want) {
		t.Errorf("inputs %v, want %v", g.Inputs, want)
	}
	if want := []graph.Value{{Name: "out", Type: graph.Float}, {Name: "big", Type: graph.Float}}; !reflect.DeepEqual(g.Outputs, want) {
		t.Errorf("outputs %v, want %v", g.Outputs, want)
	}
	type attrs = map[string]graph.Attr
	want := map[string]*graph.Node{ // by their first output
		"y":         {Name: "Add_0", Op: "Add", Inputs: []string{"sum", "one"}, Outputs: []string{"y"}, Attrs: attrs{}},
		"xx":        {Name: "same", Op: "Mul", Inputs: []string{"x", "x"}, Outputs: []string{"xx"}, Attrs: attrs{}},
		"clipped":   {Name: "same_1", Op: "Clip", Inputs: []string{"xx", "", "six"}, Outputs: []string{"clipped"}, Attrs: attrs{}},
		"clipped2":  {Name: "Clip_4", Op: "Clip", Inputs: []string{"xx"}, Outputs: []string{"clipped2"}, Attrs: attrs{}},
		"unclipped": {Name: "Clip_4_1", Op: "Clip", Inputs: []string{"clipped"}, Outputs: []string{"unclipped"}, Attrs: attrs{}},
		"a":         {Name: "Split_5", Op: "Split", Inputs: []string{"unclipped"}, Outputs: []string{"a", "", "b"}, Attrs: attrs{"axis": {I: 1}, "num_outputs": {I: 3}}},
		"seven":     {Name: "x", Op: "Constant", Outputs: []string{"seven"}, Attrs: attrs{"value_float": {F: 7}}},
		"ints":      {Name: "Constant_7", Op: "Constant", Outputs: []string{"ints"}, Attrs: attrs{"value_ints": {Ints: []int64{1, 2}}}},
		"none":      {Name: "Constant_8", Op: "Constant", Outputs: []string{"none"}, Attrs: attrs{"value_ints": {}}},
		"floats":    {Name: "Constant_9", Op: "Constant", Outputs: []string{"floats"}, Attrs: attrs{"value_floats": {Floats: []float32{0.5, 1.5}}}},
		"noise": {Name: "RandomNormal_10", Op: "RandomNormal", Outputs: []string{"noise"},
			Attrs: attrs{"shape": {Ints: []int64{1}}, "dtype": {I: 1}, "mean": {F: 0.5}, "seed": {F: 1}}},
		"x/input": {Name: "Identity_11", Op: "Identity", Inputs: []string{"seven"}, Outputs: []string{"x/input"}, Attrs: attrs{}},
		"sum":     {Name: "Sum_12", Op: "Sum", Inputs: []string{"a", "b", "a", "seven", "x/input", "clipped2"}, Outputs: []string{"sum"}, Attrs: attrs{}},
		"out":     {Name: "Dropout_13", Op: "Dropout", Inputs: []string{"y"}, Outputs: []string{"out", "mask"}, Attrs: attrs{}},
		"big": {Name: "Resize_14", Op: "Resize", Inputs: []string{"x", "", "scales"}, Outputs: []string{"big"},
			Attrs: attrs{"mode": {S: "nearest"}, "coordinate_transformation_mode": {S: "asymmetric"}}},
	}
	if len(g.Nodes) != len(want) {
		t.Errorf("%d nodes, want %d", len(g.Nodes), len(want))
	}
	for _, n := range g.Nodes {
		if len(n.Inputs) == 0 {
			n.Inputs = nil
		}
		if !reflect.DeepEqual(n, want[n.Outputs[0]]) {
			t.Errorf("got %+v, want %+v", n, want[n.Outputs[0]])
		}
	}
	checkOrder(t, g)
}

// checkOrder fails unless every value is produced before it is read.
func checkOrder(t *testing.T, g *Model) {
	t.Helper()
	there := map[string]bool{"": true}
	for name := range g.Init {
		there[name] = true
	}
	for _, v := range g.Inputs {
		there[v.Name] = true
	}
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			if !there[in] {
				t.Errorf("%s reads %q before it is produced", n.Name, in)
			}
		}
		for _, out := range n.Outputs {
			there[out] = true
		}
	}
}

// TestExporters reads one net from both of PyTorch's exporters.
func TestExporters(t *testing.T) {
	weights := npy(t, "testdata/net.npy")
	sizes := []int{108, 4, 4, 4, 4, 32, 8, 40, 5} // conv; batch norm; conv, bias; linear, bias
	for _, tt := range []struct {
		file      string
		ir, opset int
		ops       []string
		batch     int
	}{
		{"ts.onnx", 6, 11, []string{"BatchNormalization", "Clip", "Constant", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "HardSigmoid", "Mul", "Softmax"}, -1},
		{"dyn.onnx", 10, 20, []string{"BatchNormalization", "CastLike", "Clip", "Concat", "Constant", "Conv", "Expand", "Gemm", "HardSwish", "ReduceMean", "Reshape", "Shape", "Softmax"}, 1},
	} {
		t.Run(tt.file, func(t *testing.T) {
			g := open(t, "testdata/"+tt.file)
			if g.IR != tt.ir || g.Opset != tt.opset {
				t.Errorf("IR %d, opset %d", g.IR, g.Opset)
			}
			if want := []string{"dyn.onnx.data"}; tt.file == "dyn.onnx" && !slices.Equal(g.External, want) {
				t.Errorf("external data %q, want %q", g.External, want)
			}
			ops := map[string]bool{}
			for _, n := range g.Nodes {
				ops[n.Op] = true
			}
			if got := slices.Sorted(maps.Keys(ops)); !slices.Equal(got, tt.ops) {
				t.Errorf("operators %q", got)
			}
			in := graph.Value{Name: "image", Type: graph.Float, Shape: []int{tt.batch, 3, 8, 8}}
			if !reflect.DeepEqual(g.Inputs, []graph.Value{in}) {
				t.Errorf("inputs %v, want %v", g.Inputs, in)
			}
			left := weights
			for _, n := range sizes {
				want := left[:n]
				left = left[n:]
				found := false
				for _, v := range g.Init {
					found = found || slices.Equal(v.F, want)
				}
				if !found {
					t.Errorf("no initialiser holds the %d weights %v...", n, want[:2])
				}
			}
		})
	}
}

// npy reads a float32 vector written by numpy.
func npy(t *testing.T, path string) []float32 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = b[10+int(binary.LittleEndian.Uint16(b[8:])):]
	f := make([]float32, len(b)/4)
	for i := range f {
		f[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return f
}

// TestShared reads the CNNs that lie beside the repository. The checksums over
// all float initialisers, in the order of their names, are from the onnx package.
func TestShared(t *testing.T) {
	for _, tt := range []struct {
		file          string
		nodes, inits  int
		opset, ir     int
		input, output string
		crc           uint32
	}{
		{"default-cnn/efficientnet-lite0.onnx", 95, 102, 13, 7, "image", "probabilities", 0x1c7dd5f7},
		{"default-cnn/efficientnet-lite2.onnx", 125, 132, 13, 7, "image", "probabilities", 0x655c8a70},
		{"models/mobilenetv2.onnx", 101, 108, 11, 6, "data", "features", 0x5bb4dcb7},
		{"models/squeezenet1.1.onnx", 68, 52, 11, 6, "data", "features", 0x1a790634},
	} {
		t.Run(tt.file, func(t *testing.T) {
			g := open(t, shared(t, tt.file))
			if len(g.Nodes) != tt.nodes || len(g.Init) != tt.inits || g.Opset != tt.opset || g.IR != tt.ir {
				t.Errorf("%d nodes, %d initialisers, opset %d, IR %d", len(g.Nodes), len(g.Init), g.Opset, g.IR)
			}
			if g.Inputs[0].Name != tt.input || g.Outputs[0].Name != tt.output {
				t.Errorf("input %v, output %v", g.Inputs, g.Outputs)
			}
			if crc := checksum(g); crc != tt.crc {
				t.Errorf("the initialisers' checksum is %#x, want %#x", crc, tt.crc)
			}
		})
	}
}

// shared returns the path of a file beside the repository.
func shared(t testing.TB, name string) string {
	path := filepath.Join("..", "..", "..", "..", "shared", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the data beside the repository are not there: %v", err)
	}
	return path
}

// checksum returns the CRC-32 of the float initialisers' bytes.
func checksum(g *Model) uint32 {
	h := crc32.NewIEEE()
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(g.Init)) {
		b = b[:0]
		for _, f := range g.Init[name].Floats() {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
		}
		h.Write(b)
	}
	return h.Sum32()
}

func BenchmarkOpen(b *testing.B) {
	path := shared(b, "default-cnn/efficientnet-lite2.onnx")
	for b.Loop() {
		if _, err := Open(path, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
