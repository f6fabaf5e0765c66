package plan

// Size returns the number of elements of a shape.
func Size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// axisOf returns an axis that may count from the end.
func axisOf(a, rank int) int {
	if a < 0 {
		a += rank
	}
	return a
}

// permuted returns shape with its dimensions in the order of perm.
func permuted(shape, perm []int) []int {
	p := make([]int, len(perm))
	for i, a := range perm {
		p[i] = shape[a]
	}
	return p
}

// inverse returns the permutation that undoes perm.
func inverse(perm []int) []int {
	inv := make([]int, len(perm))
	for i, a := range perm {
		inv[a] = i
	}
	return inv
}

// keepsOrder reports whether perm permutes nothing.
func keepsOrder(perm []int) bool {
	for i, a := range perm {
		if i != a {
			return false
		}
	}
	return true
}

// A group is a run of dimensions that a reshape turns into another run of the
// same product.
type group struct{ firstIn, in, firstOut, out int }

// factor splits a reshape into its smallest groups.
func factor(in, out []int) []group {
	var groups []group
	i, j := 0, 0
	for i < len(in) && j < len(out) {
		gr := group{firstIn: i, in: 1, firstOut: j, out: 1}
		p, q := in[i], out[j]
		i++
		j++
		for p != q {
			switch {
			case p < q && i < len(in):
				p *= in[i]
				i++
				gr.in++
			case p > q && j < len(out):
				q *= out[j]
				j++
				gr.out++
			default:
				return nil
			}
		}
		groups = append(groups, gr)
	}
	if len(groups) == 0 {
		return nil
	}
	last := &groups[len(groups)-1] // only ones are left
	last.in += len(in) - i
	last.out += len(out) - j
	return groups
}

// maxRank is the largest number of dimensions of a value. Networks for pictures
// have 4, or 5.
const maxRank = 16

// A Walk visits an output in order, and where its elements come from in inputs
// that are broadcast or permuted. Dimensions that are contiguous together in all
// of them are one.
type Walk struct {
	Rank   int
	Dims   [maxRank]int
	Stride [2][maxRank]int // of each input, 0 along broadcast dimensions
}

// Broadcast walks over an output and the two inputs that broadcast to it.
func Broadcast(out, a, b []int) (w Walk) {
	stride := func(shape []int, d int) int {
		d -= len(out) - len(shape)
		if d < 0 || shape[d] == 1 {
			return 0
		}
		return Size(shape[d+1:])
	}
	for d, k := range out {
		w.dim(k, stride(a, d), stride(b, d))
	}
	return w
}

// Transposition walks over the permuted dimensions of an input.
func Transposition(shape, perm []int) (w Walk) {
	for _, a := range perm {
		w.dim(shape[a], Size(shape[a+1:]), 0)
	}
	return w
}

// dim puts a dimension of n behind those so far, with its stride in the inputs.
func (w *Walk) dim(n, s0, s1 int) {
	if n == 1 {
		return
	}
	if k := w.Rank - 1; k >= 0 && w.Stride[0][k] == n*s0 && w.Stride[1][k] == n*s1 {
		w.Dims[k] *= n
		w.Stride[0][k], w.Stride[1][k] = s0, s1
		return
	}
	w.Dims[w.Rank] = n
	w.Stride[0][w.Rank], w.Stride[1][w.Rank] = s0, s1
	w.Rank++
}

// Span calls f for the rows, or parts of them, of the elements lo…hi-1 of the
// output: with the place and the number of the elements there, and their place
// in the inputs.
func (w *Walk) Span(lo, hi int, f func(out, k, in0, in1 int)) {
	n, s0, s1 := w.Last()
	for lo < hi {
		r, at := lo/n, lo%n
		k := min(n-at, hi-lo)
		a, b := w.Row(r)
		f(lo, k, a+at*s0, b+at*s1)
		lo += k
	}
}

// Row returns the place of row r in the inputs.
func (w *Walk) Row(r int) (a, b int) {
	for d := w.Rank - 2; d >= 0; d-- {
		i := r % w.Dims[d]
		r /= w.Dims[d]
		a += i * w.Stride[0][d]
		b += i * w.Stride[1][d]
	}
	return a, b
}

// Last returns the length of a row and the steps of the inputs along it.
func (w *Walk) Last() (n, s0, s1 int) {
	if w.Rank == 0 {
		return 1, 0, 0
	}
	k := w.Rank - 1
	return w.Dims[k], w.Stride[0][k], w.Stride[1][k]
}
