package plan_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/onnx"
	"github.com/onetomany/caption/cnn/internal/plan"
)

// operators counts a plan's operators by kind, reshapes aside: they cost nothing.
func operators(p *compiled) string {
	count := map[string]int{}
	for _, n := range p.Nodes {
		kind := strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", n.Op), "*plan."))
		if o, ok := n.Op.(*plan.Generic); ok {
			kind = o.Operator()
		}
		count[kind]++
	}
	delete(count, "reshape")
	var list []string
	for kind, n := range count {
		list = append(list, fmt.Sprintf("%s %d", kind, n))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// TestPlans holds what the passes make of each architecture: the same whichever
// way it was exported, without operators of package ops, and without
// transpositions where the network itself has none.
func TestPlans(t *testing.T) {
	for name, want := range map[string]string{
		"convnext":     "conv 3, dense 4, mean 1, norm 2",
		"densenet":     "concat 2, conv 3, dense 1, mean 1, pool 1, scale 3",
		"efficientnet": "conv 2, dense 4, mean 2",
		"inception":    "concat 1, conv 3, dense 3, mean 1, pool 3",
		"mobilenet":    "conv 2, dense 4, mean 2",
		"resnet":       "conv 6, mean 1",
		"resnext":      "conv 3, dense 1, mean 1",
		"shufflenet":   "concat 1, conv 2, dense 2, mean 1, slice 2, transpose 1",
		"squeezenet":   "conv 1, mean 1",
		"vgg":          "conv 1, dense 1, pool 1, transpose 1",
	} {
		for _, way := range []string{"ts", "tsbn", "dyn"} {
			g, err := onnx.Open(filepath.Join("..", "..", "testdata", "mini", name+"-"+way+".onnx"), onnx.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := compile(g.Graph, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := operators(p); got != want {
				t.Errorf("%s-%s: %s; want %s", name, way, got, want)
			}
			if !p.Batchable {
				t.Errorf("%s-%s: pictures cannot go through together", name, way)
			}
		}
	}
}

// TestNHWC runs a network as TensorFlow exports it: pictures go in as [N,H,W,C],
// convolutions are between transpositions.
func TestNHWC(t *testing.T) {
	g := build(t, `a = Transpose x perm=0,3,1,2
		b = Conv a w:8,3,3,3 b:8 strides=2,2 pads=0,0,1,1
		c = Relu b
		d = Transpose c perm=0,2,3,1
		e = ReduceMean d axes=1,2 keepdims=0
		f = MatMul e w:8,10
		g = Softmax f`, []int{1, 8, 9, 3}, "g")
	p, err := compile(g, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !p.NHWC || p.Channels != 3 || p.Height != 8 || p.Width != 9 || p.Feature != "e" {
		t.Errorf("%+v", p.Info)
	}
	if got, want := operators(p), "conv 1, mean 1"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	x := make([]float32, 3*8*9) // [3,8,9]
	for i := range x {
		x[i] = float32(i%17) / 17
	}
	got, err := p.features(1, x, 1)
	want := evaluate(t, g, "e", plan.Transposed(x, []int{1, 3, 8, 9}, plan.ToNHWC))
	if d := difference(got, want.F); err != nil || d > 1e-5 {
		t.Errorf("relative error %g, %v", d, err)
	}
}

// TestOddities runs what is rare but valid: a constant in front of the pictures'
// channels, a mean whose axes its operator set does not know and which is over
// all, of a model exported for one picture.
func TestOddities(t *testing.T) {
	for _, lines := range []string{
		"a = Concat w:1,2,6,5 x axis=1\nb = Conv a w:4,5,1,1",
		"a = Concat w:1,3,6,5 x axis=0\nb = Conv a w:4,3,1,1",
		"a = Conv x w:4,3,1,1\nb = ReduceMean a i=2,3 keepdims=1",
	} {
		g := build(t, lines, []int{1, 3, 6, 5}, "b")
		p, err := prepare(plan.CompileUnguarded(g, plan.Options{Layer: "b"}))
		if err != nil {
			t.Errorf("%s: %v", lines, err)
			continue
		}
		x := make([]float32, 3*6*5)
		for i := range x {
			x[i] = float32(i%17) / 17
		}
		got, err := p.features(1, x, 2)
		want := evaluate(t, g, "b", x)
		if len(want.Shape) == 4 {
			want.F = plan.Transposed(want.F, want.Shape, plan.ToNHWC)
		}
		if d := difference(got, want.F); err != nil || d > 1e-5 {
			t.Errorf("%s: relative error %g, %v", lines, d, err)
		}
	}
}

// TestInput checks the choice of the picture's size.
func TestInput(t *testing.T) {
	body := "a = GlobalAveragePool x\nb = Flatten a"
	for _, c := range []struct {
		shape   []int
		h, w    int
		want    string
		c, y, z int
	}{
		{shape: []int{-1, 3, 30, 40}, c: 3, y: 30, z: 40},
		{shape: []int{1, 3, -1, -1}, c: 3, y: 224, z: 224},
		{shape: []int{-1, -1, -1, -1}, h: 32, w: 48, c: 3, y: 32, z: 48},
		{shape: []int{-1, 1, 28, 28}, h: 32, c: 1, y: 28, z: 28},
		{shape: nil, h: 16, w: 16, c: 3, y: 16, z: 16},
		{shape: []int{1, 3, 224}, want: "no input of four dimensions"},
		{shape: []int{1, 3, 1 << 20, 1 << 20}, want: "too large"},
		{shape: []int{1, 3, 0, 8}, want: "[1 3 0 8]"},
	} {
		p, err := compile(build(t, body, c.shape, "b"), plan.Options{Height: c.h, Width: c.w})
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: error %v, want %q", c.shape, err, c.want)
			}
		case err != nil:
			t.Errorf("%v: %v", c.shape, err)
		case p.Channels != c.c || p.Height != c.y || p.Width != c.z:
			t.Errorf("%v: %d×%d×%d", c.shape, p.Channels, p.Height, p.Width)
		}
	}
}

// TestInfo checks the counts of a small network.
func TestInfo(t *testing.T) {
	g := build(t, `a = Conv x w:8,3,3,3 b:8 pads=1,1,1,1
		b = BatchNormalization a s:8 b:8 m:8 v:8
		c = Conv b w:8,1,3,3 group=8
		d = Conv c w:16,8,1,1
		e = GlobalAveragePool d
		f = Flatten e
		g = Gemm f w:16,10 b:10`, []int{4, 3, 10, 10}, "g")
	p, err := compile(g, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(10*10*8*27 + 8*8*8*9 + 8*8*16*8); p.MultiplyAdds != want {
		t.Errorf("%d multiply-adds, want %d", p.MultiplyAdds, want)
	}
	if want := int64(8*27 + 8 + 16 + 8*9 + 16*8); p.Parameters != want {
		t.Errorf("%d parameters, want %d", p.Parameters, want)
	}
	if p.Batch != 4 || !p.Batchable {
		t.Errorf("batch %d, batchable %v", p.Batch, p.Batchable)
	}
	// The map after the first convolution and the next live at the same time.
	if want := int64(4 * (10*10*8 + 8*8*8)); p.PeakBytes < want || p.PeakBytes > 2*want {
		t.Errorf("%d bytes, want about %d", p.PeakBytes, want)
	}
}

// TestTruthValues: what is not a float is not transposed.
func TestTruthValues(t *testing.T) {
	g := build(t, `
c = Conv x w:8,3,3,3
g = Greater c k:1
r = Reshape g i=0,8,-1
y = Where r k:1 k:1
`, []int{1, 3, 8, 8}, "y")
	p, err := compile(g, plan.Options{Layer: "y"})
	if err != nil {
		t.Fatal(err)
	}
	y, err := p.features(1, make([]float32, 3*8*8), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := g.Init[g.Nodes[3].Inputs[2]].F[0] // 0 is not greater
	if slices.ContainsFunc(y, func(v float32) bool { return v != want }) {
		t.Errorf("got %v, want %g everywhere", y, want)
	}
}

// TestLargeConstants: what is too large to be computed beforehand is computed with the
// pictures, and does not become one.
func TestLargeConstants(t *testing.T) {
	g := build(t, `a = AveragePool c kernel_shape=1,2 pads=0,1,0,1
		b = GlobalAveragePool a
		d = Add x b
		y = Mul d d
		z = GlobalAveragePool y`, []int{1, 3, 4, 5}, "z")
	g.Init["c"] = &graph.Tensor{Type: graph.Float, Shape: []int{1, 1, 4096, 4096}, F: slices.Repeat([]float32{0.5}, 1<<24)}
	p, err := compile(g, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := dump(p); !strings.Contains(s, "pool 1×2") {
		t.Fatalf("the constant is not computed with the picture:\n%s", s)
	}
	x := make([]float32, 2*3*4*5)
	for i := range x {
		x[i] = float32(i/20) / 8 // one number in a channel
	}
	got, err := p.features(2, x, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, y := range got {
		if want := (float32(i)/8 + 0.5) * (float32(i)/8 + 0.5); math.Abs(float64(y-want)) > 1e-5 {
			t.Errorf("channel %d: %g, want %g", i, y, want)
		}
	}
}
