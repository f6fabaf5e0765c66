package plan_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// A maker draws networks at random. Its choices come from bytes, so that the
// fuzzer can steer them.
type maker struct {
	choices []byte
	g       *graph.Graph
	vals    []made
	n       int // names given
	weights *rand.Rand
	base    int
}

type made struct {
	name  string
	shape []int
}

// pick returns a number below n.
func (m *maker) pick(n int) int {
	if len(m.choices) == 0 {
		return 0
	}
	c := int(m.choices[0])
	m.choices = m.choices[1:]
	return c % n
}

func (m *maker) name(prefix string) string {
	m.n++
	return fmt.Sprintf("%s%d", prefix, m.n)
}

func (m *maker) floats(shape ...int) string {
	t := &graph.Tensor{Type: graph.Float, Shape: shape, F: make([]float32, tensor.Size(shape))}
	fan := 1
	if len(shape) > 1 {
		fan = max(1, tensor.Size(shape[1:]))
	}
	for i := range t.F {
		t.F[i] = float32(m.weights.NormFloat64() / math.Sqrt(float64(fan)))
	}
	name := m.name("w")
	m.g.Init[name] = t
	return name
}

func (m *maker) positive(shape ...int) string {
	name := m.floats(shape...)
	for i, v := range m.g.Init[name].F {
		m.g.Init[name].F[i] = 0.5 + float32(math.Abs(float64(v)))
	}
	return name
}

func (m *maker) ints(v ...int) string {
	t := &graph.Tensor{Type: graph.Int, Shape: []int{len(v)}, I: []int64{}}
	for _, x := range v {
		t.I = append(t.I, int64(x))
	}
	name := m.name("i")
	m.g.Init[name] = t
	return name
}

func (m *maker) number(v float32) string {
	name := m.name("n")
	m.g.Init[name] = &graph.Tensor{Type: graph.Float, Shape: []int{}, F: []float32{v}}
	return name
}

// add appends a node if package ops accepts it, and returns its first output.
func (m *maker) add(what string, attrs map[string]graph.Attr, outputs int, in ...string) (made, bool) {
	n := &graph.Node{Name: m.name(what), Op: what, Attrs: attrs, Inputs: in}
	for range outputs {
		n.Outputs = append(n.Outputs, m.name("v"))
	}
	var args []*graph.Tensor
	for _, name := range in {
		if name == "" {
			args = append(args, nil)
			continue
		}
		t := m.g.Init[name]
		for _, v := range m.vals {
			if v.name == name {
				t = &graph.Tensor{Type: graph.Float, Shape: v.shape}
			}
		}
		args = append(args, t)
	}
	k, err := op.Bind(n, m.g.Opset, args)
	if err != nil {
		return made{}, false
	}
	for _, t := range k.Out {
		if t.Type != graph.Float || t.Len() == 0 || t.Len() > 20_000 {
			return made{}, false
		}
	}
	m.g.Nodes = append(m.g.Nodes, n)
	for i, t := range k.Out {
		m.vals = append(m.vals, made{n.Outputs[i], t.Shape})
	}
	return m.vals[len(m.vals)-len(k.Out)], true
}

// then applies an operator of one input to a value.
func (m *maker) then(x made, op string, attrs map[string]graph.Attr, rest ...string) made {
	if y, ok := m.add(op, attrs, 1, append([]string{x.name}, rest...)...); ok {
		return y
	}
	return x
}

func ints(v ...int) graph.Attr {
	a := graph.Attr{Ints: []int64{}}
	for _, x := range v {
		a.Ints = append(a.Ints, int64(x))
	}
	return a
}

type attrs = map[string]graph.Attr

// recent picks a value, the later ones more often.
func (m *maker) recent() made {
	return m.vals[len(m.vals)-1-m.pick(min(len(m.vals), 1+m.pick(4)))]
}

// step adds one operator, or a few that belong together.
func (m *maker) step() {
	x := m.recent()
	rank := len(x.shape)
	if rank == 0 { // there is little to do
		m.then(x, "Sigmoid", nil)
		return
	}
	switch c := m.pick(24); {
	case c < 5 && rank == 4:
		m.conv(x)
	case c < 7 && rank >= 2:
		m.then(x, "BatchNormalization", attrs{}, m.positive(x.shape[1]), m.floats(x.shape[1]), m.floats(x.shape[1]), m.positive(x.shape[1]))
	case c < 9:
		m.activation(x)
	case c < 11:
		m.sum(x)
	case c < 12:
		m.constant(x)
	case c < 14 && rank == 4:
		m.pool(x)
	case c < 16 && rank >= 2:
		m.concat(x)
	case c < 17 && rank >= 2:
		m.part(x)
	case c < 19:
		m.permute(x)
	case c < 21:
		m.reshape(x)
	case c < 22 && rank >= 2:
		m.matrix(x)
	case c < 23 && rank == 4:
		m.squeezeExcite(x)
	default:
		m.other(x)
	}
}

