package exec

import (
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/internal/kernels"
)

// concat runs a plan.Concat; its rows are the indices of all axes before that one.
type concat[T number] struct {
	n *plan.Node
	o *plan.Concat
}

func (c *concat[T]) run(s *state) error { return s.splitAlong(c, c.n, c.o.Axis) }

func (c *concat[T]) part(s *state, lo, hi int) {
	y, row, at := data[T](s, c.n.Out[0]), plan.Size(s.shape(c.n.Out[0])[c.o.Axis:]), 0
	for _, v := range c.n.In {
		x, part := data[T](s, v), plan.Size(s.shape(v)[c.o.Axis:])
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
	inner := plan.Size(in[c.o.Axis+1:])
	row, part := in[c.o.Axis]*inner, out[c.o.Axis]*inner
	for i := lo; i < hi; i++ {
		copy(y[i*part:][:part], x[i*row+c.o.Start*inner:])
	}
}

// splitAlong splits what copies along an axis.
func (s *state) splitAlong(p parted, n *plan.Node, axis int) error {
	outer := plan.Size(s.shape(n.Out[0])[:axis])
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
	w := plan.Transposition(s.shape(t.n.In[0]), t.o.Perm)
	rows, step, _ := w.Last()
	if step <= 1 {
		rows = plan.Size(w.Dims[:w.Rank]) / rows
	} else {
		rows = w.Dims[column(&w)]
	}
	return s.split(t, rows, 4*s.elements(t.n)/max(rows, 1))
}

// column returns the dimension of w that is contiguous in the input.
func column(w *plan.Walk) int {
	c := w.Rank - 1
	for c > 0 && w.Stride[0][c] != 1 {
		c--
	}
	return c
}

func (t *transpose[T]) part(s *state, lo, hi int) {
	x, y := data[T](s, t.n.In[0]), data[T](s, t.n.Out[0])
	w := plan.Transposition(s.shape(t.n.In[0]), t.o.Perm)
	n, step, _ := w.Last()
	if step <= 1 {
		w.Span(lo*n, hi*n, func(out, _, in, _ int) { copy(y[out:][:n], x[in:]) })
		return
	}
	// The dimension that is contiguous in x becomes the columns of a plane that
	// is transposed in blocks; the others are outer loops.
	c := column(&w)
	cols, ldy := w.Dims[c], n
	for _, d := range w.Dims[c+1 : w.Rank-1] {
		ldy *= d
	}
	outer := w
	copy(outer.Dims[c:], w.Dims[c+1:w.Rank-1])
	copy(outer.Stride[0][c:], w.Stride[0][c+1:w.Rank-1])
	outer.Rank -= 2
	plane := cols * ldy // of y, without the dimensions before c
	inner := ldy / n
	total := plan.Size(outer.Dims[:outer.Rank])
	outer.Rank++ // Row leaves the last dimension out
	for r := range total {
		in, _ := outer.Row(r)
		out := r/inner*plane + r%inner*n
		transposePlane(y[out+lo*ldy:], x[in+lo:], n, hi-lo, ldy, step)
	}
}

// transposePlane sets y[c·ldy + r] = x[r·ldx + c] for n rows of x, in blocks that
// stay in the first-level cache.
func transposePlane[T number](y, x []T, n, cols, ldy, ldx int) {
	if n == 3 {
		interleave(y, x[:cols], x[ldx:][:cols], x[2*ldx:][:cols], ldy)
		return
	}
	const block = 16
	for r0 := 0; r0 < n; r0 += block {
		r1 := min(r0+block, n)
		for c0 := 0; c0 < cols; c0 += block {
			for c := c0; c < min(c0+block, cols); c++ {
				dst := y[c*ldy+r0 : c*ldy+r1]
				src := x[r0*ldx+c:]
				for i := range dst {
					dst[i] = src[i*ldx]
				}
			}
		}
	}
}

// interleave sets y[i·ldy…] = a[i], b[i], c[i]: the colours of a picture.
func interleave[T number](y, a, b, c []T, ldy int) {
	b, c = b[:len(a)], c[:len(a)]
	for i, v := range a {
		p := (*[3]T)(y[i*ldy:])
		p[0], p[1], p[2] = v, b[i], c[i]
	}
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
		kernels.ToBF16(data[kernels.BF16](s, y)[lo:hi], s.in(c.n, 0)[lo:])
	} else {
		kernels.FromBF16(s.out(c.n)[lo:hi], data[kernels.BF16](s, x)[lo:])
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
	x, y, in := s.in(p.n, 0), data[kernels.BF16](s, p.n.Out[0]), s.shape(p.n.In[0])
	c, h, w := in[1], in[2], in[3]
	var row [chunk]kernels.BF16
	for r := lo; r < hi; r++ {
		clear(y[r*w*pixel:][:w*pixel])
		for i := range c {
			src := x[((r/h*c+i)*h+r%h)*w:][:w]
			for at := 0; at < w; at += chunk {
				b, dst := row[:min(chunk, w-at)], y[(r*w+at)*pixel+i:]
				kernels.ToBF16(b, src[at:])
				for j, v := range b {
					dst[j*pixel] = v
				}
			}
		}
	}
}
