package plan

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// Scale computes Act(In[0]·Scale + Shift), with a factor and a summand for each
// index of one axis: a batch normalisation, or arithmetic with constants.
type Scale struct {
	common
	Axis         int // -1 where Scale and Shift are the same for all: one element
	Scale, Shift []float32
	Act          Act
}

func init() {
	register(&Scale{}, map[string]rule{"BatchNormalization": (*lowering).batchNorm})
}

// varies returns the axis along which a constant that broadcasts to shape varies,
// -1 where it is a single number; ok is false where it varies along several.
func varies(t *graph.Tensor, shape []int) (axis int, ok bool) {
	off := len(shape) - len(t.Shape)
	if off < 0 || len(t.F) == 0 {
		return -1, false
	}
	axis = -1
	for i, d := range t.Shape {
		if d == 1 {
			continue
		}
		if axis >= 0 || d != shape[off+i] {
			return axis, false
		}
		axis = off + i
	}
	return axis, true
}

// at returns element i of numbers for each channel, or the one for all.
func at(v []float32, i int) float32 {
	if len(v) == 1 {
		return v[0]
	}
	return v[i]
}

// batchNorm lowers an inference-time BatchNormalization: with its statistics
// constant it is a scale and a shift.
func (l *lowering) batchNorm(n *graph.Node, x *Value, _ []int) *Value {
	var p [4][]float32 // scale, bias, mean, variance
	for i := range p {
		t, ok := l.floats(n, i+1)
		if !ok || t == nil {
			return nil
		}
		p[i] = t.F
	}
	if len(x.Shape) < 2 || n.Int("training_mode", 0) != 0 {
		return nil
	}
	eps := float64(n.Float("epsilon", 1e-5))
	o := &Scale{Axis: 1, Scale: l.net.floats(n.Name, len(p[0])), Shift: l.net.floats(n.Name, len(p[0]))}
	for i := range o.Scale {
		s := float64(p[0][i]) / math.Sqrt(float64(p[3][i])+eps)
		o.Scale[i] = float32(s)
		o.Shift[i] = float32(float64(p[1][i]) - s*float64(p[2][i]))
	}
	return l.net.add(n.Outputs[0], o, graph.Float, x.Shape, x)
}

// scaled lowers arithmetic of x with constants c along an axis; first says that
// they are the first operand.
func (l *lowering) scaled(n *graph.Node, x *Value, c []float32, axis int, first bool) *Value {
	if n.Op == "Div" && first {
		return nil
	}
	o := &Scale{Axis: axis, Scale: l.net.floats(n.Name, len(c)), Shift: l.net.floats(n.Name, len(c))}
	for i, v := range c {
		o.Scale[i] = 1
		switch n.Op {
		case "Add":
			o.Shift[i] = v
		case "Mul":
			o.Scale[i] = v
		case "Sub":
			o.Shift[i] = -v
			if first {
				o.Scale[i], o.Shift[i] = -1, v
			}
		case "Div":
			o.Scale[i] = 1 / v
		}
	}
	return l.net.add(n.Outputs[0], o, graph.Float, x.Shape, x)
}

// scalar returns x if v is x·scale + shift with two numbers.
func scalar(v *Value, scale, shift float32) (x *Value, ok bool) {
	o, ok := v.producer().(*Scale)
	if !ok || o.Axis >= 0 || o.Act.F != vmath.ActNone || !near(o.Scale[0], scale) || !near(o.Shift[0], shift) {
		return nil, false
	}
	return v.def.In[0].resolve(), true
}

// near allows for the rounding of exporters.
func near(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-6*math.Abs(float64(b)) }

// isIdentity reports whether o changes nothing.
func (o *Scale) isIdentity() bool {
	for i := range o.Scale {
		if o.Scale[i] != 1 || o.Shift[i] != 0 {
			return false
		}
	}
	return o.Act.F == vmath.ActNone
}

func (o *Scale) pictures(n *Node) (int, bool) { return n.keep(o.Axis) }

func (o *Scale) move(perm []int) (Op, bool) {
	p := *o
	if p.Axis >= 0 {
		p.Axis = perm[p.Axis]
	}
	return &p, true
}

func (o *Scale) fuses() fusable {
	return fusable{act: &o.Act, scale: &o.Scale, shift: &o.Shift, axis: &o.Axis}
}

func (o *Scale) inPlace(*Node) (first, end int) { return 0, 1 }
