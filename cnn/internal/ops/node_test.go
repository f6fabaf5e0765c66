package ops_test

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/onnx"
	"github.com/onetomany/caption/cnn/internal/op"
	_ "github.com/onetomany/caption/cnn/internal/ops"
	_ "github.com/onetomany/caption/cnn/internal/ops/layers"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// skipped names the node tests of claimed operators that do not apply, with
// the reason; * stands for any text.
var skipped = []struct{ name, why string }{
	{"test_training_dropout*", "training"},
	{"test_maxpool_with_argmax_*", "output Indices"},

	{"test_cast*FLOAT8*", "8-bit floats"},
	{"test_cast*FLOAT4*", "4-bit floats"},
	{"test_cast*INT2*", "2-bit integers"},
	{"test_castlike_*_to_BFLOAT16*", "the target has been widened to float32"},
	{"test_castlike_*INT4*", "the target has been widened to int64"},
	{"test_*quantizelinear_e4m3fn*", "8-bit floats"},
	{"test_*quantizelinear_e5m2", "8-bit floats"},
	{"test_*quantizelinear_float4e2m1", "4-bit floats"},
	{"test_*quantizelinear_*int2", "2-bit integers"},
	{"test_equal_string*", "strings"},
	{"test_identity_sequence", "sequences"},
	{"test_identity_opt", "optional values"},

	{"test_bitshift_left_int*_overflow", "integers are wider here"},
	{"test_bitshift_left_int*_shift_ge_width", "integers are wider here"},

	{"test_attention_*past*", "past keys and values"},
	{"test_attention_*padded_kv*", "past keys and values"},
	{"test_attention_*nonpad*", "past keys and values"},
	{"test_attention_local_window_ext_cache_*", "past keys and values"},
	{"test_attention_*qk_matmul*", "output qk_matmul_output"},
	{"test_attention_local_window_gqa_rank4_mask", "output qk_matmul_output"},

	{"test_range_*_expanded", "the body is a Loop"},
	{"test_affine_grid_*_expanded", "the body is an If"},

	{"test_attention_*_expanded", large},
	{"test_averagepool_3d_default", large},
	{"test_maxpool_3d_default", large},
	{"test_lppool_3d_default", large},
	{"test_averagepool_3d_dilations_large_*", large},
	{"test_maxpool_3d_dilations_use_ref_impl_large", large},
	{"test_mish*", large},
	{"test_tile", large},
}

// large marks tests that nodetests.py --all packs, and that pass.
const large = "left out of the archive for its size"

var nodesFile = flag.String("nodes", "", "`file` of node tests to run instead of those in testdata, see testdata/nodetests.py")

// TestNodes runs the ONNX backend node tests. Every test of an operator that
// the registry has must be kept in the archive, or be listed in skipped.
func TestNodes(t *testing.T) {
	name := "testdata/nodetests.zip"
	if *nodesFile != "" {
		name = *nodesFile
	}
	files := unzip(t, name)
	cases := readCases(t, files["cases.bin"])
	var run, skip int
	used := map[string]bool{}
	for line := range strings.Lines(string(files["index.txt"])) {
		name, of, _ := strings.Cut(strings.TrimSpace(line), " ")
		g, ok := cases[name]
		why := skipReason(name, used)
		switch {
		case why != "" && !(why == large && ok):
			skip++
		case ok:
			run++
			t.Run(name, func(t *testing.T) { runCase(t, g) })
		case op.Get(of).Bind != nil:
			t.Errorf("%s, a test of %s, is neither in the archive nor listed as skipped", name, of)
		}
	}
	for _, s := range skipped {
		if !used[s.name] {
			t.Errorf("skipped: no test is named %s", s.name)
		}
	}
	t.Logf("%d node tests run, %d skipped", run, skip)
}

func skipReason(name string, used map[string]bool) string {
	for _, s := range skipped {
		if ok, _ := path.Match(s.name, name); ok {
			used[s.name] = true
			return s.why
		}
	}
	return ""
}

func unzip(t testing.TB, name string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return files
}

