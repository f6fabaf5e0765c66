package tensor

// A Walk visits the elements of an output in order, and tells where those of up
// to three inputs that belong to them lie: inputs that broadcast to the output's
// shape, or are strided in another way. Dimensions that are contiguous together in
// all inputs are one. Element by element the last dimension is a row.
//
// Dimensions of 1 do not count, so that any tensor of at most MaxElements elements
// has fewer than 32 of them.
type Walk struct {
	rank   int
	empty  bool
	dims   [32]int
	stride [3][32]int
}

// Dim puts a dimension of n after those so far, with its stride in the inputs.
func (w *Walk) Dim(n, s0, s1, s2 int) {
	switch n {
	case 0:
		w.empty = true
		return
	case 1:
		return
	}
	k := w.rank - 1
	if k >= 0 && w.stride[0][k] == n*s0 && w.stride[1][k] == n*s1 && w.stride[2][k] == n*s2 {
		w.dims[k] *= n
	} else {
		k++
		w.rank++
		w.dims[k] = n
	}
	w.stride[0][k], w.stride[1][k], w.stride[2][k] = s0, s1, s2
}

// NewWalk returns the walk over shape, given the strides of each input along it.
func NewWalk(shape []int, in ...[]int) (w Walk) {
	for d, n := range shape {
		var s [3]int
		for i := range in {
			s[i] = in[i][d]
		}
		w.Dim(n, s[0], s[1], s[2])
	}
	return w
}

// BroadcastWalk returns the walk over shape of inputs that broadcast to it.
func BroadcastWalk(shape []int, in ...[]int) (w Walk) {
	size := [3]int{1, 1, 1} // of the dimensions of each input so far
	var strides [MaxRank][3]int
	for d := len(shape) - 1; d >= 0; d-- {
		for i, s := range in {
			if at := d - len(shape) + len(s); at >= 0 && s[at] != 1 {
				strides[d][i] = size[i]
				size[i] *= max(s[at], 1)
			}
		}
	}
	for d, n := range shape {
		w.Dim(n, strides[d][0], strides[d][1], strides[d][2])
	}
	return w
}

// Row returns the length of a row and the steps of the inputs along it.
func (w *Walk) Row() (n int, step [3]int) {
	if w.rank == 0 {
		return 1, step
	}
	k := w.rank - 1
	return w.dims[k], [3]int{w.stride[0][k], w.stride[1][k], w.stride[2][k]}
}

// rows returns how many there are.
func (w *Walk) rows() int {
	if w.empty {
		return 0
	}
	return Size(w.dims[:max(w.rank-1, 0)])
}

// at returns where row r begins in the inputs.
func (w *Walk) at(r int) (in [3]int) {
	for d := w.rank - 2; d >= 0; d-- {
		i := r % w.dims[d]
		r /= w.dims[d]
		for j := range in {
			in[j] += i * w.stride[j][d]
		}
	}
	return in
}

// Rows calls f for each row in order, with its place in the output and in the
// inputs.
func (w *Walk) Rows(f func(out int, in [3]int)) {
	n, _ := w.Row()
	var index [32]int
	var in [3]int
	for r := range w.rows() {
		f(r*n, in)
		for d := w.rank - 2; d >= 0; d-- {
			if index[d]++; index[d] < w.dims[d] {
				for j := range in {
					in[j] += w.stride[j][d]
				}
				break
			}
			index[d] = 0
			for j := range in {
				in[j] -= w.stride[j][d] * (w.dims[d] - 1)
			}
		}
	}
}

// Span calls f for the rows, or parts of them, of the elements lo…hi-1 of the
// output: with the place and the number of the elements there, and their place in
// the inputs.
func (w *Walk) Span(lo, hi int, f func(out, k int, in [3]int)) {
	n, step := w.Row()
	for lo < hi {
		r, i := lo/n, lo%n
		k := min(n-i, hi-lo)
		in := w.at(r)
		for j := range in {
			in[j] += i * step[j]
		}
		f(lo, k, in)
		lo += k
	}
}

// Elements calls f for each element in order, with its place in the output and in
// the inputs.
func (w *Walk) Elements(f func(out int, in [3]int)) {
	n, step := w.Row()
	w.Rows(func(out int, in [3]int) {
		for i := range n {
			f(out+i, in)
			for j := range in {
				in[j] += step[j]
			}
		}
	})
}

// Vectors calls f for each vector of n elements that lie inner apart in arrays of
// so many elements: with the place of its first element.
func Vectors(elements, n, inner int, f func(at int)) {
	for o := 0; o < elements && n > 0; o += n * inner {
		for i := o; i < o+inner; i++ {
			f(i)
		}
	}
}

// MapVectors calls f for each vector of n elements of in that lie inner apart, to
// compute that of out. f may be given the same memory for both.
func MapVectors[T any](out, in []T, n, inner int, f func(out, in []T)) {
	var v []T
	if inner > 1 && len(out) > 0 {
		v = make([]T, n)
	}
	Vectors(len(out), n, inner, func(at int) {
		if inner == 1 {
			f(out[at:at+n], in[at:at+n])
			return
		}
		for j := range v {
			v[j] = in[at+j*inner]
		}
		f(v, v)
		for j := range v {
			out[at+j*inner] = v[j]
		}
	})
}
