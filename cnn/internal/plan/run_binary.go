package plan

import (
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// maxRank is the largest number of dimensions of a value. Networks for pictures
// have 4, or 5.
const maxRank = 16

// A walk visits an output in order, and where its elements come from in inputs
// that are broadcast or permuted. Dimensions that are contiguous together in all
// of them are one.
type walk struct {
	rank   int
	dims   [maxRank]int
	stride [2][maxRank]int // of each input, 0 along broadcast dimensions
}

// dim puts a dimension of n behind those so far, with its stride in the inputs.
func (w *walk) dim(n, s0, s1 int) {
	if n == 1 {
		return
	}
	if k := w.rank - 1; k >= 0 && w.stride[0][k] == n*s0 && w.stride[1][k] == n*s1 {
		w.dims[k] *= n
		w.stride[0][k], w.stride[1][k] = s0, s1
		return
	}
	w.dims[w.rank] = n
	w.stride[0][w.rank], w.stride[1][w.rank] = s0, s1
	w.rank++
}

// span calls f for the rows, or parts of them, of the elements lo…hi-1 of the
// output: with the place and the number of the elements there, and their place
// in the inputs.
func (w *walk) span(lo, hi int, f func(out, k, in0, in1 int)) {
	n, s0, s1 := w.last()
	for lo < hi {
		r, at := lo/n, lo%n
		k := min(n-at, hi-lo)
		a, b := w.row(r)
		f(lo, k, a+at*s0, b+at*s1)
		lo += k
	}
}

// row returns the place of row r in the inputs.
func (w *walk) row(r int) (a, b int) {
	for d := w.rank - 2; d >= 0; d-- {
		i := r % w.dims[d]
		r /= w.dims[d]
		a += i * w.stride[0][d]
		b += i * w.stride[1][d]
	}
	return a, b
}

// last returns the length of a row and the steps of the inputs along it.
func (w *walk) last() (n, s0, s1 int) {
	if w.rank == 0 {
		return 1, 0, 0
	}
	k := w.rank - 1
	return w.dims[k], w.stride[0][k], w.stride[1][k]
}

func (o *binaryOp) run(s *state, n *node) error {
	return s.split(n, o, (s.elements(n)+piece-1)/piece, 8*piece)
}

func (o *binaryOp) part(s *state, n *node, lo, hi int) {
	t, u, v := s.t[n.in[0].id], s.t[n.in[1].id], s.t[n.out[0].id]
	w := broadcast(v.Shape, t.Shape, u.Shape)
	_, s0, s1 := w.last()
	w.span(lo*piece, min(hi*piece, len(v.F)), func(out, k, a, b int) {
		y := v.F[out:][:k]
		o.op.row(y, t.F[a:], u.F[b:], s0, s1)
		o.act.apply(y)
	})
}

// broadcast walks over an output and the two inputs that broadcast to it.
func broadcast(out, a, b []int) (w walk) {
	strides := func(shape []int, d int) int {
		d -= len(out) - len(shape)
		if d < 0 || shape[d] == 1 {
			return 0
		}
		return size(shape[d+1:])
	}
	for d, k := range out {
		w.dim(k, strides(a, d), strides(b, d))
	}
	return w
}

// row computes y = a∘b, where a or b may be one number (their step is 0).
func (o arith) row(y, a, b []float32, stepA, stepB int) {
	switch {
	case stepA == 0 && stepB == 0:
		y[0] = o.of(a[0], b[0]) // a row of one
	case stepA == 0 && o == mul:
		vmath.Scale(y, a[0], b)
	case stepB == 0 && o == mul:
		vmath.Scale(y, b[0], a)
	case stepA == 0:
		for i, v := range b[:len(y)] {
			y[i] = o.of(a[0], v)
		}
	case stepB == 0:
		for i, v := range a[:len(y)] {
			y[i] = o.of(v, b[0])
		}
	case o == add:
		vmath.Add(y, a, b)
	case o == sub:
		vmath.Sub(y, a, b)
	case o == mul:
		vmath.Mul(y, a, b)
	default:
		b = b[:len(y)]
		for i, v := range a[:len(y)] {
			y[i] = o.of(v, b[i])
		}
	}
}

func (o arith) of(a, b float32) float32 {
	switch o {
	case add:
		return a + b
	case sub:
		return a - b
	case mul:
		return a * b
	}
	return a / b
}
