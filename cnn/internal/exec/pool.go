package exec

import (
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// pooling runs a plan.Pool.
type pooling[T kernels.Value] struct {
	n *plan.Node
	o *plan.Pool
}

func (p *pooling[T]) run(s *state) error {
	in, x, y := s.shape(p.n.In[0]), data[T](s, p.n.In[0]), data[T](s, p.n.Out[0])
	g := p.o.Geometry(in, s.shape(p.n.Out[0]), in[3])
	if p.o.Max {
		depthwise.MaxPool(&g, in[0], x, y, in[3], &s.team)
	} else {
		depthwise.AveragePool(&g, in[0], p.o.CountPad, x, y, in[3], &s.team)
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
