package ops_test

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

func vec(v ...int64) *graph.Tensor {
	return &graph.Tensor{Type: graph.Int, Shape: []int{len(v)}, I: v}
}

func node(op string, attrs map[string]graph.Attr) *graph.Node {
	return &graph.Node{Name: "n1", Op: op, Attrs: attrs, Outputs: []string{"y"}}
}

func TestUnsupported(t *testing.T) {
	x := graph.Alloc(graph.Float, []int{1, 1, 4, 4})
	two := node("MaxPool", map[string]graph.Attr{"kernel_shape": {Ints: []int64{2, 2}}})
	two.Outputs = []string{"y", "indices"}
	for _, c := range []struct {
		node  *graph.Node
		opset int
		in    []*graph.Tensor
		want  string // in the reason
	}{
		{node("STFT", nil), 17, nil, ""},
		{node("Gelu", nil), 18, []*graph.Tensor{x}, "from opset 20 on"},
		{node("Upsample", nil), 11, []*graph.Tensor{x}, "opset 9 was the last"},
		{node("Relu", nil), op.NewestOpset + 1, []*graph.Tensor{x}, "newest opset known"},
		{two, 12, []*graph.Tensor{x}, "output 2"},
		{node("Cast", map[string]graph.Attr{"to": {I: 8}}), 13, []*graph.Tensor{x}, "element type 8"},
		{node("Resize", map[string]graph.Attr{"mode": {S: "linear"}}), 13,
			[]*graph.Tensor{graph.Alloc(graph.Int, []int{2}), nil, nil, vec(3)}, "linear interpolation of int"},
	} {
		_, err := op.Bind(c.node, c.opset, c.in)
		var u *graph.UnsupportedError
		if !errors.As(err, &u) {
			t.Errorf("%s: got %v, want an UnsupportedError", c.node.Op, err)
			continue
		}
		if u.Op != c.node.Op || u.Node != "n1" || u.Opset != c.opset || !strings.Contains(u.Reason, c.want) {
			t.Errorf("%s: got %+v, want the reason %q", c.node.Op, *u, c.want)
		}
	}
}

// TestLimits: nothing large is made on the way to refusing it.
func TestLimits(t *testing.T) {
	one := graph.Alloc(graph.Float, []int{1})
	huge := &graph.Tensor{Type: graph.Float, Shape: []int{1 << 16, 1 << 16}}
	for _, c := range []struct {
		op   string
		in   []*graph.Tensor
		want error
	}{
		{"Expand", []*graph.Tensor{one, vec(1000, 1000, 1000, 1000)}, tensor.ErrTooLarge},
		{"Expand", []*graph.Tensor{one, vec(1<<62, 4)}, tensor.ErrTooLarge},
		{"Expand", []*graph.Tensor{one, vec(1<<13, 1<<13)}, tensor.ErrTooLarge}, // for Eval
		{"ConstantOfShape", []*graph.Tensor{vec(0, 1<<40, 2)}, tensor.ErrTooLarge},
		{"Tile", []*graph.Tensor{one, vec(1 << 31)}, nil},
		{"Range", []*graph.Tensor{vec(0), vec(math.MaxInt64), vec(1)}, tensor.ErrTooLarge},
		{"Relu", []*graph.Tensor{huge}, tensor.ErrTooLarge},
		{"Reshape", []*graph.Tensor{one, {Type: graph.Int, Shape: []int{1}}}, op.ErrNotConstant},
	} {
		_, err := op.Eval(node(c.op, nil), 13, c.in)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.op, err, c.want)
		}
	}
	// What is large already may be folded.
	big := &graph.Tensor{Type: graph.Float, Shape: []int{op.MaxFold + 1}, F: make([]float32, op.MaxFold+1)}
	if _, err := op.Eval(node("Neg", nil), 13, []*graph.Tensor{big}); err != nil {
		t.Error(err)
	}
}

// TestHugeWindows: the taps of a window are counted before anything is divided by
// them, or taken for how long it takes.
func TestHugeWindows(t *testing.T) {
	for _, c := range []struct {
		op    string
		attrs map[string]graph.Attr
		in    []*graph.Tensor
	}{
		{"MaxPool", map[string]graph.Attr{"kernel_shape": {Ints: []int64{1 << 30, 1 << 30}}, "pads": {Ints: []int64{1 << 29, 1 << 29, 1 << 29, 1 << 29}}},
			[]*graph.Tensor{graph.Alloc(graph.Float, []int{1, 1, 16, 16})}},
		{"Col2Im", nil, []*graph.Tensor{graph.Alloc(graph.Float, []int{1, 8, 1}), vec(1, 1, 1), vec(1<<22, 1<<21, 1<<21)}},
		{"Col2Im", nil, []*graph.Tensor{graph.Alloc(graph.Float, []int{1, 8, 1}), vec(1, 1, 1), vec(1229673, 3935371, 7623851)}},
		{"Col2Im", nil, []*graph.Tensor{graph.Alloc(graph.Float, []int{1, 8, 1}), vec(1, 1), vec(0, 1)}},
	} {
		if _, err := op.Bind(node(c.op, c.attrs), 18, c.in); err == nil || strings.Contains(err.Error(), "runtime error") {
			t.Errorf("%s: error %v", c.op, err)
		}
	}
}