func (m *maker) conv(x made) {
	c := x.shape[1]
	k, s, d, g, out := 1+m.pick(3), 1+m.pick(2), 1+m.pick(2), 1, 1+m.pick(9)
	kw := k
	switch m.pick(4) {
	case 0: // depthwise
		g, out = c, c
	case 1:
		if c%2 == 0 {
			g, out = 2, 2*(1+m.pick(3))
		}
	case 2:
		k, kw, s, d = 1, 1, 1, 1
	case 3:
		kw = 1 + m.pick(4)
	}
	a := attrs{"group": {I: int64(g)}, "strides": ints(s, s), "dilations": ints(d, d)}
	switch m.pick(3) {
	case 0:
		a["pads"] = ints(m.pick(3), m.pick(3), m.pick(3), m.pick(3))
	case 1:
		a["auto_pad"] = graph.Attr{S: []string{"SAME_UPPER", "SAME_LOWER", "VALID"}[m.pick(3)]}
	}
	w := m.floats(out, c/g, k, kw)
	var y made
	if m.pick(2) == 0 {
		y = m.then(x, "Conv", a, w)
	} else {
		y = m.then(x, "Conv", a, w, m.floats(out))
	}
	switch m.pick(4) { // what usually follows
	case 0:
		y = m.then(y, "BatchNormalization", attrs{}, m.positive(y.shape[1]), m.floats(y.shape[1]), m.floats(y.shape[1]), m.positive(y.shape[1]))
		m.activation(y)
	case 1:
		m.activation(y)
	case 2:
		m.sum(y)
	}
}

func (m *maker) activation(x made) {
	switch m.pick(16) {
	case 0, 1:
		m.then(x, "Relu", nil)
	case 2:
		m.then(x, "Clip", nil, m.number(0), m.number(6))
	case 3:
		m.then(x, "LeakyRelu", attrs{"alpha": {F: 0.2}})
	case 4: // SiLU
		s := m.then(x, "Sigmoid", nil)
		m.add("Mul", nil, 1, s.name, x.name)
	case 5: // HardSwish, in three forms
		switch m.pick(3) {
		case 0:
			m.then(x, "HardSwish", nil)
		case 1:
			s := m.then(x, "HardSigmoid", attrs{"alpha": {F: 1. / 6}})
			m.add("Mul", nil, 1, x.name, s.name)
		case 2:
			s := m.then(m.then(x, "Add", nil, m.number(3)), "Clip", nil, m.number(0), m.number(6))
			if m.pick(2) == 0 {
				s = m.then(s, "Div", nil, m.number(6))
				m.add("Mul", nil, 1, x.name, s.name)
			} else if y, ok := m.add("Mul", nil, 1, x.name, s.name); ok {
				m.then(y, "Div", nil, m.number(6))
			}
		}
	case 6: // GELU, in two forms
		e := m.then(m.then(m.then(x, "Div", nil, m.number(math.Sqrt2)), "Erf", nil), "Add", nil, m.number(1))
		if m.pick(2) == 0 {
			if y, ok := m.add("Mul", nil, 1, x.name, e.name); ok {
				m.then(y, "Mul", nil, m.number(0.5))
			}
		} else {
			h := m.then(x, "Mul", nil, m.number(0.5))
			m.add("Mul", nil, 1, h.name, e.name)
		}
	case 7:
		m.then(x, "Tanh", nil)
	case 8:
		m.then(x, "PRelu", nil, m.floats(x.shape[min(1, len(x.shape)-1)], 1, 1))
	case 9:
		m.then(x, "Elu", nil)
	case 10:
		m.then(x, "Gelu", nil)
	case 11:
		m.then(m.then(x, "Abs", nil), "Sqrt", nil)
	default:
		m.then(x, unary[m.pick(len(unary))], nil)
	}
}

// unary lists the operators with a rule that need one input, so that the maker makes a
// new one as soon as it has a rule.
var unary = slices.DeleteFunc(plan.Rules(), func(name string) bool {
	sig := strings.Fields(op.Get(name).Sig)
	return sig[0] != "f" && sig[0] != "n" && sig[0] != "a" || slices.ContainsFunc(sig[1:], func(s string) bool { return !strings.HasSuffix(s, "?") })
})

// sum combines x with another value of a shape that fits.
func (m *maker) sum(x made) {
	op := []string{"Add", "Add", "Mul", "Sub", "Max", "Sum"}[m.pick(6)]
	for range 4 {
		if y := m.recent(); slices.Equal(x.shape, y.shape) || m.pick(4) == 0 {
			m.add(op, nil, 1, x.name, y.name)
			return
		}
	}
}

