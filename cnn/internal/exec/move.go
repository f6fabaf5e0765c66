package exec

import (
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// concat runs a plan.Concat.
func concat[T kernels.Value](n *plan.Node, o *plan.Concat) step {
	return along(n, o.Axis, func(s *state, lo, hi int) {
		y, row, at := data[T](s, n.Out[0]), tensor.Size(s.shape(n.Out[0])[o.Axis:]), 0
		for _, v := range n.In {
			x, part := data[T](s, v), tensor.Size(s.shape(v)[o.Axis:])
			for i := lo; i < hi; i++ {
				copy(y[i*row+at:][:part], x[i*part:])
			}
			at += part
		}
	})
}

// slice runs a plan.Slice.
func slice[T kernels.Value](n *plan.Node, o *plan.Slice) step {
	return along(n, o.Axis, func(s *state, lo, hi int) {
		x, y := data[T](s, n.In[0]), data[T](s, n.Out[0])
		in, out := s.shape(n.In[0]), s.shape(n.Out[0])
		inner := tensor.Size(in[o.Axis+1:])
		row, part := in[o.Axis]*inner, out[o.Axis]*inner
		for i := lo; i < hi; i++ {
			copy(y[i*part:][:part], x[i*row+o.Start*inner:])
		}
	})
}

// along returns a step whose rows are the indices of all axes before axis.
func along(n *plan.Node, axis int, part func(s *state, lo, hi int)) step {
	return step{part: part, rows: func(s *state) (rows, work int) {
		outer := tensor.Size(s.shape(n.Out[0])[:axis])
		return outer, 4 * s.elements(n) / max(outer, 1)
	}}
}

// pad runs a plan.Pad.
func pad[T kernels.Value](n *plan.Node, o *plan.Pad) step {
	return step{run: func(s *state) error {
		x, y := data[T](s, n.In[0]), data[T](s, n.Out[0])
		in, out := s.shape(n.In[0]), s.shape(n.Out[0])
		clear(y)
		last := len(in) - 1
		row := in[last]
		for i := 0; i < len(x); i += row {
			// Find the row's place in the output from its indices.
			at, stride := o.Before[last], out[last]
			for d, r := last-1, i/row; d >= 0; d-- {
				at += (r%in[d] + o.Before[d]) * stride
				r /= in[d]
				stride *= out[d]
			}
			copy(y[at:][:row], x[i:])
		}
		return nil
	}}
}

// transpose runs a plan.Transpose.
func transpose[T kernels.Value](n *plan.Node, o *plan.Transpose) step {
	return step{rows: func(s *state) (rows, work int) {
		w := tensor.Transposition(s.shape(n.In[0]), o.Perm)
		rows = w.Parts()
		return rows, 4 * s.elements(n) / max(rows, 1)
	}, part: func(s *state, lo, hi int) {
		w := tensor.Transposition(s.shape(n.In[0]), o.Perm)
		tensor.Transpose(data[T](s, n.Out[0]), data[T](s, n.In[0]), &w, lo, hi)
	}}
}

// convert runs a plan.Convert.
func convert(n *plan.Node) step {
	x, y := n.In[0], n.Out[0]
	return step{rows: func(s *state) (rows, work int) {
		return (s.elements(n) + chunk - 1) / chunk, 4 * chunk
	}, part: func(s *state, lo, hi int) {
		lo, hi = lo*chunk, min(hi*chunk, s.elements(n))
		if y.BF16 {
			vmath.ToBF16(data[vmath.BF16](s, y)[lo:hi], s.in(n, 0)[lo:])
		} else {
			vmath.FromBF16(s.out(n)[lo:hi], data[vmath.BF16](s, x)[lo:])
		}
	}}
}

// pixels runs a plan.Pixels; its rows are those of the pictures.
func pixels(n *plan.Node) step {
	return step{rows: func(s *state) (rows, work int) {
		in := s.shape(n.In[0])
		return in[0] * in[2], 8 * in[3]
	}, part: func(s *state, lo, hi int) {
		const pixel = plan.PixelSize
		x, y, in := s.in(n, 0), data[vmath.BF16](s, n.Out[0]), s.shape(n.In[0])
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
	}}
}
