package plan

func (o *transposeOp) run(s *state, n *node) error {
	w := transposition(s.t[n.in[0].id].Shape, o.perm)
	rows := w.parts()
	return s.split(n, o, rows, 4*s.elements(n)/max(rows, 1))
}

func (o *transposeOp) part(s *state, n *node, lo, hi int) {
	w := transposition(s.t[n.in[0].id].Shape, o.perm)
	transpose(s.out(n), s.in(n, 0), &w, lo, hi)
}

// transposition walks over the permuted dimensions of an input.
func transposition(shape, perm []int) (w walk) {
	for _, a := range perm {
		w.dim(shape[a], size(shape[a+1:]), 0)
	}
	return w
}

// column returns the dimension of w that is contiguous in the input.
func (w *walk) column() int {
	c := w.rank - 1
	for c > 0 && w.stride[0][c] != 1 {
		c--
	}
	return c
}

// parts returns into how many parts transpose can be cut.
func (w *walk) parts() int {
	n, step, _ := w.last()
	if step <= 1 {
		return size(w.dims[:w.rank]) / n
	}
	return w.dims[w.column()]
}

// transpose permutes the dimensions of x into y as w walks over them: parts lo
// to hi-1.
func transpose[T any](y, x []T, w *walk, lo, hi int) {
	n, step, _ := w.last()
	if step <= 1 {
		w.span(lo*n, hi*n, func(out, _, in, _ int) { copy(y[out:][:n], x[in:]) })
		return
	}
	// The dimension that is contiguous in x becomes the columns of a plane that
	// is transposed in blocks; the others are outer loops.
	c := w.column()
	cols, ldy := w.dims[c], n
	for _, d := range w.dims[c+1 : w.rank-1] {
		ldy *= d
	}
	outer := *w
	copy(outer.dims[c:], w.dims[c+1:w.rank-1])
	copy(outer.stride[0][c:], w.stride[0][c+1:w.rank-1])
	outer.rank -= 2
	plane := cols * ldy // of y, without the dimensions before c
	inner := ldy / n
	total := size(outer.dims[:outer.rank])
	outer.rank++ // row leaves the last dimension out
	for r := range total {
		in, _ := outer.row(r)
		out := r/inner*plane + r%inner*n
		transposePlane(y[out+lo*ldy:], x[in+lo:], n, hi-lo, ldy, step)
	}
}

// transposePlane sets y[c·ldy + r] = x[r·ldx + c] for n rows of x, in blocks that
// stay in the first-level cache.
func transposePlane[T any](y, x []T, n, cols, ldy, ldx int) {
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
func interleave[T any](y, a, b, c []T, ldy int) {
	b, c = b[:len(a)], c[:len(a)]
	for i, v := range a {
		p := (*[3]T)(y[i*ldy:])
		p[0], p[1], p[2] = v, b[i], c[i]
	}
}