// TestData: what only the data tell is refused when the kernel runs.
func TestData(t *testing.T) {
	for _, c := range []struct {
		op string
		in []*graph.Tensor
	}{
		{"Gather", []*graph.Tensor{graph.Alloc(graph.Float, []int{3}), vec(3)}},
		{"Gather", []*graph.Tensor{graph.Alloc(graph.Float, []int{3}), vec(-4)}},
		{"GatherND", []*graph.Tensor{graph.Alloc(graph.Float, []int{3}), vec(math.MinInt64)}},
		{"GatherElements", []*graph.Tensor{graph.Alloc(graph.Float, []int{3}), vec(0, 5)}},
		{"Div", []*graph.Tensor{vec(1, 2), vec(1, 0)}},
		{"Mod", []*graph.Tensor{vec(1, 2), vec(0)}},
	} {
		if _, err := op.Eval(node(c.op, nil), 13, c.in); err == nil {
			t.Errorf("%s accepts %v", c.op, c.in[1].I)
		}
	}
}

// TestRun: a kernel takes nothing but what it was bound to.
func TestRun(t *testing.T) {
	x := graph.Alloc(graph.Float, []int{2, 3})
	k, err := op.Bind(node("Relu", nil), 13, []*graph.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	y := graph.Alloc(graph.Float, []int{2, 3})
	for _, c := range []struct{ in, out *graph.Tensor }{
		{nil, y},
		{graph.Alloc(graph.Float, []int{3, 2}), y},
		{graph.Alloc(graph.Int, []int{2, 3}), y},
		{&graph.Tensor{Type: graph.Float, Shape: []int{2, 3}}, y},
		{&graph.Tensor{Type: graph.Float, Shape: []int{2, 3}, F: make([]float32, 5)}, y},
		{x, graph.Alloc(graph.Float, []int{2, 2})},
	} {
		if err := k.Run([]*graph.Tensor{c.in}, []*graph.Tensor{c.out}, nil); err == nil {
			t.Errorf("runs on %v to %v", c.in, c.out)
		}
	}
	if err := k.Run([]*graph.Tensor{x}, []*graph.Tensor{nil}, nil); err != nil {
		t.Error(err)
	}
}

// TestConcurrent runs one kernel of each test case from several goroutines.
func TestConcurrent(t *testing.T) {
	for _, s := range sampleNodes(t) {
		k, err := op.Bind(s.node, s.opset, s.in)
		if err != nil {
			continue // of those that skipped lists
		}
		outs := make([][]*graph.Tensor, 3)
		var wg sync.WaitGroup
		for i := range outs {
			for _, o := range k.Out {
				outs[i] = append(outs[i], graph.Alloc(o.Type, o.Shape))
			}
			wg.Go(func() {
				if err := k.Run(s.in, outs[i], workers.Threads(i)); err != nil {
					t.Errorf("%s: %v", s.node.Op, err)
				}
			})
		}
		wg.Wait()
		for _, out := range outs[1:] {
			for j := range out {
				compareTensors(t, s.node.Op, out[j], outs[0][j], 0)
			}
		}
	}
}

func TestRounding(t *testing.T) {
	for _, c := range []struct{ x, half, bfloat float32 }{
		{1, 1, 1},
		{1 + 0x1p-11, 1, 1},                      // tie to even
		{1 + 3*0x1p-11, 1 + 0x1p-9, 1},           // tie to even, upwards
		{1 + 3*0x1p-8, 1 + 3*0x1p-8, 1 + 0x1p-6}, // tie of 8 bits
		{65519, 65504, 65536},
		{-65520, float32(math.Inf(-1)), -65536},
		{0x1p-24, 0x1p-24, 0x1p-24}, // smallest subnormal
		{0x1p-25, 0, 0x1p-25},
		{3 * 0x1p-25, 0x1p-23, 3 * 0x1p-25},
		{float32(math.Inf(1)), float32(math.Inf(1)), float32(math.Inf(1))},
		{math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(1))},
	} {
		if h := graph.ToFloat16(c.x); h != c.half {
			t.Errorf("float16 %g: got %g, want %g", c.x, h, c.half)
		}
		if b := graph.ToBfloat16(c.x); b != c.bfloat {
			t.Errorf("bfloat16 %g: got %g, want %g", c.x, b, c.bfloat)
		}
	}
	nan := float32(math.NaN())
	if h, b := graph.ToFloat16(nan), graph.ToBfloat16(nan); h == h || b == b || graph.Truncate(nan) != 0 {
		t.Errorf("NaN becomes %g, %g and %d", h, b, graph.Truncate(nan))
	}
	for x, want := range map[float32]int64{-1.9: -1, 1e30: math.MaxInt64, -1e30: math.MinInt64, 0.99: 0} {
		if got := graph.Truncate(x); got != want {
			t.Errorf("int64 of %g: got %d, want %d", x, got, want)
		}
	}
}