// readCases reads named models, see testdata/nodetests.py.
func readCases(t testing.TB, b []byte) map[string]*onnx.Model {
	t.Helper()
	cases := map[string]*onnx.Model{}
	for len(b) > 0 {
		next := func() []byte {
			n := binary.LittleEndian.Uint32(b)
			v := b[4 : 4+n]
			b = b[4+n:]
			return v
		}
		name, model := string(next()), next()
		g, err := onnx.Read(fstest.MapFS{"model.onnx": {Data: model}}, "model.onnx", onnx.Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for name, v := range g.Init {
			if err := v.Load(g.Budget, name); err != nil {
				t.Fatal(err)
			}
		}
		cases[name] = g
	}
	return cases
}

// runCase computes a graph twice: node by node with all inputs known, as for
// constants, and with the data of inputs known only where Bind asks for it.
func runCase(t *testing.T, g *onnx.Model) {
	known := map[string]*graph.Tensor{}
	shapes := map[string]*graph.Tensor{}
	for name, v := range g.Init {
		known[name], shapes[name] = v, v
	}
	for _, in := range g.Inputs {
		v := g.Init["in/"+in.Name]
		known[in.Name], shapes[in.Name] = v, &graph.Tensor{Type: v.Type, Element: v.Element, Shape: v.Shape}
	}
	for _, n := range g.Nodes {
		in, bare := inputsOf(n, known), inputsOf(n, shapes)
		out, err := op.Eval(n, g.Opset, in)
		if err != nil {
			t.Fatal(err)
		}
		k, err := op.Bind(n, g.Opset, bare)
		switch {
		case err == nil:
			again := make([]*graph.Tensor, len(k.Out))
			for i, o := range k.Out {
				again[i] = graph.Alloc(o.Type, o.Shape)
			}
			if err := k.Run(in, again, workers.Threads(2)); err != nil {
				t.Fatal(err)
			}
			for i := range out {
				compareTensors(t, n.Op+" bound to shapes only", again[i], out[i], 0)
			}
		case !errors.Is(err, op.ErrNotConstant):
			t.Fatal(err)
		}
		for i, name := range n.Outputs {
			if name != "" {
				known[name] = out[i]
				shapes[name] = &graph.Tensor{Type: out[i].Type, Element: out[i].Element, Shape: out[i].Shape}
			}
		}
	}
	tolerance := 5e-4
	if s, ok := g.Metadata["tolerance"]; ok {
		tolerance, _ = strconv.ParseFloat(s, 64)
	}
	for _, o := range g.Outputs {
		compareTensors(t, o.Name, known[o.Name], g.Init["out/"+o.Name], tolerance)
	}
}

func inputsOf(n *graph.Node, values map[string]*graph.Tensor) []*graph.Tensor {
	in := make([]*graph.Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		if name != "" {
			in[i] = values[name]
		}
	}
	return in
}

func compareTensors(t *testing.T, what string, got, want *graph.Tensor, tolerance float64) {
	t.Helper()
	if got.Type != want.Type || !slices.Equal(got.Shape, want.Shape) {
		t.Fatalf("%s: got %s, want %s", what, got.String(), want.String())
	}
	for i := range want.I {
		if got.I[i] != want.I[i] {
			t.Fatalf("%s[%d]: got %d, want %d", what, i, got.I[i], want.I[i])
		}
	}
	for i := range want.B {
		if got.B[i] != want.B[i] {
			t.Fatalf("%s[%d]: got %t, want %t", what, i, got.B[i], want.B[i])
		}
	}
	for i := range want.F {
		if x, y := float64(got.F[i]), float64(want.F[i]); !near(x, y, tolerance) {
			t.Fatalf("%s[%d]: got %g, want %g", what, i, x, y)
		}
	}
}

func near(x, y, tolerance float64) bool {
	switch {
	case math.IsNaN(y):
		return math.IsNaN(x)
	case math.IsInf(y, 0) || tolerance == 0:
		return x == y
	}
	return math.Abs(x-y) <= tolerance*(math.Abs(y)+0.01)
}

// TestRuntime compares single nodes of older operator sets, and more shapes of
// convolutions and poolings, with ONNX Runtime, see testdata/ort.py.
func TestRuntime(t *testing.T) {
	cases := readCases(t, unzip(t, "testdata/ort.zip")["cases.bin"])
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) { runCase(t, cases[name]) })
	}
}
