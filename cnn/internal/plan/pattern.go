package plan

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// patterns recognises what exporters spell out: SiLU as x·Sigmoid(x), HardSwish,
// HardSigmoid and GELU in their several forms, layer normalisation.
func (g *net) patterns() {
	for _, n := range g.nodes {
		n.resolve()
		switch o := n.op.(type) {
		case *binaryOp:
			switch o.op {
			case mul:
				g.product(n)
			case div:
				g.normalised(n)
			}
		case *scaleOp:
			g.sixth(n, o)
		}
	}
	g.link()
}

// product recognises x·f(x).
func (g *net) product(n *node) {
	for i := range 2 {
		x, s := n.in[i], n.in[1-i]
		if !sameShape(x, n.out[0]) || !sameShape(s, n.out[0]) {
			continue
		}
		switch o := s.producer().(type) {
		case *actOp:
			switch {
			case s.def.in[0] != x:
			case o.f == vmath.ActSigmoid:
				g.become(n, act{f: vmath.ActSiLU}, x, 1)
				return
			case o.f == vmath.ActHardSigmoid && near(o.a, 1./6) && near(o.b, 0.5):
				g.become(n, act{f: vmath.ActHardSwish}, x, 1)
				return
			}
			if y := relu6plus3(s); y == x { // x·Clip(x+3, 0, 6)
				g.become(n, act{f: vmath.ActHardSwish}, x, 6)
				return
			}
		case *scaleOp: // x·(1+Erf(x/√2)), x perhaps halved already
			y := erfPlus1(s)
			if y == nil {
				continue
			}
			if y == x {
				g.become(n, act{f: vmath.ActGELU}, x, 2)
				return
			}
			if h, ok := scalar(x, 0.5, 0); ok && h == y {
				g.become(n, act{f: vmath.ActGELU}, y, 1)
				return
			}
		}
	}
}

// sixth recognises Clip(x+3, 0, 6)/6.
func (g *net) sixth(n *node, o *scaleOp) {
	if x, ok := scalar(n.out[0], 1./6, 0); ok {
		if y := relu6plus3(x); y != nil {
			g.become(n, act{f: vmath.ActHardSigmoid, a: 1. / 6, b: 0.5}, y, 1)
		}
	}
}

// become makes n compute times·f(x).
func (g *net) become(n *node, f act, x *value, times float32) {
	y := n.out[0]
	if times != 1 {
		x = g.add(n.name, &actOp{f}, graph.Float, y.shape, x)
		n.op, n.in = &scaleOp{axis: -1, scale: []float32{times}, shift: []float32{0}}, []*value{x}
		return
	}
	n.op, n.in = &actOp{f}, []*value{x}
}

// normalised recognises d/√(mean(d²) + eps) with d = x − mean(x), means over the
// last axis: a layer normalisation.
func (g *net) normalised(n *node) {
	d, s := n.in[0], n.in[1]
	sub, ok := d.producer().(*binaryOp)
	if !ok || sub.op != '-' || !s.is("Sqrt") {
		return
	}
	x := d.def.in[0]
	eps, ok := s.def.in[0].producer().(*scaleOp)
	if !ok || eps.axis >= 0 || eps.scale[0] != 1 || eps.act.f != vmath.ActNone {
		return
	}
	variance := s.def.in[0].def.in[0]
	if !d.def.in[1].meanOfLast() || d.def.in[1].def.in[0] != x || !variance.meanOfLast() {
		return
	}
	switch square := variance.def.in[0]; {
	case square.is("Pow") && square.def.in[0] == d && square.def.in[1].data != nil && isNumber(square.def.in[1].data, 2):
	case square.isProduct() && square.def.in[0] == d && square.def.in[1] == d:
	default:
		return
	}
	c := x.shape[len(x.shape)-1]
	o := &normOp{eps: eps.shift[0], scale: g.floats(n.name, c)}
	for i := range o.scale {
		o.scale[i] = 1
	}
	n.op, n.in = o, []*value{x}
}

// producer returns the operator that computes v, nil if there is none.
func (v *value) producer() op {
	if v.def == nil {
		return nil
	}
	return v.def.op
}

// is reports whether v is computed by that ONNX operator.
func (v *value) is(name string) bool {
	o, ok := v.producer().(*genericOp)
	return ok && o.node.Op == name
}

func (v *value) isProduct() bool {
	o, ok := v.producer().(*binaryOp)
	return ok && o.op == mul
}

// meanOfLast reports whether v is a mean over the last axis, which it keeps.
func (v *value) meanOfLast() bool {
	if !v.is("ReduceMean") {
		return false
	}
	x := v.def.in[0].shape
	last := len(x) - 1
	return len(v.shape) == len(x) && v.shape[last] == 1 && v.len()*x[last] == size(x)
}

// isNumber reports whether every element of t, one or more, is v.
func isNumber(t *graph.Tensor, v float32) bool {
	return len(t.F) > 0 && !slices.ContainsFunc(t.F, func(x float32) bool { return x != v })
}

// relu6plus3 returns x if v is Clip(x+3, 0, 6).
func relu6plus3(v *value) *value {
	if o, ok := v.producer().(*actOp); !ok || o.f != vmath.ActClip || o.a != 0 || o.b != 6 {
		return nil
	}
	x, _ := scalar(v.def.in[0], 1, 3)
	return x
}

// erfPlus1 returns x if v is Erf(x/√2) + 1.
func erfPlus1(v *value) *value {
	e, ok := scalar(v, 1, 1)
	if !ok || !e.is("Erf") {
		return nil
	}
	x, _ := scalar(e.def.in[0], 1/math.Sqrt2, 0)
	return x
}

// scalar returns x if v is x·scale + shift with two numbers.
func scalar(v *value, scale, shift float32) (x *value, ok bool) {
	o, ok := v.producer().(*scaleOp)
	if !ok || o.axis >= 0 || o.act.f != vmath.ActNone || !near(o.scale[0], scale) || !near(o.shift[0], shift) {
		return nil, false
	}
	return v.def.in[0].resolve(), true
}

// near allows for the rounding of exporters.
func near(a, b float32) bool { return math.Abs(float64(a-b)) <= 1e-6*math.Abs(float64(b)) }