// constant does arithmetic with a constant that varies along some axes.
func (m *maker) constant(x made) {
	shape := slices.Clone(x.shape)
	for i := range shape {
		if m.pick(2) == 0 || i == 0 && m.pick(8) > 0 {
			shape[i] = 1
		}
	}
	shape = shape[m.pick(2)*min(1, len(shape)-1):]
	op := []string{"Add", "Mul", "Sub", "Div"}[m.pick(4)]
	if m.pick(3) == 0 && op != "Div" {
		m.add(op, nil, 1, m.positive(shape...), x.name)
		return
	}
	m.then(x, op, nil, m.positive(shape...))
}

func (m *maker) pool(x made) {
	op := []string{"MaxPool", "AveragePool"}[m.pick(2)]
	switch m.pick(5) {
	case 0:
		y := m.then(x, "GlobalAveragePool", nil)
		if m.pick(2) == 0 {
			m.then(y, "Flatten", nil)
		}
	case 1:
		axes := []int{2, 3}
		if m.pick(3) == 0 {
			axes = []int{1 + m.pick(3)}
		}
		m.then(x, "ReduceMean", attrs{"keepdims": {I: int64(m.pick(2))}}, m.ints(axes...))
	default:
		k := 1 + m.pick(3)
		a := attrs{"kernel_shape": ints(k, k), "strides": ints(1+m.pick(2), 1+m.pick(2)), "ceil_mode": {I: int64(m.pick(2))}}
		if m.pick(2) == 0 {
			a["pads"] = ints(k/2, k/2, k/2, k/2)
		}
		if op == "AveragePool" {
			a["count_include_pad"] = graph.Attr{I: int64(m.pick(2))}
		}
		m.then(x, op, a)
	}
}

func (m *maker) concat(x made) {
	in := []string{x.name}
	axis := 1 + m.pick(len(x.shape)-1)
	if m.pick(9) == 0 {
		axis = 0
	}
	for range 1 + m.pick(3) {
		in = append(in, m.recent().name)
	}
	if _, ok := m.add("Concat", attrs{"axis": {I: int64(axis)}}, 1, in...); !ok {
		m.add("Concat", attrs{"axis": {I: int64(axis)}}, 1, x.name, x.name)
	}
}

// part takes a part of x.
func (m *maker) part(x made) {
	axis := 1 + m.pick(len(x.shape)-1)
	if m.pick(9) == 0 {
		axis = 0
	}
	d := x.shape[axis]
	switch m.pick(3) {
	case 0:
		if d >= 2 {
			a := 1 + m.pick(d-1)
			m.add("Split", attrs{"axis": {I: int64(axis)}}, 2, x.name, m.ints(a, d-a))
		}
	case 1:
		from := m.pick(d)
		m.then(x, "Slice", nil, m.ints(from), m.ints(from+1+m.pick(d)), m.ints(axis), m.ints(1+m.pick(6)/5))
	case 2:
		index := m.ints(m.pick(d), m.pick(d))
		if m.pick(2) == 0 {
			index = m.ints(m.pick(d))
			m.g.Init[index].Shape = []int{}
		}
		m.then(x, "Gather", attrs{"axis": {I: int64(axis)}}, index)
	}
}

func (m *maker) permute(x made) {
	perm := m.weights.Perm(len(x.shape))
	if m.pick(5) > 0 { // usually the pictures stay first
		i := slices.Index(perm, 0)
		perm = slices.Insert(slices.Delete(perm, i, i+1), 0, 0)
	}
	if len(perm) == 4 && m.pick(2) == 0 {
		perm = [][]int{plan.ToNHWC, plan.ToNCHW}[m.pick(2)]
	}
	m.then(x, "Transpose", attrs{"perm": ints(perm...)})
}

func (m *maker) reshape(x made) {
	shape := slices.Clone(x.shape)
	switch m.pick(6) {
	case 0: // split a dimension in two
		i := m.pick(len(shape))
		if shape[i]%2 == 0 {
			shape = slices.Insert(shape, i, 2)
			shape[i+1] /= 2
		}
	case 1: // join two
		if len(shape) > 2 {
			i := m.pick(len(shape) - 1)
			shape[i] *= shape[i+1]
			shape = slices.Delete(shape, i+1, i+2)
		}
	case 2:
		m.then(x, "Flatten", attrs{"axis": {I: int64(m.pick(len(shape) + 1))}})
		return
	case 3:
		m.then(x, "Squeeze", nil)
		return
	case 4:
		m.then(x, "Unsqueeze", nil, m.ints(m.pick(len(shape)+1)))
		return
	case 5: // the channel shuffle
		if c := len(shape); c == 4 && shape[1]%2 == 0 {
			y := m.then(x, "Reshape", nil, m.ints(m.batch(shape[0]), 2, shape[1]/2, shape[2], shape[3]))
			y = m.then(y, "Transpose", attrs{"perm": ints(0, 2, 1, 3, 4)})
			m.then(y, "Reshape", nil, m.ints(m.batch(shape[0]), -1, shape[2], shape[3]))
			return
		}
	}
	shape[0] = m.batch(shape[0])
	m.then(x, "Reshape", nil, m.ints(shape...))
}

