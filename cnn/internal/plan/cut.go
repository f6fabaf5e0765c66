package plan

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
)

// Layers with a meaning of their own; see package cnn.
const (
	Pooled = "pooled"
	Map    = "map"
)

// A feature is the place where the network ends.
type feature struct {
	value string   // what is returned
	pool  bool     // after a global average over the map
	cut   []string // nodes between it and the model's output
}

// feature finds the value that layer stands for.
func (m *model) feature(layer string) (feature, error) {
	if layer != "" && layer != Pooled && layer != Map {
		return m.named(layer)
	}
	out, head := m.head()
	f := feature{value: out}
	if head != nil {
		f.value = head.Inputs[0]
		for {
			d := m.def[f.value]
			if d == nil || op.Get(d.Op).Head != op.Passes {
				break
			}
			f.value = d.Inputs[0]
		}
	}
	if err := m.usable(f.value); err != nil {
		return f, err
	}
	if layer == Map {
		v, ok := m.lastMap(f.value)
		if !ok {
			return f, fmt.Errorf("layer %q: no feature map lies before %s", Map, graph.Name(f.value))
		}
		f.value = v
	} else {
		f.pool = spatial(m.val[f.value].Shape) > 1
	}
	if head != nil || layer == Map {
		f.cut = m.between(f.value, out)
	}
	return f, nil
}

// named finds the feature that a node's or value's name stands for.
func (m *model) named(layer string) (feature, error) {
	f := feature{value: layer}
	if m.def[layer] == nil {
		i := slices.IndexFunc(m.g.Nodes, func(n *graph.Node) bool { return n.Name == layer })
		if i < 0 || len(m.g.Nodes[i].Outputs) == 0 {
			return f, fmt.Errorf("no node or value is named %s%s", graph.Name(layer), m.near(layer))
		}
		f.value = m.g.Nodes[i].Outputs[0]
	}
	if err := m.usable(f.value); err != nil {
		return f, err
	}
	after := m.descendants(f.value)
	for _, o := range m.g.Outputs {
		if n := m.def[o.Name]; n == m.def[f.value] || after[n] {
			f.cut = m.between(f.value, o.Name)
			break
		}
	}
	return f, nil
}

// usable says why the value cannot be a feature.
func (m *model) usable(value string) error {
	t := m.val[value]
	switch {
	case t == nil && m.failed[value] != nil:
		return m.failed[value]
	case t == nil:
		return fmt.Errorf("value %s is not defined", graph.Name(value))
	case t.Known() || m.spent[value]:
		return fmt.Errorf("value %s is a constant: it does not depend on the picture", graph.Name(value))
	case t.Type != graph.Float:
		return fmt.Errorf("value %s does not hold real numbers", graph.Name(value))
	case t.Len() == 0:
		return fmt.Errorf("value %s is empty: its shape is %v", graph.Name(value), t.Shape)
	}
	return nil
}

// head finds the output that looks like class scores and the node that computes
// them from the features. Without such a node it returns the output that looks
// most like a feature vector, and nil.
func (m *model) head() (string, *graph.Node) {
	var out string
	var head *graph.Node
	deepest := -1
	depth := m.depths()
	for _, o := range m.g.Outputs {
		if n := m.classifier(o.Name); n != nil {
			// Auxiliary classifiers hang on earlier layers.
			if d := depth[n]; d > deepest {
				out, head, deepest = o.Name, n, d
			}
		}
	}
	if head != nil {
		return out, head
	}
	for _, o := range m.g.Outputs {
		if t := m.val[o.Name]; t != nil && !t.Known() && t.Type == graph.Float && len(t.Shape) == 2 {
			return o.Name, nil
		}
	}
	if len(m.g.Outputs) == 0 {
		return "", nil
	}
	return m.g.Outputs[0].Name, nil
}

