package exec

import (
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// pool runs a plan.Pool.
func pool[T kernels.Value](n *plan.Node, o *plan.Pool) step {
	return step{run: func(s *state) error {
		in, x, y := s.shape(n.In[0]), data[T](s, n.In[0]), data[T](s, n.Out[0])
		g := o.Geometry(in, s.shape(n.Out[0]), in[3])
		if o.Max {
			depthwise.MaxPool(&g, in[0], x, y, in[3], &s.team)
		} else {
			depthwise.AveragePool(&g, in[0], o.CountPad, x, y, in[3], &s.team)
		}
		return nil
	}}
}

// mean runs a plan.Mean; a row is strip channels.
func mean(n *plan.Node) step {
	const strip = 64
	return step{rows: func(s *state) (rows, work int) {
		in := s.shape(n.In[0])
		return (in[3] + strip - 1) / strip, 4 * strip * in[0] * in[1] * in[2]
	}, part: func(s *state, lo, hi int) {
		in := s.shape(n.In[0])
		lo, hi = lo*strip, min(hi*strip, in[3])
		g := kernels.Conv{H: in[1], W: in[2], C: hi - lo, Ld: in[3], KH: in[1], KW: in[2], OH: 1, OW: 1}
		if y := s.out(n)[lo:]; n.BF16 {
			depthwise.AveragePoolFloat32(&g, in[0], false, data[vmath.BF16](s, n.In[0])[lo:], y, in[3], nil)
		} else {
			depthwise.AveragePool(&g, in[0], false, s.in(n, 0)[lo:], y, in[3], nil)
		}
	}}
}
