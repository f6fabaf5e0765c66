package plan

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onetomany/caption/cnn/internal/onnx"
)

// TestNodeTimes prints where the time of a picture goes, on one thread: for
// each node of the model that CNN_MODEL names, its best of many runs, what
// it does and how fast; and the sums by kind.
func TestNodeTimes(t *testing.T) {
	path := os.Getenv("CNN_MODEL")
	if path == "" {
		t.Skip("CNN_MODEL is not set")
	}
	g, err := onnx.Open(path, onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(g.Graph, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.newState(p.net.base)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float32, p.net.input.len()), make([]float32, p.net.output.len())
	for i := range x {
		x[i] = float32(i*7919%1009)/504.5 - 1
	}
	if err := s.run(context.Background(), x, y); err != nil {
		t.Fatal(err)
	}
	s.lend(x, y)
	const rounds = 31
	times := make([][rounds]time.Duration, len(p.net.nodes))
	for r := range rounds {
		for i, n := range p.net.nodes {
			start := time.Now()
			if err := n.op.run(s, n); err != nil {
				t.Fatal(err)
			}
			times[i][r] = time.Since(start)
		}
	}
	type sum struct {
		us   float64
		flop float64
		n    int
	}
	kinds, total := map[string]sum{}, 0.
	for i, n := range p.net.nodes {
		slices.Sort(times[i][:])
		us := float64(times[i][0].Nanoseconds()) / 1e3
		kind, flop := inWords(n)
		what := fmt.Sprint(n.out[0].shape)
		if len(n.in) > 0 {
			what = fmt.Sprint(n.in[0].shape, " -> ", n.out[0].shape)
		}
		if _, ok := n.op.(reshapeOp); !ok {
			fmt.Printf("%8.1f us %6.1f GFLOP/s  %-26s %s\n", us, flop/us/1e3, kind, what)
		}
		kind = strings.Fields(kind)[0]
		k := kinds[kind]
		kinds[kind] = sum{k.us + us, k.flop + flop, k.n + 1}
		total += us
	}
	var names []string
	for k := range kinds {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int { return int(kinds[b].us - kinds[a].us) })
	for _, k := range names {
		v := kinds[k]
		fmt.Printf("%-12s %3d nodes %9.1f us %5.1f %% %6.1f GFLOP/s\n", k, v.n, v.us, 100*v.us/total, v.flop/v.us/1e3)
	}
	fmt.Printf("%.1f us\n", total)
}

// inWords names what n does, and gives its floating-point operations.
func inWords(n *node) (kind string, flop float64) {
	out := float64(n.out[0].len())
	of := func(e *epilogue) string {
		s := ""
		if e.residual {
			s += "+res"
		}
		if e.act.f != 0 {
			s += fmt.Sprint(" act", e.act.f)
		}
		return s
	}
	switch o := n.op.(type) {
	case *denseOp:
		gate := ""
		if o.gated {
			gate = " gated"
		}
		return fmt.Sprintf("dense %d×%d%s%s", o.k, o.n, gate, of(&o.epilogue)), 2 * out * float64(o.k)
	case *convOp:
		name := "conv"
		switch {
		case o.depthwise():
			name = "depthwise"
		case o.groups > 1:
			name = fmt.Sprint("grouped ", o.groups)
		}
		return fmt.Sprintf("%s %d×%d/%d%s", name, o.kh, o.kw, o.sh, of(&o.epilogue)), 2 * out * float64(o.c*o.kh*o.kw)
	case *chainOp:
		wide := float64(size(o.wide))
		flop := 2 * float64(size(o.deep)) * float64(o.depth.kh*o.depth.kw)
		what := fmt.Sprintf("chain %v %d×%d/%d", o.wide, o.depth.kh, o.depth.kw, o.depth.sh)
		switch f := o.first.op.(type) {
		case *denseOp:
			flop += 2 * wide * float64(f.k)
		case *convOp:
			flop += 2 * wide * float64(f.c*f.kh*f.kw)
		}
		if o.last != nil {
			flop += 2 * out * float64(o.last.k)
		}
		return what, flop
	case *genericOp:
		return o.node.Op, 0
	case *binaryOp:
		return fmt.Sprintf("binary %c act%d", o.op, o.act.f), out
	case *scaleOp:
		return fmt.Sprintf("scale act%d", o.act.f), 2 * out
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimLeft(fmt.Sprintf("%T", n.op), "*"), "plan."), "Op"), 0
}
