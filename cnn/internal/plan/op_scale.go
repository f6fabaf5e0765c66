package plan

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// scaleOp computes act(in[0]·scale + shift), with a scale and shift for each
// index of one axis: a batch normalisation, or arithmetic with constants.
type scaleOp struct {
	axis         int // -1 where scale and shift are the same for all: one element
	scale, shift []float32
	act          act
}

// A perChannel is a constant that varies along one axis at most.
type perChannel struct {
	axis int // -1 where it is a single number
	data []float32
}

func (c perChannel) at(i int) float32 {
	if c.axis < 0 {
		return c.data[0]
	}
	return c.data[i]
}

// channels views a constant that broadcasts to shape, of the given rank, as one
// number for each index of an axis; ok is false where it varies along several.
func channels(t *graph.Tensor, rank int, shape []int) (c perChannel, ok bool) {
	c = perChannel{axis: -1, data: t.F}
	off := rank - len(t.Shape)
	if off < 0 || len(t.F) == 0 {
		return c, false
	}
	for i, d := range t.Shape {
		if d == 1 {
			continue
		}
		if c.axis >= 0 || d != shape[off+i] {
			return c, false
		}
		c.axis = off + i
	}
	return c, true
}

// batchNorm lowers an inference-time BatchNormalization: with its statistics
// constant it is a scale and a shift.
func (l *lowering) batchNorm(n *graph.Node, x *value) *value {
	var p [4][]float32 // scale, bias, mean, variance
	for i := range p {
		t, ok := l.floats(n, i+1)
		if !ok || t == nil {
			return nil
		}
		p[i] = t.F
	}
	if len(x.shape) < 2 || n.Int("training_mode", 0) != 0 {
		return nil
	}
	eps := float64(n.Float("epsilon", 1e-5))
	o := &scaleOp{axis: 1, scale: l.net.floats(n.Name, len(p[0])), shift: l.net.floats(n.Name, len(p[0]))}
	for i := range o.scale {
		s := float64(p[0][i]) / math.Sqrt(float64(p[3][i])+eps)
		o.scale[i] = float32(s)
		o.shift[i] = float32(float64(p[1][i]) - s*float64(p[2][i]))
	}
	return l.net.add(n.Outputs[0], o, graph.Float, x.shape, x)
}

// scaled lowers arithmetic of x with the constant c; first says that c is the
// first operand.
func (l *lowering) scaled(n *graph.Node, x *value, c perChannel, first bool) *value {
	if n.Op == "Div" && first {
		return nil
	}
	o := &scaleOp{axis: c.axis, scale: l.net.floats(n.Name, len(c.data)), shift: l.net.floats(n.Name, len(c.data))}
	for i, v := range c.data {
		o.scale[i] = 1
		switch n.Op {
		case "Add":
			o.shift[i] = v
		case "Mul":
			o.scale[i] = v
		case "Sub":
			o.shift[i] = -v
			if first {
				o.scale[i], o.shift[i] = -1, v
			}
		case "Div":
			o.scale[i] = 1 / v
		}
	}
	return l.net.add(n.Outputs[0], o, graph.Float, x.shape, x)
}

// merge returns what computes p, which is n's, after o, both of a value of the same
// shape; ok is false where they vary along different axes.
func (g *net) merge(n *node, o, p *scaleOp) (m *scaleOp, ok bool) {
	if o.act.f != vmath.ActNone || o.axis != p.axis && o.axis >= 0 && p.axis >= 0 {
		return nil, false
	}
	size := max(len(o.scale), len(p.scale))
	m = &scaleOp{axis: max(o.axis, p.axis), act: p.act, scale: g.floats(n.name, size), shift: g.floats(n.name, size)}
	a, b := perChannel{o.axis, o.scale}, perChannel{o.axis, o.shift}
	c, d := perChannel{p.axis, p.scale}, perChannel{p.axis, p.shift}
	for i := range m.scale {
		m.scale[i] = a.at(i) * c.at(i)
		m.shift[i] = b.at(i)*c.at(i) + d.at(i)
	}
	return m, true
}

// nothing reports whether o changes nothing.
func (o *scaleOp) nothing() bool {
	for i := range o.scale {
		if o.scale[i] != 1 || o.shift[i] != 0 {
			return false
		}
	}
	return o.act.f == vmath.ActNone
}

func (o *scaleOp) move(perm []int) (op, bool) {
	p := *o
	if p.axis >= 0 {
		p.axis = perm[p.axis]
	}
	return &p, true
}
