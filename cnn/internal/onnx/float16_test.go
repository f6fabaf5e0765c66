package onnx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/float16"
)

// TestFloat16 rewrites a model of which one weight is large enough, in all the
// places that a model of that kind names it.
func TestFloat16(t *testing.T) {
	w := make([]byte, 0, 4*minHalf)
	bias := strings.Repeat("\x00\x00\x80\x3f", minHalf)
	for i := range minHalf {
		w = binary.LittleEndian.AppendUint32(w, math.Float32bits(float32(i)/3))
	}
	build := func(w []byte) []byte {
		return modelOf(inputOf("w"), inputOf("x"), outputOf("y"),
			nodeOf("MatMul", []string{"x", "w"}, []string{"w_fp16"}), // the name that suggests itself
			nodeOf("Add", []string{"w_fp16", "b"}, []string{"z"}),
			nodeOf("Add", []string{"z", "c"}, []string{"y"}),
			w, initOf("b", typeFloat, []int64{minHalf}, raw(bias)), initOf("c", typeFloat, []int64{1, 1}, outside("location", "c.bin")))
	}
	for _, tt := range []struct {
		name string
		w    []byte
	}{
		{"inside", initOf("w", typeFloat, []int64{2, minHalf / 2}, raw(string(w)))},
		{"list", initOf("w", typeFloat, []int64{2, minHalf / 2}, str(fieldFloatData, string(w)))},
		{"external", initOf("w", typeFloat, []int64{2, minHalf / 2}, outside("location", "w.bin"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := files("m.onnx", string(build(tt.w)), "w.bin", string(w), "c.bin", "\x00\x00\x00\x40")
			out, err := Float16(fsys, "m.onnx", Limits{})
			if err != nil {
				t.Fatal(err)
			}
			g, err := Read(files("h.onnx", string(out)), "h.onnx", Limits{}) // without the data files
			if err != nil {
				t.Fatal(err)
			}
			checkOrder(t, g)
			if len(g.Inputs) != 1 || g.Inputs[0].Name != "x" || g.Init["w"] != nil {
				t.Errorf("inputs %v, initialisers %v", g.Inputs, g.Init)
			}
			if n := g.Nodes[0]; n.Op != "Cast" || n.Outputs[0] != "w" || n.Inputs[0] != "w_fp16_" || n.Int("to", 0) != 1 {
				t.Errorf("the first node is %+v", n)
			}
			half := g.Init["w_fp16_"]
			if half == nil || !slices.Equal(half.Shape, []int{2, minHalf / 2}) {
				t.Fatalf("the weights are %+v", half)
			}
			for i, f := range half.F {
				h := float16.FromFloat32(float32(i) / 3)
				if f != float16.ToFloat32(h) {
					t.Fatalf("element %d is %g, want %g", i, f, float16.ToFloat32(h))
				}
			}
			if b := g.Init["b"]; len(b.F) != minHalf || b.F[0] != 1 {
				t.Errorf("the bias is %v", b)
			}
			if c := g.Init["c"]; len(c.F) != 1 || c.F[0] != 2 {
				t.Errorf("c is %v", c)
			}
		})
	}

	copy(w[4:], "\x00\xf0\x7f\x47") // 65520
	_, err := Float16(files("m.onnx", string(build(initOf("w", typeFloat, []int64{minHalf, 1}, raw(string(w))))), "c.bin", "\x00\x00\x00\x40"), "m.onnx", Limits{})
	var format *FormatError
	if !errors.As(err, &format) || !strings.Contains(err.Error(), `initialiser "w": element 1 is 65520, beyond the range of FLOAT16`) {
		t.Errorf("overflow: %v", err)
	}
}

// TestFloat16Shared halves a real model and compares all its weights.
func TestFloat16Shared(t *testing.T) {
	path := shared(t, "default-cnn/efficientnet-lite0.onnx")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Float16(files("m.onnx", string(b)), "m.onnx", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) > len(b)*52/100 {
		t.Errorf("%d bytes of %d", len(out), len(b))
	}
	if again, err := Float16(files("m.onnx", string(b)), "m.onnx", Limits{}); err != nil || !bytes.Equal(out, again) {
		t.Errorf("a second run gives another file (%v)", err)
	}
	g, err := Read(files("h.onnx", string(out)), "h.onnx", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	whole := open(t, path)
	source := map[string]*graph.Tensor{}
	for _, n := range g.Nodes {
		if n.Op == "Cast" {
			source[n.Outputs[0]] = g.Init[n.Inputs[0]]
		}
	}
	for name, want := range whole.Init {
		got := g.Init[name]
		if got == nil {
			got = source[name]
		}
		if got == nil || !slices.Equal(got.Shape, want.Shape) {
			t.Fatalf("%s: got %v, want %v", name, got, want.Shape)
		}
		for i := range want.F {
			if d := math.Abs(float64(got.F[i] - want.F[i])); d > math.Abs(float64(want.F[i]))/2048+0x1p-25 {
				t.Fatalf("%s[%d]: got %g, want %g", name, i, got.F[i], want.F[i])
			}
		}
	}
}
