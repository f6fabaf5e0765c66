package exec

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/winograd"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/internal/weights"
)

// epilogue returns that of n in the terms of the kernels, from output channel first
// of ld on.
func epilogue[T number](s *state, n *plan.Node, e *plan.Epilogue, first, ld int) kernels.EpilogueOf[T] {
	k := kernels.EpilogueOf[T]{Act: e.Act.F, Alpha: e.Act.A, Beta: e.Act.B}
	if e.Bias != nil {
		k.Bias = e.Bias[first:]
	}
	if e.Residual {
		k.Residual, k.LdRes = data[T](s, n.In[1])[first:], ld
	}
	return k
}

// dense runs a plan.Dense.
type dense struct {
	n    *plan.Node
	o    *plan.Dense
	b    *matmul.PackedB
	half *matmul.PackedBF16 // instead of b, for bf16
}

func newDense(n *plan.Node, o *plan.Dense, p *packing.Packer) *dense {
	d := &dense{n: n, o: o}
	w, scale := o.W, o.Scale
	o.W, o.Scale = weights.Data{}, nil
	switch {
	case n.BF16:
		p.Apart(2 * matmul.SizeBF16(o.K, o.N))
		p.Do(func(scratch *weights.Scratch) {
			ld := o.N
			if o.Trans {
				ld = o.K
			}
			m := w.View(0, o.K*o.N, scratch)
			if scale != nil {
				m = slices.Clone(m)
				for i := range m {
					col := i % ld
					if o.Trans {
						col = i / ld
					}
					m[i] *= scale[col]
				}
			}
			d.half = matmul.PackBF16(o.Trans, o.K, o.N, m, ld)
		})
	case o.Trans:
		d.b = p.Filters(o.N, o.K, 1, w, scale)
	default:
		d.b = p.Rows(o.K, o.N, w, scale)
	}
	return d
}

func (d *dense) run(s *state) error {
	n, k, cols := d.n, d.o.K, d.o.N
	if d.half != nil {
		x, ep := data[vmath.BF16](s, n.In[0]), epilogue[vmath.BF16](s, n, &d.o.Epilogue, 0, cols)
		if n.Out[0].BF16 {
			d.half.Mul(len(x)/k, x, k, data[vmath.BF16](s, n.Out[0]), cols, &ep, &s.team)
		} else {
			d.half.MulFloat32(len(x)/k, x, k, s.out(n), cols, &ep, &s.team)
		}
		return nil
	}
	x, y, ep := s.in(n, 0), s.out(n), epilogue[float32](s, n, &d.o.Epilogue, 0, cols)
	if !d.o.Gated {
		d.b.Mul(len(x)/k, x, k, y, cols, &ep, &s.team)
		return nil
	}
	gate := s.in(n, len(n.In)-1)
	pictures := len(gate) / k
	rows := len(x) / k / pictures
	for i := range pictures {
		d.b.MulScaled(rows, x[i*rows*k:], k, gate[i*k:][:k], y[i*rows*cols:], cols, &ep, &s.team)
		if ep.Residual != nil {
			ep.Residual = ep.Residual[rows*cols:]
		}
	}
	return nil
}

// conv runs a plan.Conv, by one of its forms of packed weights.
type conv struct {
	n        *plan.Node
	o        *plan.Conv
	groups   []*matmul.PackedB // filters of each group
	wino     *winograd.Filters
	taps     []float32 // depthwise: [KH·KW][channels]
	half     []*matmul.PackedBF16
	winoHalf *winograd.FiltersBF16
}

func newConv(n *plan.Node, o *plan.Conv, p *packing.Packer) *conv {
	c := &conv{n: n, o: o}
	taps, per, w, scale := o.KH*o.KW, o.Filters/o.Groups, o.W, o.Scale
	o.W, o.Scale = weights.Data{}, nil
	switch {
	case o.Depthwise():
		p.Floats(&c.taps, taps*o.Filters)
		p.Do(func(scratch *weights.Scratch) {
			f := w.View(0, o.Filters*taps, scratch)
			for ch := range o.Filters {
				for t, v := range f[ch*taps:][:taps] {
					c.taps[t*o.Filters+ch] = v * factor(scale, ch)
				}
			}
		})
	case n.BF16:
		k := (o.C + o.Fill) * taps
		if o.Winograd > 0 {
			p.Apart(2 * winograd.SizeBF16(o.C, o.Filters))
		} else {
			p.Apart(2 * o.Groups * matmul.SizeBF16(k, per))
		}
		p.Do(func(scratch *weights.Scratch) {
			m := filters(o, w.View(0, w.Len(), scratch), scale)
			if o.Winograd > 0 {
				c.winoHalf = winograd.PackBF16(o.C, o.Filters, m)
				return
			}
			for g := range o.Groups {
				c.half = append(c.half, matmul.PackBF16(true, k, per, m[g*per*k:], k))
			}
		})
	case o.Winograd > 0:
		c.wino = p.Winograd(o.Winograd, o.Filters, o.C, w, scale)
	case o.Planar: // the taps of a channel are together, as the weights have them
		c.groups = append(c.groups, p.Filters(o.Filters, o.C*taps, 1, w, scale))
	default:
		size := per * o.C * taps
		for g := range o.Groups {
			var f []float32
			if scale != nil {
				f = scale[g*per:][:per]
			}
			c.groups = append(c.groups, p.Filters(per, o.C, taps, w.Part(g*size, (g+1)*size), f))
		}
	}
	return c
}

