package onnx

import (
	"bytes"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// TestFromHalf compares all binary16 with the definition of the format.
func TestFromHalf(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		exp, frac := int(h>>10&31), float64(h&1023)
		want := math.Ldexp(1024+frac, exp-25)
		switch {
		case exp == 0:
			want = math.Ldexp(frac, -24)
		case exp == 31 && frac == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		}
		if h&0x8000 != 0 {
			want = -want
		}
		got := fromHalf(h)
		if math.Float32bits(got) != math.Float32bits(float32(want)) && !math.IsNaN(want) || math.IsNaN(want) && got == got {
			t.Fatalf("%#04x: got %g, want %g", h, got, want)
		}
		if back, ok := toHalf(got); !ok || back != h && got == got {
			t.Fatalf("%#04x: %g gives %#04x, %v", h, got, back, ok)
		}
	}
}

// TestToHalf checks the rounding between each binary16 and the next: below
// half the way down, above it up, on it to the even one.
func TestToHalf(t *testing.T) {
	for h := uint16(0); h < 0x7bff; h++ {
		lo, hi := fromHalf(h), fromHalf(h+1)
		mid := lo + (hi-lo)/2
		even := h + h&1
		for _, tt := range []struct {
			f    float32
			want uint16
		}{
			{math.Nextafter32(lo, hi), h}, {math.Nextafter32(mid, lo), h}, {mid, even},
			{math.Nextafter32(mid, hi), h + 1}, {math.Nextafter32(hi, lo), h + 1},
		} {
			if got, ok := toHalf(tt.f); !ok || got != tt.want {
				t.Fatalf("%g between %g and %g: got %#04x, want %#04x", tt.f, lo, hi, got, tt.want)
			}
			if got, ok := toHalf(-tt.f); !ok || got != tt.want|0x8000 {
				t.Fatalf("%g: got %#04x, want %#04x", -tt.f, got, tt.want|0x8000)
			}
		}
	}
	for _, f := range []float32{65520, math.MaxFloat32, -65520} {
		if h, ok := toHalf(f); ok {
			t.Errorf("%g gives %#04x, want an overflow", f, h)
		}
	}
	if h, ok := toHalf(math.Nextafter32(65520, 0)); !ok || h != 0x7bff {
		t.Errorf("just below 65520: %#04x, %v", h, ok)
	}
}

// TestFloat16 rewrites a model of which one weight is large enough, in all the
// places that a model of that kind names it.
func TestFloat16(t *testing.T) {
	w := make([]byte, 0, 4*minHalf)
	bias := strings.Repeat("\x00\x00\x80\x3f", minHalf)
	for i := range minHalf {
		w = appendLow(w, uint64(math.Float32bits(float32(i)/3)), 4)
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
				h, _ := toHalf(float32(i) / 3)
				if f != fromHalf(h) {
					t.Fatalf("element %d is %g, want %g", i, f, fromHalf(h))
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