// classifier walks back from an output over what only reshapes or normalises
// scores to the layer that computes them: a Gemm, MatMul or convolution with
// constant weights. nil means that the output is not made of class scores.
//
// A 1×1 convolution over the whole map, averaged afterwards (SqueezeNet), looks
// like the last convolution of a feature extractor (MobileNet without its
// classifier). It counts as class scores if a Softmax follows, or if the number
// of its channels is not a multiple of 32, as that of feature channels is.
func (m *model) classifier(out string) *graph.Node {
	const most = 100 // nodes of a head
	softmax, pooled := false, false
	v := out
	for range most {
		n := m.def[v]
		if n == nil || m.isConst(v) || len(n.Inputs) == 0 {
			return nil
		}
		switch op.Get(n.Op).Head {
		case op.Normalises:
			softmax = true
		case op.Passes, op.Reshapes:
		case op.Averages:
			pooled = true
		case op.Rectifies:
			if !pooled {
				return nil
			}
		case op.Permutes:
			if t := m.val[v]; t == nil || spatial(t.Shape) > 1 {
				return nil
			}
		case op.AddsBias:
			if len(n.Inputs) != 2 {
				return nil
			}
			x, bias := n.Inputs[0], n.Inputs[1]
			if m.isConst(x) {
				x, bias = bias, x
			}
			if !m.isConst(bias) || m.def[x] == nil || op.Get(m.def[x].Op).Head != op.Multiplies {
				return nil
			}
			v = x
			continue
		case op.Multiplies, op.Affine:
			if len(n.Inputs) < 2 || !m.isConst(n.Inputs[1]) || m.isConst(n.Inputs[0]) {
				return nil
			}
			return n
		case op.Convolves:
			t := m.val[v]
			if len(n.Inputs) < 2 || !m.isConst(n.Inputs[1]) || t == nil || len(t.Shape) != 4 {
				return nil
			}
			switch w := m.val[n.Inputs[1]]; {
			case n.Int("group", 1) != 1:
				return nil
			case spatial(t.Shape) == 1 && !pooled:
				return n // a Gemm in the form of a convolution
			case pooled && spatial(w.Shape) == 1 && (softmax || w.Shape[0]%32 != 0):
				return n
			}
			return nil
		default:
			return nil
		}
		v = n.Inputs[0]
	}
	return nil
}

// depths returns the length of the longest path to each node.
func (m *model) depths() map[*graph.Node]int {
	depth := make(map[*graph.Node]int, len(m.order))
	for _, n := range m.order {
		d := 0
		for _, v := range n.Inputs {
			d = max(d, depth[m.def[v]]+1)
		}
		depth[n] = d
	}
	return depth
}

// spatial returns the number of places in a feature map [N,C,H,W], 1 for any
// other shape.
func spatial(shape []int) int {
	if len(shape) != 4 {
		return 1
	}
	return shape[2] * shape[3]
}

// lastMap returns the last feature map that value is computed from: value
// itself, or the map that the pooling before it averages.
func (m *model) lastMap(value string) (string, bool) {
	if spatial(m.val[value].Shape) > 1 {
		return value, true
	}
	before := m.ancestors(value)
	for i := len(m.nodes) - 1; i >= 0; i-- {
		n := m.nodes[i]
		if !before[n] {
			continue
		}
		for _, v := range n.Outputs {
			if t := m.val[v]; t != nil && t.Type == graph.Float && spatial(t.Shape) > 1 {
				return v, true
			}
		}
	}
	return "", false
}

// ancestors returns the nodes that value is computed by.
func (m *model) ancestors(value string) map[*graph.Node]bool {
	seen := map[*graph.Node]bool{}
	todo := []string{value}
	for len(todo) > 0 {
		n := m.def[todo[len(todo)-1]]
		todo = todo[:len(todo)-1]
		if n != nil && !seen[n] {
			seen[n] = true
			todo = append(todo, n.Inputs...)
		}
	}
	return seen
}

// descendants returns the nodes that depend on value.
func (m *model) descendants(value string) map[*graph.Node]bool {
	seen := map[*graph.Node]bool{}
	for _, n := range m.order {
		seen[n] = slices.ContainsFunc(n.Inputs, func(v string) bool {
			return v == value || v != "" && seen[m.def[v]]
		})
	}
	return seen
}

// between lists the nodes that out needs beyond those that value needs and
// that depend on value.
func (m *model) between(value, out string) []string {
	need, have := m.ancestors(out), m.ancestors(value)
	after := map[string]bool{value: true}
	var names []string
	for _, n := range m.g.Nodes {
		if !need[n] || have[n] || !slices.ContainsFunc(n.Inputs, func(v string) bool { return after[v] }) {
			continue
		}
		names = append(names, n.Name)
		for _, v := range n.Outputs {
			after[v] = true
		}
	}
	return names
}

// near proposes names like the one that was not found.
func (m *model) near(layer string) string {
	type name struct {
		s string
		d int
	}
	var names []name
	seen := map[string]bool{}
	consider := func(s string) {
		if s != "" && !seen[s] && len(names) < 10_000 {
			seen[s] = true
			names = append(names, name{s, distance(strings.ToLower(s), strings.ToLower(layer))})
		}
	}
	for _, n := range m.nodes {
		consider(n.Name)
		for _, v := range n.Outputs {
			consider(v)
		}
	}
	sort.SliceStable(names, func(i, j int) bool { return names[i].d < names[j].d })
	var like []string
	for _, n := range names[:min(len(names), 3)] {
		like = append(like, graph.Name(n.s))
	}
	if len(like) == 0 {
		return ""
	}
	return fmt.Sprintf(" (nearest: %s; or %q, %q)", strings.Join(like, ", "), Pooled, Map)
}

// distance is Levenshtein's, of the first 100 bytes.
func distance(a, b string) int {
	a, b = a[:min(len(a), 100)], b[:min(len(b), 100)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diag
			if a[i] != b[j] {
				d++
			}
			diag = row[j+1]
			row[j+1] = min(d, row[j]+1, diag+1)
		}
	}
	return row[len(b)]
}
