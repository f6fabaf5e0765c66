package plan_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// reference computes value out of g node by node, by package ops.
func reference(t testing.TB, g *graph.Graph, out string, shape []int, x []float32) *graph.Tensor {
	t.Helper()
	vals := map[string]*graph.Tensor{"x": {Type: graph.Float, Shape: shape, F: x}}
	for _, n := range g.Nodes {
		var in []*graph.Tensor
		for _, name := range n.Inputs {
			v := vals[name]
			if v == nil {
				v = g.Init[name]
			}
			in = append(in, v)
		}
		y, err := op.Eval(n, g.Opset, in)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range n.Outputs {
			vals[name] = y[i]
		}
	}
	return vals[out]
}

// TestRandom compares random networks with the same node by node. The seeds must lead
// to every operator that has a rule.
func TestRandom(t *testing.T) {
	seeds := 600
	if testing.Short() {
		seeds = 100
	}
	lowered := map[string]int{}
	defer plan.WatchRules(func(name string) { lowered[name]++ })()
	batchable, generic, nodes := 0, 0, 0
	for seed := range seeds {
		if only := os.Getenv("SEED"); only != "" && only != fmt.Sprint(seed) {
			continue
		}
		r := rand.New(rand.NewPCG(2, uint64(seed)))
		choices := make([]byte, 40+r.IntN(200))
		for i := range choices {
			choices[i] = byte(r.Uint32())
		}
		p := checkNetwork(t, choices)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		if p == nil {
			continue
		}
		if p.Batchable {
			batchable++
		}
		for _, n := range p.Nodes {
			nodes++
			if _, ok := n.Op.(*plan.Generic); ok {
				generic++
			}
		}
	}
	t.Logf("%d networks, %d in batches; %d of %d operators by package ops", seeds, batchable, generic, nodes)
	if os.Getenv("SEED") != "" {
		return
	}
	for _, name := range plan.Rules() {
		if lowered[name] == 0 && !testing.Short() {
			t.Errorf("no network has %s as its rule lowers it: add it to maker_test.go", name)
		}
	}
	if batchable < seeds/2 {
		t.Errorf("only %d of %d go through in batches", batchable, seeds)
	}
}

// checkNetwork compares a network compiled with the same node by node.
func checkNetwork(t testing.TB, choices []byte) *compiled {
	g, base := network(choices)
	out := g.Outputs[0].Name
	p, err := compile(g, plan.Options{Layer: out})
	if err != nil {
		if len(g.Nodes) > 0 && out != "x" {
			t.Logf("%v", err)
		}
		return nil
	}
	const pictures = 6
	per := p.Channels * p.Height * p.Width
	x := make([]float32, pictures*per)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	// The reference, by batches of the exporter's size.
	var want []float32
	shape := []int{base, p.Channels, p.Height, p.Width}
	for i := 0; i < pictures; i += base {
		y := reference(t, g, out, shape, x[i*per:][:base*per])
		if len(y.Shape) == 4 && tensor.Size(y.Shape[2:]) > 1 && !(g.Nodes[len(g.Nodes)-1].Op == "Transpose" && slices.Equal(g.Nodes[len(g.Nodes)-1].Ints("perm"), plan.ToNHWC)) {
			y.F = plan.Transposed(y.F, y.Shape, plan.ToNHWC)
		}
		want = append(want, y.F...)
	}
	for i, threads := range []int{1, 3, 2} {
		if p.Batchable {
			p.Group = []int{4, 4, base}[i]
		}
		got, err := p.features(pictures, x, threads)
		if err != nil {
			t.Errorf("%v", err)
		} else if d := difference(got, want); d > 1e-4 {
			t.Errorf("%d threads: relative error %.3g\n%s\n%s", threads, d, describe(g), dump(p))
		}
	}
	if base == 1 {
		got, err := p.features(1, x[:per], 1)
		if d := difference(got, want[:len(want)/pictures]); err != nil || d > 1e-4 {
			t.Errorf("one picture: relative error %.3g, %v\n%s\n%s", d, err, describe(g), dump(p))
		}
	}
	return p
}

// difference returns ‖a−b‖/‖b‖, 0 where b is not finite.
func difference(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var d, n float64
	for i := range a {
		d += math.Pow(float64(a[i])-float64(b[i]), 2)
		n += math.Pow(float64(b[i]), 2)
	}
	if math.IsNaN(n) || math.IsInf(n, 0) || n > 1e30 {
		return 0
	}
	return math.Sqrt(d) / max(math.Sqrt(n), 1e-3)
}

func describe(g *graph.Graph) string {
	s := fmt.Sprint(g.Inputs)
	for _, n := range g.Nodes {
		s += fmt.Sprintf("\n%s %v -> %v", n.Op, n.Inputs, n.Outputs)
		for k, a := range n.Attrs {
			s += fmt.Sprintf(" %s=%v", k, a)
		}
		for _, i := range n.Inputs {
			if t := g.Init[i]; t != nil {
				s += fmt.Sprint(" ", i, t.Shape, t.I)
			}
		}
	}
	return s
}
