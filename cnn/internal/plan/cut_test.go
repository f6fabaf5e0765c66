package plan_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/plan"
)

var cuts = []struct {
	name    string
	layer   string
	lines   string
	outputs string
	feature string
	cut     string // last letters of the nodes' names
	shape   []int
}{{
	name: "pool, Flatten, Gemm, Softmax",
	lines: `a = Conv x w:8,3,3,3
		b = GlobalAveragePool a
		c = Flatten b
		d = Gemm c w:8,10 b:10
		e = Softmax d axis=1`,
	outputs: "e", feature: "c", cut: "d e", shape: []int{8},
}, {
	name: "the same to the map", layer: plan.Map,
	lines: `a = Conv x w:8,3,3,3
		b = Relu a
		c = GlobalAveragePool b
		d = Flatten c
		e = Gemm d w:8,10`,
	outputs: "e", feature: "b", cut: "c d e", shape: []int{6, 6, 8},
}, {
	name: "ReduceMean, Dropout, MatMul, Add",
	lines: `a = Conv x w:8,3,3,3
		b = ReduceMean a axes=2,3 keepdims=0
		c = Dropout b
		d = MatMul c w:8,10
		e = Add b:10 d`,
	outputs: "e", feature: "b", cut: "c d e", shape: []int{8},
}, {
	name: "1×1 Conv after the pool, scores reshaped",
	lines: `a = Conv x w:8,3,3,3
		b = AveragePool a kernel_shape=6,6
		c = Conv b w:10,8,1,1 b:10
		d = Reshape c i=-1,10
		e = LogSoftmax d`,
	outputs: "e", feature: "b", cut: "c d e", shape: []int{8},
}, {
	name: "a Conv over the whole map",
	lines: `a = Conv x w:8,3,3,3
		b = Conv a w:12,8,6,6
		c = Relu b
		d = Conv c w:10,12,1,1
		e = Squeeze d i=2,3`,
	outputs: "e", feature: "c", cut: "d e", shape: []int{12},
}, {
	name: "SqueezeNet: Conv, Relu, pool",
	lines: `a = Conv x w:8,3,3,3
		b = Dropout a
		c = Conv b w:10,8,1,1
		d = Relu c
		e = GlobalAveragePool d
		f = Flatten e`,
	outputs: "f", feature: "a", cut: "b c d e f", shape: []int{8},
}, {
	name: "as many scores as features, but a Softmax after",
	lines: `a = Conv x w:8,3,3,3
		b = Conv a w:32,8,1,1
		c = GlobalAveragePool b
		d = Flatten c
		e = Softmax d`,
	outputs: "e", feature: "a", cut: "b c d e", shape: []int{8},
}, {
	name: "feature extractor that ends with a 1×1 Conv",
	lines: `a = Conv x w:8,3,3,3
		b = Conv a w:64,8,1,1
		c = Relu b
		d = GlobalAveragePool c
		e = Flatten d`,
	outputs: "e", feature: "e", shape: []int{64},
}, {
	name: "feature extractor that ends with a map",
	lines: `a = Conv x w:8,3,3,3
		b = Relu a`,
	outputs: "b", feature: "b", shape: []int{8},
}, {
	name: "VGG",
	lines: `a = Conv x w:8,3,3,3
		b = MaxPool a kernel_shape=2,2 strides=2,2
		c = Flatten b
		d = Gemm c w:72,12 b:12
		e = Relu d
		f = Dropout e
		g = Gemm f w:12,10 b:10`,
	outputs: "g", feature: "e", cut: "f g", shape: []int{12},
}, {
	name: "VGG's map", layer: plan.Map,
	lines: `a = Conv x w:8,3,3,3
		b = MaxPool a kernel_shape=2,2 strides=2,2
		c = Flatten b
		d = Gemm c w:72,12 b:12
		e = Relu d
		f = Gemm e w:12,10 b:10`,
	outputs: "f", feature: "b", cut: "c d e f", shape: []int{3, 3, 8},
}, {
	name: "several outputs: the scores decide",
	lines: `a = Conv x w:8,3,3,3
		m = Identity a
		b = GlobalAveragePool m
		c = Flatten b
		d = Gemm c w:8,10`,
	outputs: "m c d", feature: "c", cut: "d", shape: []int{8},
}, {
	name: "an auxiliary classifier",
	lines: `a = Conv x w:8,3,3,3
		b = GlobalAveragePool a
		c = Flatten b
		d = Gemm c w:8,10
		e = Conv a w:4,8,3,3
		f = GlobalAveragePool e
		g = Flatten f
		h = Gemm g w:4,10`,
	outputs: "d h", feature: "g", cut: "h", shape: []int{4},
}, {
	name: "no scores among several outputs: the vector",
	lines: `a = Conv x w:8,3,3,3
		b = GlobalAveragePool a
		c = Flatten b`,
	outputs: "a c", feature: "c", shape: []int{8},
}, {
	name: "post-processing that is not supported",
	lines: `a = Conv x w:8,3,3,3
		b = GlobalAveragePool a
		c = Flatten b
		d = Gemm c w:8,10
		e = ZipMap d`,
	outputs: "d e", feature: "c", cut: "d", shape: []int{8},
}, {
	name: "a value", layer: "a",
	lines: `a = Conv x w:8,3,3,3
		b = GlobalAveragePool a`,
	outputs: "b", feature: "a", cut: "b", shape: []int{6, 6, 8},
}, {
	name: "a node", layer: "node of b",
	lines: `a = Conv x w:8,3,3,3
		b = GlobalAveragePool a
		c = Flatten b`,
	outputs: "c", feature: "b", cut: "c", shape: []int{8},
}, {
	name: "a map that has its channels last already", layer: "b",
	lines: `a = Conv x w:8,3,3,3
		b = Transpose a perm=0,2,3,1
		c = MatMul b w:8,4`,
	outputs: "c", feature: "b", cut: "c", shape: []int{6, 6, 8},
}}

