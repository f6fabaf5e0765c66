package exec

import (
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/packing"
)

// chain runs a plan.Chain.
type chain struct {
	n         *plan.Node
	o         *plan.Chain
	dense     *dense // the first operator, or
	planar    *conv
	depthwise *channelwise[float32]
	project   *dense // nil for none
}

func newChain(n *plan.Node, o *plan.Chain, p *packing.Packer) *chain {
	c := &chain{n: n, o: o}
	switch f := o.Expand.Op.(type) {
	case *plan.Dense:
		c.dense = newDense(o.Expand, f, p)
	case *plan.Conv:
		c.planar = newConvFloat32(o.Expand, f, p)
	}
	c.depthwise = newChannelwise[float32](o.Depthwise, o.Depthwise.Op.(*plan.Conv), p)
	if o.Project != nil {
		c.project = newDense(o.Project, o.Project.Op.(*plan.Dense), p)
	}
	return c
}

func (c *chain) run(s *state) error {
	rows := s.shape(c.n.Out[0])[0] * c.o.Filtered().Shape[1]
	// Neighbouring parts both compute the rows that they share: there should be few.
	parts := 1
	if threads := s.team.Size(); threads > 1 {
		parts = min(2*threads, rows)
	}
	s.bands(c.part, rows, parts)
	return nil
}

// part computes the rows lo…hi-1 of the output, counted over all pictures.
func (c *chain) part(s *state, lo, hi int) {
	w := getScratch(c.o.Floats())
	defer scratches.Put(w)
	height := c.o.Filtered().Shape[1]
	for lo < hi {
		y := lo % height
		end := min(y+hi-lo, height)
		c.picture(s, w, lo/height, y, end)
		lo += end - y
	}
}

// picture computes the rows y…end-1 of a picture.
func (c *chain) picture(s *state, w *scratch, picture, y, end int) {
	d := c.depthwise.o
	height, line := c.o.Expanded().Shape[1], tensor.Size(c.o.Expanded().Shape[2:])
	at, from, to := 0, 0, 0 // rows from…to-1 of the expanded map are in w.a from row at on
	for rows := c.o.Rows; y < end; y += rows {
		rows = min(rows, end-y)
		lo := min(max(y*d.StrideH-d.PadTop, 0), height)
		hi := min(max((y+rows-1)*d.StrideH-d.PadTop+(d.KH-1)*d.DilH+1, lo), height)
		if lo >= to { // no rows can be used again
			at, from, to = 0, lo, lo
		}
		at, from = at+lo-from, lo
		if at+hi-lo > c.o.Held {
			copy(w.a, w.a[at*line:(at+to-from)*line])
			at = 0
		}
		if hi > to {
			c.expandRows(s, w.a[(at+to-from)*line:], picture, to, hi)
			to = hi
		}
		c.filterRows(s, w, w.a[at*line:], picture, y, rows, from, to)
	}
}

// expandRows computes the rows lo…hi-1 of a picture's expanded map to dst.
func (c *chain) expandRows(s *state, dst []float32, picture, lo, hi int) {
	x, shape := s.in(c.n, 0), c.o.Expanded().Shape
	height, width, channels := shape[1], shape[2], shape[3]
	if f := c.dense; f != nil {
		ep := epilogue[float32](s, c.n, &f.o.Linear, 0, 0)
		f.b.Mul((hi-lo)*width, x[(picture*height+lo)*width*f.o.K:], f.o.K, dst, channels, &ep, nil)
		return
	}
	f, in := c.planar, s.shape(c.n.In[0]) // [N,C,H,W]
	ep := epilogue[float32](s, c.n, &f.o.Linear, 0, 0)
	g := f.o.Geometry([]int{1, in[2], in[3], in[1]}, []int{1, hi - lo, width, channels}, f.o.C)
	g.PadTop -= lo * f.o.StrideH
	f.groups[0].ConvPlanar(&g, 1, x[picture*tensor.Size(in[1:]):], dst, channels, &ep, nil)
}

// filterRows computes, from the rows from…to-1 of the expanded map, so many rows of
// the output from y on.
func (c *chain) filterRows(s *state, w *scratch, expanded []float32, picture, y, rows, from, to int) {
	d, shape := c.depthwise, c.o.Filtered().Shape
	height, width, channels := shape[1], shape[2], shape[3]
	g := d.o.Geometry([]int{1, to - from, c.o.Expanded().Shape[2], channels}, []int{1, rows, width, channels}, channels)
	g.PadTop += from - y*d.o.StrideH
	ep := epilogue[float32](s, c.n, &d.o.Linear, 0, 0)
	first, out := (picture*height+y)*width, s.out(c.n)
	if c.project == nil {
		depthwise.Conv(&g, 1, expanded, d.taps, out[first*channels:], channels, &ep, nil)
		return
	}
	depthwise.Conv(&g, 1, expanded, d.taps, w.b, channels, &ep, nil)
	p := c.project
	n := p.o.N
	e := epilogue[float32](s, c.n, &p.o.Linear, 0, n)
	if e.Residual != nil {
		e.Residual = e.Residual[first*n:]
	}
	p.b.Mul(rows*width, w.b, channels, out[first*n:], n, &e, nil)
}
