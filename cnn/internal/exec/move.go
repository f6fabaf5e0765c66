package exec

import (
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// concat runs a plan.Concat; its rows are the indices of all axes before that one.
type concat[T number] struct {
	n *plan.Node
	o *plan.Concat
}

func (c *concat[T]) run(s *state) error { return s.splitAlong(c, c.n, c.o.Axis) }

func (c *concat[T]) part(s *state, lo, hi int) {
	y, row, at := data[T](s, c.n.Out[0]), tensor.Size(s.shape(c.n.Out[0])[c.o.Axis:]), 0
	for _, v := range c.n.In {
		x, part := data[T](s, v), tensor.Size(s.shape(v)[c.o.Axis:])
		for i := lo; i < hi; i++ {
			copy(y[i*row+at:][:part], x[i*part:])
		}
		at += part
	}
}

// slice runs a plan.Slice, with rows like those of concat.
type slice[T number] struct {
	n *plan.Node
	o *plan.Slice
}

func (c *slice[T]) run(s *state) error { return s.splitAlong(c, c.n, c.o.Axis) }

func (c *slice[T]) part(s *state, lo, hi int) {
	x, y := data[T](s, c.n.In[0]), data[T](s, c.n.Out[0])
	in, out := s.shape(c.n.In[0]), s.shape(c.n.Out[0])
	inner := tensor.Size(in[c.o.Axis+1:])
	row, part := in[c.o.Axis]*inner, out[c.o.Axis]*inner
	for i := lo; i < hi; i++ {
		copy(y[i*part:][:part], x[i*row+c.o.Start*inner:])
	}
}

// splitAlong splits what copies along an axis.
func (s *state) splitAlong(p parted, n *plan.Node, axis int) error {
	outer := tensor.Size(s.shape(n.Out[0])[:axis])
	return s.split(p, outer, 4*s.elements(n)/max(outer, 1))
}

// pad runs a plan.Pad.
type pad[T number] struct {
	n *plan.Node
	o *plan.Pad
}

func (p *pad[T]) run(s *state) error {
	x, y := data[T](s, p.n.In[0]), data[T](s, p.n.Out[0])
	in, out := s.shape(p.n.In[0]), s.shape(p.n.Out[0])
	clear(y)
	last := len(in) - 1
	row := in[last]
	for i := 0; i < len(x); i += row {
		// Find the row's place in the output from its indices.
		at, stride := p.o.Before[last], out[last]
		for d, r := last-1, i/row; d >= 0; d-- {
			at += (r%in[d] + p.o.Before[d]) * stride
			r /= in[d]
			stride *= out[d]
		}
		copy(y[at:][:row], x[i:])
	}
	return nil
}

// transpose runs a plan.Transpose.
type transpose[T number] struct {
	n *plan.Node
	o *plan.Transpose
}

func (t *transpose[T]) run(s *state) error {
	w := tensor.Transposition(s.shape(t.n.In[0]), t.o.Perm)
	return s.split(t, w.Parts(), 4*s.elements(t.n)/max(w.Parts(), 1))
}

func (t *transpose[T]) part(s *state, lo, hi int) {
	w := tensor.Transposition(s.shape(t.n.In[0]), t.o.Perm)
	tensor.Transpose(data[T](s, t.n.Out[0]), data[T](s, t.n.In[0]), &w, lo, hi)
}

// convert runs a plan.Convert.
type convert struct{ n *plan.Node }

func (c *convert) run(s *state) error {
	return s.split(c, (s.elements(c.n)+chunk-1)/chunk, 4*chunk)
}

func (c *convert) part(s *state, lo, hi int) {
	x, y := c.n.In[0], c.n.Out[0]
	lo, hi = lo*chunk, min(hi*chunk, s.elements(c.n))
	if y.BF16 {
		vmath.ToBF16(data[vmath.BF16](s, y)[lo:hi], s.in(c.n, 0)[lo:])
	} else {
		vmath.FromBF16(s.out(c.n)[lo:hi], data[vmath.BF16](s, x)[lo:])
	}
}

// pixels runs a plan.Pixels; its rows are those of the pictures.
type pixels struct{ n *plan.Node }

func (p *pixels) run(s *state) error {
	in := s.shape(p.n.In[0])
	return s.split(p, in[0]*in[2], 8*in[3])
}

func (p *pixels) part(s *state, lo, hi int) {
	const pixel = plan.PixelSize
	x, y, in := s.in(p.n, 0), data[vmath.BF16](s, p.n.Out[0]), s.shape(p.n.In[0])
	c, h, w := in[1], in[2], in[3]
	var row [chunk]vmath.BF16
	for r := lo; r < hi; r++ {
		clear(y[r*w*pixel:][:w*pixel])
		for i := range c {
			src := x[((r/h*c+i)*h+r%h)*w:][:w]
			for at := 0; at < w; at += chunk {
				b, dst := row[:min(chunk, w-at)], y[(r*w+at)*pixel+i:]
				vmath.ToBF16(b, src[at:])
				for j, v := range b {
					dst[j*pixel] = v
				}
			}
		}
	}
}
