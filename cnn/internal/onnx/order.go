package onnx

import (
	"errors"
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// link checks and establishes what users of g rely on: each value has one source, each
// value used has one, nodes come after those they read.
func link(g *graph.Graph) error {
	producer := make(map[string]int, len(g.Nodes)+len(g.Init)+len(g.Inputs)) // node, or -1
	for name := range g.Init {
		producer[name] = -1
	}
	for _, v := range g.Inputs {
		if v.Name == "" {
			return errors.New("a graph input has no name")
		}
		if _, ok := producer[v.Name]; ok {
			return fmt.Errorf("two graph inputs have the name %s", graph.Name(v.Name))
		}
		producer[v.Name] = -1
	}
	for i, n := range g.Nodes {
		if len(n.Outputs) == 0 {
			return fmt.Errorf("node %s (%s) has no outputs", graph.Name(n.Name), graph.Word(n.Op))
		}
		for _, out := range n.Outputs {
			if out == "" {
				continue
			}
			if j, ok := producer[out]; ok {
				return fmt.Errorf("node %s (%s) produces %s, which %s already", graph.Name(n.Name), graph.Word(n.Op), graph.Name(out), source(g, j))
			}
			producer[out] = i
		}
	}
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			if _, ok := producer[in]; !ok && in != "" {
				return fmt.Errorf("node %s (%s) reads %s, which nothing produces", graph.Name(n.Name), graph.Word(n.Op), graph.Name(in))
			}
		}
	}
	for _, v := range g.Outputs {
		if _, ok := producer[v.Name]; !ok {
			return fmt.Errorf("nothing produces the graph's output %s", graph.Name(v.Name))
		}
	}
	return sortNodes(g, producer)
}

func source(g *graph.Graph, i int) string {
	if i < 0 {
		return "an input or initialiser provides"
	}
	return fmt.Sprintf("node %s produces", graph.Name(g.Nodes[i].Name))
}

// sortNodes puts nodes after those they read (Kahn's algorithm), and keeps the
// file's order as far as that allows.
func sortNodes(g *graph.Graph, producer map[string]int) error {
	waits := make([]int, len(g.Nodes)) // number of inputs not produced yet
	readers := make([][]int, len(g.Nodes))
	sorted := true
	for i, n := range g.Nodes {
		for _, in := range n.Inputs {
			if j := producer[in]; in != "" && j >= 0 {
				waits[i]++
				readers[j] = append(readers[j], i)
				sorted = sorted && j < i
			}
		}
	}
	if sorted {
		return nil
	}
	order := make([]*graph.Node, 0, len(g.Nodes))
	var ready []int
	for i, w := range waits {
		if w == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		order = append(order, g.Nodes[i])
		for _, r := range readers[i] {
			if waits[r]--; waits[r] == 0 {
				ready = append(ready, r)
			}
		}
	}
	if len(order) < len(g.Nodes) {
		for i, w := range waits {
			if w > 0 {
				return fmt.Errorf("the graph has a cycle at or before node %s (%s)", graph.Name(g.Nodes[i].Name), graph.Word(g.Nodes[i].Op))
			}
		}
	}
	g.Nodes = order
	return nil
}
