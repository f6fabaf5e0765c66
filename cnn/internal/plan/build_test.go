package plan_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/exec"
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/plan"
)

// build makes a graph of lines such as
//
//	y = Conv x w:8,3,3,3 b:8 pads=1,1,1,1
//
// An input with a colon is a constant of that shape with random positive
// elements, one with an equals sign before its data a constant of integers:
// i=1,2. Nodes are called after their first output. The picture is x.
func build(t testing.TB, lines string, picture []int, outputs ...string) *graph.Graph {
	t.Helper()
	g := &graph.Graph{Opset: 17, Init: map[string]*graph.Tensor{},
		Inputs: []graph.Value{{Name: "x", Type: graph.Float, Shape: picture}}}
	for _, o := range outputs {
		g.Outputs = append(g.Outputs, graph.Value{Name: o, Type: graph.Float})
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		f := strings.Fields(line)
		n := &graph.Node{Outputs: strings.Split(f[0], ","), Op: f[2], Attrs: map[string]graph.Attr{}}
		n.Name = "node of " + n.Outputs[0]
		for j, w := range f[3:] {
			name, value, isAttr := strings.Cut(w, "=")
			constant, dims, isConst := strings.Cut(w, ":")
			switch {
			case isConst:
				c := &graph.Tensor{Type: graph.Float, Shape: []int{}}
				for _, d := range numbers(t, dims) {
					c.Shape = append(c.Shape, int(d))
				}
				for range c.Len() {
					c.F = append(c.F, 0.1+r.Float32()/4)
				}
				n.Inputs = append(n.Inputs, fmt.Sprintf("%s%d.%d", constant, i, j))
				g.Init[n.Inputs[len(n.Inputs)-1]] = c
			case isAttr && name == "i":
				v := numbers(t, value)
				n.Inputs = append(n.Inputs, fmt.Sprintf("i%d.%d", i, j))
				g.Init[n.Inputs[len(n.Inputs)-1]] = &graph.Tensor{Type: graph.Int, Shape: []int{len(v)}, I: v}
			case isAttr && strings.Contains("axis group transB keepdims", name):
				n.Attrs[name] = graph.Attr{I: numbers(t, value)[0]}
			case isAttr:
				n.Attrs[name] = graph.Attr{Ints: numbers(t, value)}
			default:
				n.Inputs = append(n.Inputs, w)
			}
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g
}

func numbers(t testing.TB, s string) (v []int64) {
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		v = append(v, n)
	}
	return v
}

// A compiled network is a plan with the program made of it.
type compiled struct {
	*plan.Plan
	program *exec.Program
}

func compile(g *graph.Graph, opt plan.Options) (*compiled, error) {
	return prepare(plan.Compile(g, opt))
}

func prepare(p *plan.Plan, err error) (*compiled, error) {
	if err != nil {
		return nil, err
	}
	x, err := exec.Prepare(p)
	return &compiled{p, x}, err
}

// features runs p into a new slice.
func (p *compiled) features(n int, x []float32, threads int) ([]float32, error) {
	y := make([]float32, n*p.Output.Len()/p.Base)
	return y, p.program.Run(context.Background(), n, x, y, threads)
}

// dump describes p, a line a node.
func dump(p *compiled) string {
	var b []byte
	for i, s := range p.Steps {
		b = fmt.Appendf(b, "%d %+v\n", i, s)
	}
	return string(b)
}
