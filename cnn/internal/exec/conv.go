package exec

import (
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/winograd"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/internal/weights"
)

// newConv returns the step for a plan.Conv: that of one of its kernels.
func newConv(n *plan.Node, o *plan.Conv, p *packing.Packer) step {
	switch {
	case o.Depthwise():
		if n.BF16 {
			return step{run: newChannelwise[vmath.BF16](n, o, p).run}
		}
		return step{run: newChannelwise[float32](n, o, p).run}
	case n.BF16:
		return step{run: newConvBF16(n, o, p).run}
	}
	return step{run: newConvFloat32(n, o, p).run}
}

// conv runs a plan.Conv on float32.
type conv struct {
	n      *plan.Node
	o      *plan.Conv
	groups []*matmul.PackedB // filters of each group
	wino   *winograd.Filters // instead
}

func newConvFloat32(n *plan.Node, o *plan.Conv, p *packing.Packer) *conv {
	c := &conv{n: n, o: o}
	taps, per := o.KH*o.KW, o.Filters/o.Groups
	switch {
	case o.Winograd > 0:
		c.wino = p.Winograd(o.Winograd, o.Filters, o.C, o.W, o.Scale)
	case o.Planar: // the taps of a channel are together, as the weights have them
		c.groups = append(c.groups, p.Filters(o.Filters, o.C*taps, 1, o.W, o.Scale))
	default:
		size := per * o.C * taps
		for g := range o.Groups {
			var f []float32
			if o.Scale != nil {
				f = o.Scale[g*per:][:per]
			}
			c.groups = append(c.groups, p.Filters(per, o.C, taps, o.W.Part(g*size, (g+1)*size), f))
		}
	}
	return c
}

func (c *conv) run(s *state) error {
	n, o := c.n, c.o
	in, out := s.shape(n.In[0]), s.shape(n.Out[0])
	x, y, ep := s.in(n, 0), s.out(n), epilogue[float32](s, n, &o.Linear, 0, o.Filters)
	if o.Planar {
		g := o.Geometry([]int{in[0], in[2], in[3], in[1]}, out, o.C)
		c.groups[0].ConvPlanar(&g, in[0], x, y, o.Filters, &ep, &s.team)
		return nil
	}
	g := o.Geometry(in, out, o.C)
	if c.wino != nil {
		c.wino.Conv(&g, in[0], x, y, o.Filters, &ep, &s.team)
	} else {
		matmul.ConvGroups(c.groups, &g, in[0], x, y, o.Filters, &ep, &s.team)
	}
	return nil
}

// channelwise runs a plan.Conv that is depthwise.
type channelwise[T kernels.Value] struct {
	n    *plan.Node
	o    *plan.Conv
	taps []float32 // [KH·KW][channels]
}

func newChannelwise[T kernels.Value](n *plan.Node, o *plan.Conv, p *packing.Packer) *channelwise[T] {
	c, taps := &channelwise[T]{n: n, o: o}, o.KH*o.KW
	p.Floats(&c.taps, taps*o.Filters)
	p.Do(func(scratch *weights.Scratch) {
		f := o.W.View(0, o.Filters*taps, scratch)
		for ch := range o.Filters {
			for t, v := range f[ch*taps:][:taps] {
				c.taps[t*o.Filters+ch] = v * factor(o.Scale, ch)
			}
		}
	})
	return c
}

func (c *channelwise[T]) run(s *state) error {
	n, o := c.n, c.o
	in, ep := s.shape(n.In[0]), epilogue[T](s, n, &o.Linear, 0, o.Filters)
	g := o.Geometry(in, s.shape(n.Out[0]), o.Filters)
	depthwise.Conv(&g, in[0], data[T](s, n.In[0]), c.taps, data[T](s, n.Out[0]), o.Filters, &ep, &s.team)
	return nil
}

// convBF16 runs a plan.Conv on bf16.
type convBF16 struct {
	n      *plan.Node
	o      *plan.Conv
	groups []*matmul.PackedBF16  // filters of each group
	wino   *winograd.FiltersBF16 // instead
}

func newConvBF16(n *plan.Node, o *plan.Conv, p *packing.Packer) *convBF16 {
	c, per, k := &convBF16{n: n, o: o}, o.Filters/o.Groups, (o.C+o.Fill)*o.KH*o.KW
	if o.Winograd > 0 {
		p.Apart(2 * winograd.SizeBF16(o.C, o.Filters))
	} else {
		p.Apart(2 * o.Groups * matmul.SizeBF16(k, per))
	}
	p.Do(func(scratch *weights.Scratch) {
		m := filters(o, o.W.View(0, o.W.Len(), scratch))
		if o.Winograd > 0 {
			c.wino = winograd.PackBF16(o.C, o.Filters, m)
			return
		}
		for g := range o.Groups {
			c.groups = append(c.groups, matmul.PackBF16(true, k, per, m[g*per*k:], k))
		}
	})
	return c
}

// filters returns the weights with their factors multiplied in, [Filters][KH·KW][C].
func filters(o *plan.Conv, w []float32) []float32 {
	taps, channels := o.KH*o.KW, o.C+o.Fill
	m := make([]float32, o.Filters*taps*channels)
	for i := range o.Filters {
		f := factor(o.Scale, i)
		src, dst := w[i*o.C*taps:][:o.C*taps], m[i*channels*taps:][:channels*taps]
		for c := range o.C {
			for t := range taps {
				dst[t*channels+c] = f * src[c*taps+t]
			}
		}
	}
	return m
}

// factor returns the factor of filter i, 1 where there are none.
func factor(scale []float32, i int) float32 {
	if scale == nil {
		return 1
	}
	return scale[i]
}

func (c *convBF16) run(s *state) error {
	n, o := c.n, c.o
	in, x, y := s.shape(n.In[0]), data[vmath.BF16](s, n.In[0]), data[vmath.BF16](s, n.Out[0])
	g := o.Geometry(in, s.shape(n.Out[0]), o.C+o.Fill)
	if c.wino != nil {
		ep := epilogue[vmath.BF16](s, n, &o.Linear, 0, o.Filters)
		c.wino.Conv(&g, in[0], x, y, o.Filters, &ep, &s.team)
		return nil
	}
	for i, b := range c.groups {
		first := i * b.N()
		ep := epilogue[vmath.BF16](s, n, &o.Linear, first, o.Filters)
		if n.Out[0].BF16 {
			b.Conv(&g, in[0], x[i*o.C:], y[first:], o.Filters, &ep, &s.team)
		} else {
			b.ConvFloat32(&g, in[0], x[i*o.C:], s.out(n)[first:], o.Filters, &ep, &s.team)
		}
	}
	return nil
}
