package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// lowering turns the ONNX nodes that the feature needs into a net. Convolutions
// and pools work on [N,H,W,C] and come with the transpositions that this takes;
// the layout pass removes nearly all of them.
type lowering struct {
	*model
	net  *net
	vals map[string]*value
	used map[string]bool // values that a node reads
}

var (
	toNHWC = []int{0, 2, 3, 1}
	toNCHW = []int{0, 3, 1, 2}
)

// lower makes the net that computes f.
func (m *model) lower(f feature) (*net, error) {
	l := &lowering{model: m, net: &net{base: m.base, budget: m.budget}, vals: map[string]*value{}, used: map[string]bool{}}
	for _, n := range m.nodes {
		for _, v := range n.Inputs {
			l.used[v] = true
		}
	}
	l.net.input = &value{name: m.input, typ: graph.Float, shape: m.val[m.input].Shape}
	l.vals[m.input] = l.net.input
	if m.nhwcInput { // the plan takes [N,C,H,W] all the same
		l.net.input.shape = permuted(l.net.input.shape, toNCHW)
		l.vals[m.input] = l.net.transpose(l.net.input, toNHWC)
	}
	need := m.ancestors(f.value)
	for _, n := range m.nodes {
		if need[n] {
			l.node(n)
		}
	}
	out := l.value(f.value)
	switch {
	case f.pool:
		out = l.globalMean(f.value, out)
		out = l.reshape(f.value, out, []int{out.shape[0], out.shape[1]})
	case len(out.shape) == 4 && spatial(out.shape) == 1:
		out = l.reshape(f.value, out, []int{out.shape[0], out.shape[1]})
	case len(out.shape) == 4 && !m.nhwc(f.value):
		out = l.net.transpose(out, toNHWC)
	}
	l.net.output = out
	if out == l.net.input {
		return nil, fmt.Errorf("the feature %s is the picture itself", graph.Name(f.value))
	}
	l.net.link()
	return l.net, nil
}

// nhwc reports whether a value is a map whose channels come last already.
func (m *model) nhwc(value string) bool {
	n := m.def[value]
	return n != nil && n.Op == "Transpose" && slices.Equal(n.Ints("perm"), toNHWC)
}

// value returns the value of that name.
func (l *lowering) value(name string) *value {
	if name == "" {
		return nil
	}
	v := l.vals[name]
	if v == nil {
		t := l.val[name]
		l.load(t, name)
		v = &value{name: name, typ: t.Type, shape: t.Shape, data: t, fromBatch: l.fromBatch[name]}
		l.vals[name] = v
	}
	return v
}

// node lowers one node: by the first rule that fits, or to the operator as
// package ops has it.
func (l *lowering) node(n *graph.Node) {
	if v := l.special(n); v != nil {
		l.vals[n.Outputs[0]] = v
		return
	}
	g := &node{name: n.Name, op: &genericOp{node: n, opset: l.g.Opset}}
	for _, name := range n.Inputs {
		g.in = append(g.in, l.value(name))
	}
	for _, name := range n.Outputs {
		v := &value{name: name, def: g}
		if t := l.val[name]; t != nil {
			v.typ, v.shape = t.Type, t.Shape
			l.vals[name] = v
		}
		g.out = append(g.out, v)
	}
	l.net.nodes = append(l.net.nodes, g)
}

// special lowers n to operators of this package; it returns the value of n's
// first output, or nil where no rule fits.
func (l *lowering) special(n *graph.Node) *value {
	if n.Op == "Split" {
		return l.split(n)
	}
	for i, o := range n.Outputs {
		if i > 0 && o != "" && l.used[o] {
			return nil
		}
	}
	if len(n.Inputs) == 0 || len(n.Outputs) == 0 || n.Inputs[0] == "" {
		return nil
	}
	x := l.value(n.Inputs[0])
	out := l.val[n.Outputs[0]]
	if out.Type != graph.Float || out.Len() == 0 || x.typ != graph.Float {
		return nil
	}
	if f, ok := l.actOf(n); ok {
		return l.net.add(n.Outputs[0], &actOp{f}, graph.Float, out.Shape, x)
	}
	switch n.Op {
	case "Identity", "Dropout", "Cast":
		return x
	case "Reshape", "Flatten", "Squeeze", "Unsqueeze":
		return l.reshape(n.Outputs[0], x, out.Shape)
	case "Transpose":
		perm := n.Ints("perm")
		if perm == nil {
			for i := range out.Shape {
				perm = append(perm, len(out.Shape)-1-i)
			}
		}
		return l.net.transpose(x, perm)
	case "Conv":
		return l.conv(n, x, out.Shape)
	case "Gemm":
		return l.gemm(n, x, out.Shape)
	case "MatMul":
		return l.matmul(n, x, out.Shape)
	case "BatchNormalization":
		return l.batchNorm(n, x)
	case "Add", "Sub", "Mul", "Div":
		return l.binary(n, out.Shape)
	case "Sum":
		return l.sum(n, out.Shape)
	case "MaxPool", "AveragePool":
		return l.pool(n, x, out.Shape)
	case "GlobalAveragePool":
		if len(x.shape) == 4 {
			return l.globalMean(n.Outputs[0], x)
		}
	case "ReduceMean":
		return l.mean(n, x, out.Shape)
	case "Concat":
		return l.concat(n, out.Shape)
	case "Slice":
		return l.slice(n, x, out.Shape)
	case "Gather":
		return l.gather(n, x, out.Shape)
	case "Softmax":
		return l.softmax(n, x)
	case "LayerNormalization":
		return l.layerNorm(n, x)
	case "Pad":
		return l.pad(n, x, out.Shape)
	}
	return nil
}

func (l *lowering) reshape(name string, x *value, shape []int) *value {
	if slices.Equal(x.shape, shape) {
		return x
	}
	return l.net.add(name, reshapeOp{}, x.typ, shape, x)
}

// permuted returns shape with its dimensions in the order of perm.
func permuted(shape, perm []int) []int {
	p := make([]int, len(perm))
	for i, a := range perm {
		p[i] = shape[a]
	}
	return p
}

// viaNHWC applies o, an operator on [N,H,W,C], to x of shape [N,C,H,W]; shape is
// that of the result, [N,C,H,W] too.
func (l *lowering) viaNHWC(name string, o op, x *value, shape []int) *value {
	x = l.net.transpose(x, toNHWC)
	y := l.net.add(name, o, graph.Float, permuted(shape, toNHWC), x)
	return l.net.transpose(y, toNCHW)
}

func (l *lowering) globalMean(name string, x *value) *value {
	return l.viaNHWC(name, meanOp{}, x, []int{x.shape[0], x.shape[1], 1, 1})
}

// floats returns the constant that input i of n is, nil if it is left out; ok is
// false where it is not a constant of floats.
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

// weights is like floats, but leaves a constant that is stored where it is.
func (l *lowering) weights(n *graph.Node, i int) (t *graph.Tensor, ok bool) {
	if i >= len(n.Inputs) || n.Inputs[i] == "" {
		return nil, true
	}
	t = l.val[n.Inputs[i]]
	return t, t.Type == graph.Float && t.Known() && !l.fromBatch[n.Inputs[i]]
}

// ints returns the integers that input i of n or, without it, attribute name
// is; ok is false where they depend on the picture.
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
