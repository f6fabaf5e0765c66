package tensor

// Data are the elements of a tensor of any type, for what only moves them. All others
// that a method is given must be of the same type.
type Data interface {
	Len() int

	// Copy copies n elements of from, from at on, to place to.
	Copy(to int, from Data, at, n int)

	// Gather copies to each element that of from that w says of its first input,
	// counted from base.
	Gather(from Data, base int, w *Walk)

	// Scatter is the opposite of Gather: it copies each element of from to the
	// place that w says.
	Scatter(from Data, base int, w *Walk)

	// Transpose permutes the dimensions of from; w is a Transposition.
	Transpose(from Data, w *Walk)
}

// A Slice is Data of one type.
type Slice[T any] []T

func (s Slice[T]) Len() int { return len(s) }

func (s Slice[T]) Copy(to int, from Data, at, n int) {
	if n > 0 { // else both places may lie beyond the end
		copy(s[to:to+n], from.(Slice[T])[at:at+n])
	}
}

func (s Slice[T]) Gather(from Data, base int, w *Walk) {
	x := from.(Slice[T])
	n, step := w.Row()
	w.Rows(func(out int, in [3]int) {
		at := base + in[0]
		if step[0] == 1 {
			copy(s[out:out+n], x[at:at+n])
			return
		}
		for i := range s[out : out+n] {
			s[out+i] = x[at]
			at += step[0]
		}
	})
}

func (s Slice[T]) Scatter(from Data, base int, w *Walk) {
	x := from.(Slice[T])
	n, step := w.Row()
	w.Rows(func(out int, in [3]int) {
		for i, v := range x[out : out+n] {
			s[base+in[0]+i*step[0]] = v
		}
	})
}

func (s Slice[T]) Transpose(from Data, w *Walk) {
	Transpose(s, from.(Slice[T]), w, 0, w.Parts())
}

// Map sets each element of out to f of that of in.
func Map[T, R any](out []R, in []T, f func(T) R) {
	in = in[:len(out)]
	for i := range out {
		out[i] = f(in[i])
	}
}
