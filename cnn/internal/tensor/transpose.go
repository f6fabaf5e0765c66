package tensor

// Transposition returns the walk over the dimensions of shape in the order of perm.
func Transposition(shape, perm []int) (w Walk) {
	for _, a := range perm {
		w.Dim(shape[a], Size(shape[a+1:]), 0, 0)
	}
	return w
}

// column returns the dimension of w that is contiguous in the input.
func (w *Walk) column() int {
	c := w.rank - 1
	for c > 0 && w.stride[0][c] != 1 {
		c--
	}
	return c
}

// Parts returns into how many parts Transpose can be cut.
func (w *Walk) Parts() int {
	n, step := w.Row()
	switch {
	case w.empty:
		return 0
	case step[0] <= 1:
		return Size(w.dims[:w.rank]) / n
	}
	return w.dims[w.column()]
}

// Transpose permutes the dimensions of x into y as w, a Transposition, walks over
// them: parts lo to hi-1.
func Transpose[T any](y, x []T, w *Walk, lo, hi int) {
	n, step := w.Row()
	if lo >= hi {
		return
	}
	if step[0] <= 1 {
		w.Span(lo*n, hi*n, func(out, _ int, in [3]int) { copy(y[out:][:n], x[in[0]:]) })
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
	total := Size(outer.dims[:outer.rank])
	outer.rank++ // seek and next leave the last dimension out
	index, in := outer.seek(0)
	for r := range total {
		out := r/inner*plane + r%inner*n
		transposePlane(y[out+lo*ldy:], x[in[0]+lo:], n, hi-lo, ldy, step[0])
		outer.next(&index, &in)
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
