package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/weights"
)

// A fusable points at the parts of an operator that others can be merged into. A part
// that it does not have is nil.
type fusable struct {
	act          *Act       // applied to its output last
	residual     *bool      // whether In[1] is added to its output, before act
	scale, shift *[]float32 // for each channel of its output, before residual; empty for ones and zeros
	axis         *int       // of the channels; nil for the last
	weights      *weights.Data
}

// plain reports whether nothing comes after scale and shift yet.
func (f *fusable) plain() bool {
	return (f.act == nil || f.act.F == vmath.ActNone) && (f.residual == nil || !*f.residual)
}

// fuse merges operators into those before them: constant factors and sums, so
// batch normalisations too, into weights and bias; additions of another branch and
// activations into the epilogue; and padding into the convolution after it.
// Channels must come last, so layout goes before.
func (g *Net) fuse() {
	for _, n := range g.Nodes {
		n.resolve()
		switch o := n.Op.(type) {
		case *Scale:
			g.fuseScale(n, o)
		case *Binary:
			if o.Arith == Add && o.Act.F == vmath.ActNone {
				g.fuseResidual(n)
			}
		case *Activate:
			g.fuseAct(n, o.Act)
		case *Conv:
			g.fusePad(n, o)
		}
	}
	g.link()
}

// absorb makes p compute what n does. Nothing but n uses the output of p.
func (g *Net) absorb(p, n *Node) {
	y := p.Out[0]
	y.Name, y.uses = n.Out[0].Name, n.Out[0].uses
	g.replace(n.Out[0], y)
	if g.Output == n.Out[0] {
		g.Output = y
	}
}

// fuseScale merges a scale and shift into the weights, or the scale and shift,
// before it.
func (g *Net) fuseScale(n *Node, o *Scale) {
	p := g.sole(n.In[0], n)
	if p == nil {
		return
	}
	last := len(n.In[0].Shape) - 1
	f := p.Op.fuses()
	if f.axis == nil {
		f.axis = &last
	}
	if f.scale == nil || !f.plain() || f.act == nil && o.Act.F != vmath.ActNone || o.Axis >= 0 && *f.axis >= 0 && o.Axis != *f.axis {
		return
	}
	*f.axis = max(*f.axis, o.Axis)
	size := 1
	if *f.axis >= 0 {
		size = n.In[0].Shape[*f.axis]
	}
	scale, shift := g.floats(n.Name, size), g.floats(n.Name, size)
	for i := range size {
		scale[i], shift[i] = at(o.Scale, i), at(o.Shift, i)
		if len(*f.shift) > 0 {
			shift[i] += scale[i] * at(*f.shift, i)
		}
		if len(*f.scale) > 0 {
			scale[i] *= at(*f.scale, i)
		}
	}
	*f.scale, *f.shift = scale, shift
	if f.act != nil {
		*f.act = o.Act
	}
	g.absorb(p, n)
	if s, ok := p.Op.(*Scale); ok && s.isIdentity() {
		g.replace(p.Out[0], p.In[0])
	}
}

// fuseResidual merges an addition into the operator that computes one of its
// operands: the later one, which then waits for the other.
func (g *Net) fuseResidual(n *Node) {
	for i := range 2 {
		// Of two candidates take the second: exporters write the branch first
		// that is the longer one, and then the short cut.
		x, r := n.In[i], n.In[1-i]
		p := g.sole(x, n)
		if p == nil || r.Type != graph.Float || !sameShape(x, r) || x == r {
			continue
		}
		f := p.Op.fuses()
		if f.residual == nil || !f.plain() {
			continue
		}
		*f.residual = true
		p.In = append(p.In, r)
		r.uses[slices.Index(r.uses, n)] = p
		g.absorb(p, n)
		return
	}
}

// fuseAct merges an activation into the operator before it.
func (g *Net) fuseAct(n *Node, a Act) {
	p := g.sole(n.In[0], n)
	if p == nil {
		return
	}
	if f := p.Op.fuses(); f.act != nil && f.act.F == vmath.ActNone {
		*f.act = a
		g.absorb(p, n)
	}
}
