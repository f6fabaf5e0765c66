package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// fuse merges operators into the linear ones before them: constant factors and
// sums, so batch normalisations too, into weights and bias; additions of another
// branch and activations into the epilogue; and padding into the convolution
// after it. Channels must come last, so layout goes before.
func (g *net) fuse() {
	for _, n := range g.nodes {
		n.resolve()
		switch o := n.op.(type) {
		case *scaleOp:
			g.fuseScale(n, o)
		case *binaryOp:
			if o.op == add {
				g.fuseResidual(n, o)
			}
		case *actOp:
			g.fuseAct(n, o.act)
		case *convOp:
			g.fusePad(n, o)
		}
	}
	g.link()
}

// absorb makes p compute what n does; p's output was for n only.
func (g *net) absorb(p, n *node) {
	y := p.out[0]
	y.name, y.uses = n.out[0].name, n.out[0].uses
	g.replace(n.out[0], y)
	if g.output == n.out[0] {
		g.output = y
	}
}

// sole returns the node that computes v if n is all that v is for.
func (g *net) sole(v *value, n *node) *node {
	if v.def == nil || !g.only(v, n) {
		return nil
	}
	return v.def
}

// linear returns the parts of a linear operator that other operators can be
// merged into: its epilogue and its factors.
func linear(n *node) (ep *epilogue, scale *[]float32, channels int) {
	if n == nil {
		return nil, nil, 0
	}
	shape := n.out[0].shape
	switch o := n.op.(type) {
	case *convOp:
		return &o.epilogue, &o.scale, shape[len(shape)-1]
	case *denseOp:
		return &o.epilogue, &o.scale, shape[len(shape)-1]
	}
	return nil, nil, 0
}

// fuseScale merges a scale and shift into the weights before it, or into a scale
// and shift before it.
func (g *net) fuseScale(n *node, o *scaleOp) {
	p := g.sole(n.in[0], n)
	if p == nil {
		return
	}
	if s, ok := p.op.(*scaleOp); ok {
		if m, ok := g.merge(n, s, o); ok {
			p.op = m
			g.absorb(p, n)
			if m.nothing() {
				g.replace(p.out[0], p.in[0])
			}
		}
		return
	}
	if norm, ok := p.op.(*normOp); ok {
		g.fuseNorm(n, p, norm, o)
		return
	}
	ep, scale, c := linear(p)
	if ep == nil || ep.residual || ep.act.f != vmath.ActNone || o.axis >= 0 && o.axis != len(n.in[0].shape)-1 {
		return
	}
	s, t := perChannel{o.axis, o.scale}, perChannel{o.axis, o.shift}
	factors, bias := g.floats(n.name, c), g.floats(n.name, c)
	for i := range c {
		factors[i], bias[i] = s.at(i), t.at(i)
		if *scale != nil {
			factors[i] *= (*scale)[i]
		}
		if ep.bias != nil {
			bias[i] += s.at(i) * ep.bias[i]
		}
	}
	*scale, ep.bias, ep.act = factors, bias, o.act
	g.absorb(p, n)
}

// fuseNorm merges a scale and shift into the normalisation before it.
func (g *net) fuseNorm(n, p *node, norm *normOp, o *scaleOp) {
	if o.act.f != vmath.ActNone || o.axis >= 0 && o.axis != len(n.in[0].shape)-1 {
		return
	}
	s, t := perChannel{o.axis, o.scale}, perChannel{o.axis, o.shift}
	scale, bias := g.floats(n.name, len(norm.scale)), g.floats(n.name, len(norm.scale))
	for i := range scale {
		scale[i] = norm.scale[i] * s.at(i)
		bias[i] = t.at(i)
		if norm.bias != nil {
			bias[i] += s.at(i) * norm.bias[i]
		}
	}
	p.op = &normOp{eps: norm.eps, scale: scale, bias: bias}
	g.absorb(p, n)
}

// fuseResidual merges an addition into the operator that computes one of its
// operands: the later one, which then waits for the other.
func (g *net) fuseResidual(n *node, o *binaryOp) {
	for i := range 2 {
		// Of two candidates take the second: exporters write the branch first
		// that is the longer one, and then the short cut.
		x, r := n.in[i], n.in[1-i]
		p := g.sole(x, n)
		ep, _, _ := linear(p)
		if ep == nil || ep.residual || ep.act.f != vmath.ActNone || o.act.f != vmath.ActNone ||
			r.typ != graph.Float || !sameShape(x, r) || x == r {
			continue
		}
		ep.residual = true
		p.in = append(p.in, r)
		r.uses[slices.Index(r.uses, n)] = p
		g.absorb(p, n)
		return
	}
}

// fuseAct merges an activation into the operator before it.
func (g *net) fuseAct(n *node, f act) {
	p := g.sole(n.in[0], n)
	if p == nil {
		return
	}
	a := (*act)(nil)
	switch o := p.op.(type) {
	case *convOp:
		a = &o.act
	case *denseOp:
		a = &o.act
	case *scaleOp:
		a = &o.act
	case *binaryOp:
		a = &o.act
	}
	if a == nil || a.f != vmath.ActNone {
		return
	}
	*a = f
	g.absorb(p, n)
}

// fusePad lets a convolution pad by itself.
func (g *net) fusePad(n *node, o *convOp) {
	p, ok := n.in[0].producer().(*padOp)
	if !ok || p.before[0]+p.after[0]+p.before[3]+p.after[3] != 0 {
		return
	}
	o.top += p.before[1]
	o.left += p.before[2]
	o.bottom += p.after[1]
	o.right += p.after[2]
	n.in[0] = n.in[0].def.in[0]
}