// batch writes the first dimension as a number, or as 0 for "the same".
func (m *maker) batch(d int) int {
	if m.pick(2) == 0 {
		return 0
	}
	return d
}

func (m *maker) matrix(x made) {
	k := x.shape[len(x.shape)-1]
	n := 1 + m.pick(6)
	var y made
	if len(x.shape) == 2 && m.pick(2) == 0 {
		y = m.then(x, "Gemm", attrs{"transB": {I: 1}, "alpha": {F: 0.5}, "beta": {F: 2}}, m.floats(n, k), m.floats(n))
	} else {
		y = m.then(x, "MatMul", nil, m.floats(k, n))
		if m.pick(2) == 0 {
			y = m.then(y, "Add", nil, m.floats(n))
		}
	}
	m.activation(y)
}

func (m *maker) squeezeExcite(x made) {
	c := x.shape[1]
	s := m.then(x, "GlobalAveragePool", nil)
	s = m.then(s, "Conv", nil, m.floats(2, c, 1, 1), m.floats(2))
	s = m.then(s, "Relu", nil)
	s = m.then(s, "Conv", nil, m.floats(c, 2, 1, 1), m.floats(c))
	s = m.then(s, "Sigmoid", nil)
	m.add("Mul", nil, 1, x.name, s.name)
}

func (m *maker) other(x made) {
	last := x.shape[len(x.shape)-1]
	switch m.pick(8) {
	case 0:
		m.then(x, "Softmax", attrs{"axis": {I: int64(m.pick(len(x.shape)))}})
	case 1:
		m.then(x, "LayerNormalization", attrs{"axis": {I: -1}, "epsilon": {F: 0.5}}, m.positive(last), m.floats(last))
	case 2:
		pads := make([]int, 2*len(x.shape))
		for i := range pads {
			if i%len(x.shape) > 0 {
				pads[i] = m.pick(2)
			}
		}
		m.then(x, "Pad", nil, m.ints(pads...))
	case 3:
		m.then(x, []string{"Identity", "Cast"}[m.pick(2)], attrs{"to": {I: 1}})
	case 4:
		m.then(x, "Dropout", nil)
	case 5:
		m.then(x, "LRN", attrs{"size": {I: 3}})
	case 6:
		m.then(x, "InstanceNormalization", attrs{"epsilon": {F: 0.5}}, m.positive(x.shape[min(1, len(x.shape)-1)]), m.floats(x.shape[min(1, len(x.shape)-1)]))
	case 7: // layer normalisation spelt out
		mean := m.then(x, "ReduceMean", nil, m.ints(-1))
		if d, ok := m.add("Sub", nil, 1, x.name, mean.name); ok {
			v := m.then(m.then(d, "Pow", nil, m.number(2)), "ReduceMean", nil, m.ints(-1))
			v = m.then(m.then(v, "Add", nil, m.number(0.5)), "Sqrt", nil)
			if y, ok := m.add("Div", nil, 1, d.name, v.name); ok {
				m.then(m.then(y, "Mul", nil, m.positive(last)), "Add", nil, m.floats(last))
			}
		}
	}
}

// network draws a network of a few operators; its last value is the output.
func network(choices []byte) (*graph.Graph, int) {
	m := &maker{choices: choices, weights: rand.New(rand.NewPCG(1, uint64(len(choices)))), base: 1}
	m.g = &graph.Graph{Opset: []int{20, op.NewestOpset}[m.pick(2)], Init: map[string]*graph.Tensor{}}
	shape := []int{1, []int{3, 4, 8}[m.pick(3)], 3 + m.pick(6), 5 + m.pick(5)}
	if m.pick(5) == 0 {
		m.base = 2
		shape[0] = 2
	}
	m.vals = []made{{"x", slices.Clone(shape)}}
	for range 2 + m.pick(14) {
		m.step()
	}
	if m.base == 1 && m.pick(2) == 0 {
		shape[0] = -1
	}
	m.g.Inputs = []graph.Value{{Name: "x", Type: graph.Float, Shape: shape}}
	m.g.Outputs = []graph.Value{{Name: m.vals[len(m.vals)-1].name, Type: graph.Float}}
	return m.g, m.base
}