func TestCut(t *testing.T) {
	for _, c := range cuts {
		t.Run(c.name, func(t *testing.T) {
			g := build(t, c.lines, []int{1, 3, 8, 8}, strings.Fields(c.outputs)...)
			p, err := compile(g, plan.Options{Layer: c.layer})
			if err != nil {
				t.Fatal(err)
			}
			var cut []string
			for _, n := range strings.Fields(c.cut) {
				cut = append(cut, "node of "+n)
			}
			if p.Feature != c.feature || !slices.Equal(p.Cut, cut) || !slices.Equal(p.FeatureShape, c.shape) {
				t.Fatalf("feature %q %v, cut %q; want %q %v, %q", p.Feature, p.FeatureShape, p.Cut, c.feature, c.shape, cut)
			}
			x := make([]float32, 3*8*8)
			for i := range x {
				x[i] = float32(math.Sin(float64(i)))
			}
			got, err := p.features(1, x, 1)
			if err != nil {
				t.Fatal(err)
			}
			want := evaluate(t, g, c.feature, x)
			if len(want.Shape) == 4 && !nhwcOutput(c.feature, g) {
				want.F = plan.Transposed(want.F, want.Shape, plan.ToNHWC)
			}
			if len(c.shape) == 1 && len(want.F) > c.shape[0] {
				want.F = averageRows(want.F, c.shape[0])
			}
			if d := difference(got, want.F); d > 1e-5 {
				t.Errorf("relative error %g", d)
			}
		})
	}
}

// nhwcOutput reports whether a value of g has its channels last in g itself.
func nhwcOutput(value string, g *graph.Graph) bool {
	i := slices.IndexFunc(g.Nodes, func(n *graph.Node) bool { return n.Outputs[0] == value })
	return g.Nodes[i].Op == "Transpose"
}

// averageRows returns the mean of rows of n values.
func averageRows(x []float32, n int) []float32 {
	y := make([]float32, n)
	for i, v := range x {
		y[i%n] += v * float32(n) / float32(len(x))
	}
	return y
}

// evaluate computes a value of g by package ops, leaving out what comes later.
func evaluate(t testing.TB, g *graph.Graph, value string, x []float32) *graph.Tensor {
	i := slices.IndexFunc(g.Nodes, func(n *graph.Node) bool { return n.Outputs[0] == value })
	part := *g
	part.Nodes = g.Nodes[:i+1]
	return reference(t, &part, value, g.Inputs[0].Shape, x)
}

func TestCutErrors(t *testing.T) {
	head := `a = Conv x w:8,3,3,3
		b = GlobalAveragePool a
		c = Flatten b
		d = Gemm c w:8,10
		`
	for _, c := range []struct{ layer, lines, outputs, want string }{
		{"flaten", head, "d", `no node or value is named "flaten" (nearest: `},
		{"node of z", head, "d", `"node of a"`},
		{"w0.1", head, "d", `no node or value is named "w0.1"`},
		{"e", head + "e = Shape a", "d", `constant`},
		{"", head + "e = Foo d", "e", `operator Foo (node "node of e", opset 17)`},
		{"", "a = Foo x\nb = Flatten a\nc = Gemm b w:8,10", "c", `operator Foo (node "node of a", opset 17)`},
		{"", "a = Conv x w:8,4,3,3\nb = Flatten a\nc = Gemm b w:8,10", "c", `node "node of a"`},
		{"", "a = Flatten x", "a", "the picture itself"},
		{plan.Map, "a = Flatten x\nb = Gemm a w:192,10\nc = Gemm b w:10,10", "c", "no feature map"},
	} {
		_, err := compile(build(t, c.lines, []int{1, 3, 8, 8}, c.outputs), plan.Options{Layer: c.layer})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("layer %q of %q: error %v, want one with %q", c.layer, c.lines, err, c.want)
		}
		var unsupported *graph.UnsupportedError
		if strings.Contains(c.want, "Foo") && !errors.As(err, &unsupported) {
			t.Errorf("%v is not an UnsupportedError", err)
		}
	}
}
