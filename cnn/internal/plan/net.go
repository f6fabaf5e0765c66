package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A Value is a tensor of the network: the input, a constant or the output of
// one node.
type Value struct {
	Name  string
	Type  graph.DType
	Shape []int         // at the base batch size
	Data  *graph.Tensor // constants only

	BF16     bool         // stored as bf16, not as float32; set by choosePrecision
	Narrowed []vmath.BF16 // Data as bf16; constants only

	ID       int     // below Net.Values; set by link
	Pictures int     // axis of the pictures, -1 for constants; set by findPictures
	Buffer   *Buffer // where it is stored; nil for the input, what views it, constants and integers

	// fromBatch marks a constant that is right for the base batch size only.
	fromBatch bool

	def    *Node   // nil for the input and for constants
	uses   []*Node // one for each use; set by link
	to     *Value  // what replaces it, nil for none
	linked int     // the last link that met it
}

// Len returns the number of elements at the base batch size.
func (v *Value) Len() int { return tensor.Size(v.Shape) }

// A Node applies one operator.
type Node struct {
	Name string // of the ONNX node that it comes from
	Op   Op
	In   []*Value // nil where an optional input is left out
	Out  []*Value
	BF16 bool // computes on bf16; set by choosePrecision

	linked int // the last link that met it
}

// A Net is the network while passes rewrite its nodes. All shapes are those at
// Base pictures.
type Net struct {
	Nodes  []*Node // in execution order after link
	Input  *Value
	Output *Value
	Base   int // pictures that the shapes are for
	Values int // number of value ids given out by link
	Budget *graph.Budget

	links      int                 // how often link has run
	source     string              // ONNX node being lowered
	transposed map[*Value][]*Value // transpositions made of a value
}

// add appends a node computing op over in and returns its only output, called name.
func (g *Net) add(name string, o Op, typ graph.DType, shape []int, in ...*Value) *Value {
	v := &Value{Name: name, Type: typ, Shape: shape}
	v.def = &Node{Name: g.source, Op: o, In: in, Out: []*Value{v}}
	if g.source == "" && in[0].def != nil {
		v.def.Name = in[0].def.Name
	}
	g.Nodes = append(g.Nodes, v.def)
	return v
}

// floats returns n zeros, for numbers computed from the constants of the node name.
func (g *Net) floats(name string, n int) []float32 {
	g.take(name, 4*int64(n))
	return make([]float32, n)
}

// take takes memory from the budget, or panics with the *graph.MemoryError that
// Compile then returns.
func (g *Net) take(name string, bytes int64) {
	if err := g.Budget.Take(bytes, "what is made of the constants of "+graph.Name(name)); err != nil {
		panic(err)
	}
}

// constant returns a float constant.
func constant(name string, shape []int, data []float32) *Value {
	return &Value{Name: name, Type: graph.Float, Shape: shape,
		Data: &graph.Tensor{Type: graph.Float, Shape: shape, F: data}}
}

// link sorts the nodes that the output depends on into execution order, drops
// all others, numbers the values and lists their uses. It recurses; a hostile graph
// is no deeper than maxNodes and what passes add to them.
func (g *Net) link() {
	g.Output = g.Output.resolve()
	g.links++
	g.Values = 0
	number := func(v *Value) {
		if v.linked != g.links {
			v.linked, v.ID, v.uses = g.links, g.Values, nil
			g.Values++
		}
	}
	number(g.Input)
	sorted := make([]*Node, 0, len(g.Nodes))
	var visit func(v *Value)
	visit = func(v *Value) {
		n := v.def
		if n == nil || n.linked == g.links {
			return
		}
		n.linked = g.links
		n.resolve()
		for _, v := range n.In {
			if v != nil {
				visit(v)
			}
		}
		for _, v := range n.In {
			if v != nil {
				number(v)
				v.uses = append(v.uses, n)
			}
		}
		for _, v := range n.Out {
			number(v)
		}
		sorted = append(sorted, n)
	}
	visit(g.Output)
	number(g.Output)
	g.Nodes = sorted
}

// replace makes every user of old use v instead.
func (g *Net) replace(old, v *Value) {
	if old != v {
		old.to = v
	}
}

// resolve returns the value that stands for v after replacements.
func (v *Value) resolve() *Value {
	if v == nil || v.to == nil {
		return v
	}
	end := v.to
	for end.to != nil {
		end = end.to
	}
	for v != end { // shortens the next walk
		v, v.to = v.to, end
	}
	return end
}

// resolve brings n's inputs up to date.
func (n *Node) resolve() {
	for i, v := range n.In {
		n.In[i] = v.resolve()
	}
}

// producer returns the operator that computes v, nil if there is none.
func (v *Value) producer() Op {
	if v.def == nil {
		return nil
	}
	return v.def.Op
}

// soleUser returns the only node that uses v; nil where there are several, or where v
// is the output.
func (g *Net) soleUser(v *Value) *Node {
	if len(v.uses) == 1 && v != g.Output {
		return v.uses[0]
	}
	return nil
}

// sole returns the node that computes v if n is the only user of v: merged into one,
// the two do without v. It returns nil otherwise.
func (g *Net) sole(v *Value, n *Node) *Node {
	if g.soleUser(v) == n {
		return v.def
	}
	return nil
}

// sameShape reports whether two values have equal shapes.
func sameShape(a, b *Value) bool { return slices.Equal(a.Shape, b.Shape) }
