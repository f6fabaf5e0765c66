package plan

func (o *transposeOp) run(s *state, n *node) error {
	transpose(s.out(n), s.in(n, 0), s.t[n.in[0].id].Shape, o.perm)
	return nil
}

// transpose permutes the dimensions of x, of the given shape, into y.
func transpose[T any](y, x []T, shape, perm []int) {
	var w walk
	for _, a := range perm {
		w.dim(shape[a], size(shape[a+1:]), 0)
	}
	n, step, _ := w.last()
	if step <= 1 {
		w.rows(func(out, in, _ int) { copy(y[out:][:n], x[in:]) })
		return
	}
	// The dimension that is contiguous in x becomes the columns of a plane that
	// is transposed in blocks; the others are outer loops.
	c := w.rank - 1
	for w.stride[0][c] != 1 {
		c--
	}
	cols, ldy := w.dims[c], n
	for _, d := range w.dims[c+1 : w.rank-1] {
		ldy *= d
	}
	outer := w
	copy(outer.dims[c:], w.dims[c+1:w.rank-1])
	copy(outer.stride[0][c:], w.stride[0][c+1:w.rank-1])
	outer.rank -= 2
	plane := cols * ldy // of y, without the dimensions before c
	inner := ldy / n
	total := 1
	for _, d := range outer.dims[:outer.rank] {
		total *= d
	}
	for r := range total {
		in, q := 0, r
		for d := outer.rank - 1; d >= 0; d-- {
			in += q % outer.dims[d] * outer.stride[0][d]
			q /= outer.dims[d]
		}
		out := r/inner*plane + r%inner*n
		transposePlane(y[out:], x[in:], n, cols, ldy, step)
	}
}

// transposePlane sets y[c·ldy + r] = x[r·ldx + c] for n rows of x, in blocks that
// stay in the first-level cache.
func transposePlane[T any](y, x []T, n, cols, ldy, ldx int) {
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
