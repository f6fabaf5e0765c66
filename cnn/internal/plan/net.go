package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A value is a tensor of the network: the input, a constant or the output of
// one node.
type value struct {
	name  string
	typ   graph.DType
	shape []int         // at the base batch size
	data  *graph.Tensor // constants only

	bf16     bool         // stored as bf16, not as float32; set by net.narrow
	narrowed []vmath.BF16 // data as bf16; constants only

	// fromBatch marks a constant that is right for the base batch size only.
	fromBatch bool

	def   *node   // nil for the input and for constants
	uses  []*node // one entry for each use; set by net.link
	id    int     // index into state.t; set by net.link
	batch int     // axis of the pictures, -1 for constants; set by net.batches
	to    *value  // what replaces it, nil for none
}

func (v *value) len() int { return size(v.shape) }

// size returns the number of elements of a shape.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// A node applies one operator.
type node struct {
	name  string // of the ONNX node it comes from, for messages
	op    op
	in    []*value // nil where an optional input is left out
	out   []*value
	bf16  bool // computes on bf16; set by net.narrow
	index int  // place in net.nodes; set by net.link
}

// An op is what a node does: one of the types in the op_*.go files.
type op interface {
	// run computes n's outputs from its inputs.
	run(s *state, n *node) error
}

// A net is the network between lowering and execution: nodes that passes
// rewrite. All shapes are those at base pictures a batch.
type net struct {
	nodes  []*node // in execution order after link
	input  *value
	output *value
	base   int // pictures in the batch that the shapes are for
	values int // number of value ids given out by link
	budget *graph.Budget

	transposed map[*value][]*value // transpositions made of a value
}

// add appends a node computing op over in and returns its only output.
func (g *net) add(name string, o op, typ graph.DType, shape []int, in ...*value) *value {
	v := &value{name: name, typ: typ, shape: shape}
	v.def = &node{name: name, op: o, in: in, out: []*value{v}}
	g.nodes = append(g.nodes, v.def)
	return v
}

// floats returns n zeros for what the constants of a node called name make.
func (g *net) floats(name string, n int) []float32 {
	g.take(name, 4*int64(n))
	return make([]float32, n)
}

// take takes memory from the budget, or panics with the *graph.MemoryError that
// compile then returns.
func (g *net) take(name string, bytes int64) {
	if err := g.budget.Take(bytes, "what is made of the constants of "+graph.Name(name)); err != nil {
		panic(err)
	}
}

// constant returns a float constant.
func constant(name string, shape []int, data []float32) *value {
	return &value{name: name, typ: graph.Float, shape: shape,
		data: &graph.Tensor{Type: graph.Float, Shape: shape, F: data}}
}

// link sorts the nodes that the output depends on into execution order, drops
// all others, and numbers the values and lists their uses.
func (g *net) link() {
	g.output = g.output.resolve()
	numbered := map[*value]bool{}
	number := func(v *value) {
		if !numbered[v] {
			numbered[v] = true
			v.id, v.uses = len(numbered)-1, nil
		}
	}
	number(g.input)
	var sorted []*node
	visited := map[*node]bool{}
	// An explicit stack: hostile graphs may be deeper than recursion should go.
	type frame struct {
		n    *node
		next int // input to visit
	}
	var stack []frame
	push := func(n *node) {
		if n != nil && !visited[n] {
			visited[n] = true
			n.resolve()
			stack = append(stack, frame{n: n})
		}
	}
	push(g.output.def)
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		n := f.n
		if f.next < len(n.in) {
			f.next++
			if v := n.in[f.next-1]; v != nil {
				push(v.def)
			}
			continue
		}
		stack = stack[:len(stack)-1]
		for _, v := range n.in {
			if v != nil {
				number(v)
				v.uses = append(v.uses, n)
			}
		}
		for _, v := range n.out {
			number(v)
		}
		n.index = len(sorted)
		sorted = append(sorted, n)
	}
	number(g.output)
	g.nodes, g.values = sorted, len(numbered)
}

// replace makes every user of old use v instead.
func (g *net) replace(old, v *value) {
	if old != v {
		old.to = v
	}
}

// resolve returns the value that stands for v after replacements.
func (v *value) resolve() *value {
	if v == nil || v.to == nil {
		return v
	}
	end := v.to
	for end.to != nil {
		end = end.to
	}
	for v != end { // the next walk is shorter
		v, v.to = v.to, end
	}
	return end
}

// resolve brings n's inputs up to date.
func (n *node) resolve() {
	for i, v := range n.in {
		n.in[i] = v.resolve()
	}
}

// only reports whether n is v's single use, so that v need not exist once n
// has been merged into what computes it.
func (g *net) only(v *value, n *node) bool {
	return len(v.uses) == 1 && v.uses[0] == n && v != g.output
}

func (n *node) String() string {
	return fmt.Sprintf("%T %s", n.op, n.name)
}

// dump describes the network, a line a node, for tests and debugging.
func (g *net) dump() string {
	var b []byte
	for _, n := range g.nodes {
		b = fmt.Appendf(b, "%-40s", fmt.Sprintf("%T", n.op))
		for _, v := range n.in {
			if v != nil && v.data == nil {
				b = fmt.Appendf(b, " %s%v", v.name, v.shape)
			}
		}
		b = append(b, " ->"...)
		for _, v := range n.out {
			b = fmt.Appendf(b, " %s%v", v.name, v.shape)
		}
		b = append(b, '\n')
	}
	return string(b)
}

// sameShape reports whether two values have equal shapes.
func sameShape(a, b *value) bool { return slices.Equal(a.shape, b.shape) }
