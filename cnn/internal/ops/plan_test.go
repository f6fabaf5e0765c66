package ops_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/onetomany/caption/cnn/internal/exec"
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/onnx"
	"github.com/onetomany/caption/cnn/internal/plan"
)

// TestPlanned runs the node tests as networks for pictures, whose operators go by the
// rules and kernels of the engine where they have any: one input is a picture of one
// row that a Reshape gives its shape, the others are constants.
func TestPlanned(t *testing.T) {
	run, skip := 0, 0
	for _, file := range []string{"testdata/nodetests.zip", "testdata/ort.zip"} {
		cases := readCases(t, unzip(t, file)["cases.bin"])
		for _, name := range slices.Sorted(maps.Keys(cases)) {
			g := cases[name]
			if skipReason(name, map[string]bool{}) != "" {
				continue
			}
			for _, in := range g.Inputs {
				for _, out := range g.Outputs {
					if planned(t, name, g, in.Name, out.Name) {
						run++
					} else {
						skip++
					}
				}
			}
		}
	}
	t.Logf("%d inputs and outputs, %d left out", run, skip)
	if run < 2000 {
		t.Error("these are too few")
	}
}

// planned compares output out of g, computed with input in as the picture; it returns
// false where that makes no network.
func planned(t *testing.T, name string, g *onnx.Model, in, out string) bool {
	x, want := g.Init["in/"+in], g.Init["out/"+out]
	if x.Type != graph.Float || want.Type != graph.Float || x.Len() == 0 || want.Len() == 0 || g.Opset < 5 {
		return false
	}
	net := &graph.Graph{Opset: g.Opset, Init: maps.Clone(g.Init),
		Inputs:  []graph.Value{{Name: "picture", Type: graph.Float, Shape: []int{1, 1, 1, x.Len()}}},
		Outputs: []graph.Value{{Name: "feature", Type: graph.Float}}}
	for _, v := range g.Inputs {
		net.Init[v.Name] = g.Init["in/"+v.Name]
	}
	delete(net.Init, in)
	reshape := func(from, to string, shape []int) *graph.Node {
		t := &graph.Tensor{Type: graph.Int, Shape: []int{len(shape)}, I: []int64{}}
		for _, d := range shape {
			t.I = append(t.I, int64(d))
		}
		net.Init["shape of "+to] = t
		return &graph.Node{Name: "reshape to " + to, Op: "Reshape", Inputs: []string{from, "shape of " + to}, Outputs: []string{to}}
	}
	net.Nodes = slices.Concat([]*graph.Node{reshape("picture", in, x.Shape)}, g.Nodes, []*graph.Node{reshape(out, "feature", []int{1, want.Len()})})
	p, err := plan.Compile(net, plan.Options{Layer: "feature"})
	if err != nil {
		return false // say, a constant is missing, or the output does not depend on the picture
	}
	program, err := exec.Prepare(p)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return true
	}
	got := graph.Alloc(graph.Float, want.Shape)
	if err := program.Run(context.Background(), 1, x.F, got.F, 2); err != nil {
		t.Errorf("%s: %v", name, err)
		return true
	}
	tolerance := 5e-4
	if s, ok := g.Metadata["tolerance"]; ok {
		tolerance, _ = strconv.ParseFloat(s, 64)
	}
	t.Run(name+" of "+in, func(t *testing.T) { compareTensors(t, out, got, want, tolerance) })
	return true
}
