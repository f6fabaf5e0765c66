package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// lowering turns the ONNX nodes that the feature needs into a net. Convolutions
// and pools work on [N,H,W,C], between two transpositions; the layout pass removes
// nearly all of these.
type lowering struct {
	*model
	net  *Net
	vals map[string]*Value
	used map[string]bool // values that a node reads
}

// lower makes the net that computes f.
func (m *model) lower(f feature, net *Net) error {
	net.Base, net.Budget = m.base, m.budget
	l := &lowering{model: m, net: net, vals: map[string]*Value{}, used: map[string]bool{}}
	for _, n := range m.nodes {
		for _, v := range n.Inputs {
			l.used[v] = true
		}
	}
	l.net.Input = &Value{Name: m.input, Type: graph.Float, Shape: m.val[m.input].Shape}
	l.vals[m.input] = l.net.Input
	if m.nhwcInput { // the plan takes [N,C,H,W] all the same
		l.net.Input.Shape = tensor.Permuted(l.net.Input.Shape, toNCHW)
		l.vals[m.input] = l.net.transpose(l.net.Input, toNHWC)
	}
	need := m.ancestors(f.value)
	for _, n := range m.nodes {
		if need[n] {
			l.node(n)
		}
	}
	l.net.source = ""
	out := l.value(f.value)
	switch {
	case f.pool:
		out = l.globalMean(f.value, out)
		out = l.reshape(f.value, out, []int{out.Shape[0], out.Shape[1]})
	case len(out.Shape) == 4 && spatial(out.Shape) == 1:
		out = l.reshape(f.value, out, []int{out.Shape[0], out.Shape[1]})
	case len(out.Shape) == 4 && !m.nhwc(f.value):
		out = l.net.transpose(out, toNHWC)
	}
	l.net.Output = out
	if out == l.net.Input {
		return fmt.Errorf("the feature %s is the picture itself", graph.Name(f.value))
	}
	l.net.link()
	return nil
}

// nhwc reports whether a value is a map whose channels come last already.
func (m *model) nhwc(value string) bool {
	n := m.def[value]
	return n != nil && n.Op == "Transpose" && slices.Equal(n.Ints("perm"), toNHWC)
}

// value returns the value of that name.
func (l *lowering) value(name string) *Value {
	if name == "" {
		return nil
	}
	v := l.vals[name]
	if v == nil {
		t := l.val[name]
		l.load(t, name)
		v = &Value{Name: name, Type: t.Type, Shape: t.Shape, Data: t, fromBatch: l.fromBatch[name]}
		l.vals[name] = v
	}
	return v
}

// node lowers one node: by the rule for its operator, or to a Generic.
func (l *lowering) node(n *graph.Node) {
	if v := l.special(n); v != nil {
		l.vals[n.Outputs[0]] = v
		return
	}
	g := &Node{Name: n.Name, Op: &Generic{node: n, opset: l.g.Opset}}
	for _, name := range n.Inputs {
		g.In = append(g.In, l.value(name))
	}
	for _, name := range n.Outputs {
		v := &Value{Name: name, def: g}
		if t := l.val[name]; t != nil {
			v.Type, v.Shape = t.Type, t.Shape
			l.vals[name] = v
		}
		g.Out = append(g.Out, v)
	}
	l.net.Nodes = append(l.net.Nodes, g)
}

// special lowers n by the rule for its operator; it returns the value of n's
// first output, or nil where no rule fits.
func (l *lowering) special(n *graph.Node) *Value {
	if rules[n.Op] == nil || len(n.Inputs) == 0 || len(n.Outputs) == 0 || n.Inputs[0] == "" || n.Outputs[0] == "" {
		return nil
	}
	for _, o := range n.Outputs[1:] {
		if o != "" && l.used[o] && n.Op != "Split" {
			return nil
		}
	}
	x, out := l.value(n.Inputs[0]), l.val[n.Outputs[0]]
	if out.Type != graph.Float || out.Len() == 0 || x.Type != graph.Float {
		return nil
	}
	l.net.source = n.Name
	return rules[n.Op](l, n, x, out.Shape)
}

// viaNHWC applies o, an operator on [N,H,W,C], to x of shape [N,C,H,W]; shape is
// that of the result, [N,C,H,W] too.
func (l *lowering) viaNHWC(name string, o Op, x *Value, shape []int) *Value {
	x = l.net.transpose(x, toNHWC)
	y := l.net.add(name, o, graph.Float, tensor.Permuted(shape, toNHWC), x)
	return l.net.transpose(y, toNCHW)
}

// floats returns input i of n, a constant; nil if it is left out. ok is false where
// it is no constant of floats.
func (l *lowering) floats(n *graph.Node, i int) (t *graph.Tensor, ok bool) {
	if t, ok = l.weights(n, i); t != nil {
		l.load(t, n.Inputs[i])
	}
	return t, ok
}

// load brings a constant into memory.
func (l *lowering) load(t *graph.Tensor, name string) {
	if err := t.Load(l.budget, "constant "+graph.Name(name)); err != nil {
		panic(err)
	}
}

// weights is like floats, but leaves a stored constant in its file.
func (l *lowering) weights(n *graph.Node, i int) (t *graph.Tensor, ok bool) {
	if i >= len(n.Inputs) || n.Inputs[i] == "" {
		return nil, true
	}
	t = l.val[n.Inputs[i]]
	return t, t.Type == graph.Float && t.Known() && !l.fromBatch[n.Inputs[i]]
}

// ints returns the integers of input i of n or, without it, of the attribute name;
// ok is false where they depend on the picture.
func (l *lowering) ints(n *graph.Node, i int, name string) (v []int, ok bool) {
	if i >= len(n.Inputs) || n.Inputs[i] == "" {
		return n.Ints(name), true
	}
	t := l.val[n.Inputs[i]]
	if t.Type != graph.Int || !t.Known() {
		return nil, false
	}
	for _, x := range t.I {
		v = append(v, int(x))
	}
	return v, true
}
