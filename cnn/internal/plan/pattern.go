package plan

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// patterns recognises what exporters spell out: SiLU as x·Sigmoid(x), HardSwish,
// HardSigmoid and GELU in their several forms, layer normalisation.
func (g *Net) patterns() {
	for _, n := range g.Nodes {
		n.resolve()
		switch o := n.Op.(type) {
		case *Binary:
			switch o.Arith {
			case Mul:
				g.product(n)
			case Div:
				g.normalised(n)
			}
		case *Scale:
			g.sixth(n, o)
		}
	}
	g.link()
}

// product recognises x·f(x).
func (g *Net) product(n *Node) {
	for i := range 2 {
		x, s := n.In[i], n.In[1-i]
		if !sameShape(x, n.Out[0]) || !sameShape(s, n.Out[0]) {
			continue
		}
		switch o := s.producer().(type) {
		case *Activate:
			switch {
			case s.def.In[0] != x:
			case o.Act.F == vmath.ActSigmoid:
				g.rewriteAs(n, Act{F: vmath.ActSiLU}, x, 1)
				return
			case o.Act.F == vmath.ActHardSigmoid && near(o.Act.Alpha, 1./6) && near(o.Act.Beta, 0.5):
				g.rewriteAs(n, Act{F: vmath.ActHardSwish}, x, 1)
				return
			}
			if y := relu6plus3(s); y == x { // x·Clip(x+3, 0, 6)
				g.rewriteAs(n, Act{F: vmath.ActHardSwish}, x, 6)
				return
			}
		case *Scale: // x·(1+Erf(x/√2)), x perhaps halved already
			y := erfPlus1(s)
			if y == nil {
				continue
			}
			if y == x {
				g.rewriteAs(n, Act{F: vmath.ActGELU}, x, 2)
				return
			}
			if h, ok := scalar(x, 0.5, 0); ok && h == y {
				g.rewriteAs(n, Act{F: vmath.ActGELU}, y, 1)
				return
			}
		}
	}
}

// sixth recognises Clip(x+3, 0, 6)/6.
func (g *Net) sixth(n *Node, o *Scale) {
	if x, ok := scalar(n.Out[0], 1./6, 0); ok {
		if y := relu6plus3(x); y != nil {
			g.rewriteAs(n, Act{F: vmath.ActHardSigmoid, Alpha: 1. / 6, Beta: 0.5}, y, 1)
		}
	}
}

// rewriteAs makes n compute times·f(x).
func (g *Net) rewriteAs(n *Node, f Act, x *Value, times float32) {
	y := n.Out[0]
	if times != 1 {
		x = g.add(n.Name, &Activate{Act: f}, graph.Float, y.Shape, x)
		n.Op, n.In = &Scale{Axis: -1, Scale: []float32{times}, Shift: []float32{0}}, []*Value{x}
		return
	}
	n.Op, n.In = &Activate{Act: f}, []*Value{x}
}

// normalised recognises d/√(mean(d²) + eps) with d = x − mean(x), means over the
// last axis: a layer normalisation.
func (g *Net) normalised(n *Node) {
	d, s := n.In[0], n.In[1]
	if !d.binary(Sub) || !s.is("Sqrt") {
		return
	}
	x := d.def.In[0]
	eps, ok := s.def.In[0].producer().(*Scale)
	if !ok || eps.Axis >= 0 || eps.Scale[0] != 1 || eps.Act.F != vmath.ActNone {
		return
	}
	variance := s.def.In[0].def.In[0]
	if !d.def.In[1].meanOfLast() || d.def.In[1].def.In[0] != x || !variance.meanOfLast() {
		return
	}
	switch square := variance.def.In[0]; {
	case square.is("Pow") && square.def.In[0] == d && square.def.In[1].Data != nil && isNumber(square.def.In[1].Data, 2):
	case square.binary(Mul) && square.def.In[0] == d && square.def.In[1] == d:
	default:
		return
	}
	c := x.Shape[len(x.Shape)-1]
	o := &Norm{Eps: eps.Shift[0], Scale: g.floats(n.Name, c)}
	for i := range o.Scale {
		o.Scale[i] = 1
	}
	n.Op, n.In = o, []*Value{x}
}

// is reports whether v is computed by that ONNX operator.
func (v *Value) is(name string) bool {
	o, ok := v.producer().(*Generic)
	return ok && o.node.Op == name
}

// meanOfLast reports whether v is a mean over the last axis, which it keeps.
func (v *Value) meanOfLast() bool {
	if !v.is("ReduceMean") {
		return false
	}
	x := v.def.In[0].Shape
	last := len(x) - 1
	return len(v.Shape) == len(x) && v.Shape[last] == 1 && v.Len()*x[last] == tensor.Size(x)
}

// isNumber reports whether every element of t, one or more, is v.
func isNumber(t *graph.Tensor, v float32) bool {
	return len(t.F) > 0 && !slices.ContainsFunc(t.F, func(x float32) bool { return x != v })
}

// relu6plus3 returns x if v is Clip(x+3, 0, 6).
func relu6plus3(v *Value) *Value {
	if o, ok := v.producer().(*Activate); !ok || o.Act != (Act{F: vmath.ActClip, Beta: 6}) {
		return nil
	}
	x, _ := scalar(v.def.In[0], 1, 3)
	return x
}

// erfPlus1 returns x if v is Erf(x/√2) + 1.
func erfPlus1(v *Value) *Value {
	e, ok := scalar(v, 1, 1)
	if !ok || !e.is("Erf") {
		return nil
	}
	x, _ := scalar(e.def.In[0], 1/math.Sqrt2, 0)
	return x
}