// filters returns the weights with their factors multiplied in, [Filters][KH·KW][C].
func filters(o *plan.Conv, w, scale []float32) []float32 {
	taps, channels := o.KH*o.KW, o.C+o.Fill
	m := make([]float32, o.Filters*taps*channels)
	for i := range o.Filters {
		f := factor(scale, i)
		src, dst := w[i*o.C*taps:][:o.C*taps], m[i*channels*taps:][:channels*taps]
		for c := range o.C {
			for t := range taps {
				dst[t*channels+c] = f * src[c*taps+t]
			}
		}
	}
	return m
}

// factor returns that of filter i; without factors it is one.
func factor(scale []float32, i int) float32 {
	if scale == nil {
		return 1
	}
	return scale[i]
}

func (c *conv) run(s *state) error {
	n, o := c.n, c.o
	in, out := s.shape(n.In[0]), s.shape(n.Out[0])
	if n.BF16 {
		c.runBF16(s, in, out)
		return nil
	}
	x, y, ep := s.in(n, 0), s.out(n), epilogue[float32](s, n, &o.Epilogue, 0, o.Filters)
	switch {
	case o.Planar:
		g := o.Geometry([]int{in[0], in[2], in[3], in[1]}, out, o.C)
		c.groups[0].ConvPlanar(&g, in[0], x, y, o.Filters, &ep, &s.team)
	case o.Depthwise():
		g := o.Geometry(in, out, o.Filters)
		depthwise.Conv(&g, in[0], x, c.taps, y, o.Filters, &ep, &s.team)
	case c.wino != nil:
		g := o.Geometry(in, out, o.C)
		c.wino.Conv(&g, in[0], x, y, o.Filters, &ep, &s.team)
	default:
		g := o.Geometry(in, out, o.C)
		matmul.ConvGroups(c.groups, &g, in[0], x, y, o.Filters, &ep, &s.team)
	}
	return nil
}

func (c *conv) runBF16(s *state, in, out []int) {
	n, o := c.n, c.o
	x, y := data[vmath.BF16](s, n.In[0]), data[vmath.BF16](s, n.Out[0])
	ep := epilogue[vmath.BF16](s, n, &o.Epilogue, 0, o.Filters)
	if o.Depthwise() {
		g := o.Geometry(in, out, o.Filters)
		depthwise.Conv(&g, in[0], x, c.taps, y, o.Filters, &ep, &s.team)
		return
	}
	g := o.Geometry(in, out, o.C+o.Fill)
	if c.winoHalf != nil {
		c.winoHalf.Conv(&g, in[0], x, y, o.Filters, &ep, &s.team)
		return
	}
	for i, b := range c.half {
		first := i * b.N()
		ep := epilogue[vmath.BF16](s, n, &o.Epilogue, first, o.Filters)
		if n.Out[0].BF16 {
			b.Conv(&g, in[0], x[i*o.C:], y[first:], o.Filters, &ep, &s.team)
		} else {
			b.ConvFloat32(&g, in[0], x[i*o.C:], s.out(n)[first:], o.Filters, &ep, &s.team)
		}
	}
}

// pooling runs a plan.Pool.
type pooling struct {
	n *plan.Node
	o *plan.Pool
}

func (p *pooling) run(s *state) error {
	in, out := s.shape(p.n.In[0]), s.shape(p.n.Out[0])
	g := p.o.Geometry(in, out, in[3])
	if p.n.BF16 {
		x, y := data[vmath.BF16](s, p.n.In[0]), data[vmath.BF16](s, p.n.Out[0])
		if p.o.Max {
			depthwise.MaxPool(&g, in[0], x, y, in[3], &s.team)
		} else {
			depthwise.AveragePool(&g, in[0], p.o.CountPad, x, y, in[3], &s.team)
		}
		return nil
	}
	if p.o.Max {
		depthwise.MaxPool(&g, in[0], s.in(p.n, 0), s.out(p.n), in[3], &s.team)
	} else {
		depthwise.AveragePool(&g, in[0], p.o.CountPad, s.in(p.n, 0), s.out(p.n), in[3], &s.team)
	}
	return nil
}

// mean runs a plan.Mean, some channels at a time.
type mean struct{ n *plan.Node }

// strip is how many channels mean takes in one go.
const strip = 64

func (m *mean) run(s *state) error {
	in := s.shape(m.n.In[0])
	return s.split(m, (in[3]+strip-1)/strip, 4*strip*in[0]*in[1]*in[2])
}

func (m *mean) part(s *state, lo, hi int) {
	in := s.shape(m.n.In[0])
	lo, hi = lo*strip, min(hi*strip, in[3])
	g := kernels.Conv{H: in[1], W: in[2], C: hi - lo, Ld: in[3], KH: in[1], KW: in[2], OH: 1, OW: 1}
	if y := s.out(m.n)[lo:]; m.n.BF16 {
		depthwise.AveragePoolFloat32(&g, in[0], false, data[vmath.BF16](s, m.n.In[0])[lo:], y, in[3], nil)
	} else {
		depthwise.AveragePool(&g, in[0], false, s.in(m.n, 0)[lo:], y, in[3], nil)
	}
}
