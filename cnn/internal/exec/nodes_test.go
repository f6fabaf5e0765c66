package exec

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onetomany/caption/cnn/internal/onnx"
	"github.com/onetomany/caption/cnn/internal/plan"
)

// TestNodeTimes prints where the time of a picture goes, on one thread: for
// each step of the model that CNN_MODEL names, its best of many runs, what
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
	p, err := plan.Compile(g.Graph, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	prog, err := Prepare(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := prog.newState(p.Unit())
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float32, p.Input.Len()), make([]float32, p.Output.Len())
	for i := range x {
		x[i] = float32(i*7919%1009)/504.5 - 1
	}
	if err := s.run(context.Background(), x, y); err != nil {
		t.Fatal(err)
	}
	s.attach(x, y)
	best := make([]time.Duration, len(prog.steps))
	for round := range 31 { // of all steps, so that each finds the caches as it does in a run
		for i := range prog.steps {
			start := time.Now()
			if err := s.step(&prog.steps[i]); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); round == 0 || d < best[i] {
				best[i] = d
			}
		}
	}
	type sum struct {
		us, flop float64
		n        int
	}
	kinds, total := map[string]sum{}, 0.
	for i, d := range p.Steps {
		us := float64(best[i].Nanoseconds()) / 1e3
		flop := 2 * float64(d.MultiplyAdds)
		fmt.Printf("%8.1f us %6.1f GFLOP/s  %s %v, %s: %v -> %v\n", us, flop/us/1e3, d.Operator, d.Fused, d.Kernel, d.Inputs, d.Output)
		kind := strings.Fields(d.Operator)[0]
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
