package ops

import (
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// elements is the data of a tensor of any type, for operators that only move them.
// All others that a method is given must be of the same type.
type elements interface {
	len() int

	// copy copies n elements of from, from at on, to place to.
	copy(to int, from elements, at, n int)

	// gather copies the element of from that w says of its first input, counted
	// from base, to each.
	gather(from elements, base int, w *tensor.Walk)

	// scatter is the opposite of gather.
	scatter(from elements, base int, w *tensor.Walk)

	// transpose permutes the dimensions of from; w is a tensor.Transposition.
	transpose(from elements, w *tensor.Walk)

	// resample computes the elements along one axis from those of from.
	resample(from elements, shape []int, m axisMap, fill elements)
}

// data returns the data of t, of no elements if it has none.
func data(t *graph.Tensor) elements {
	switch t.Type {
	case graph.Float:
		return slice[float32](t.F)
	case graph.Int:
		return slice[int64](t.I)
	}
	return slice[bool](t.B)
}

type slice[T any] []T

func (s slice[T]) len() int { return len(s) }

func (s slice[T]) copy(to int, from elements, at, n int) {
	if n > 0 { // else both places may lie beyond the end
		copy(s[to:to+n], from.(slice[T])[at:at+n])
	}
}

func (s slice[T]) gather(from elements, base int, w *tensor.Walk) {
	x := from.(slice[T])
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

func (s slice[T]) scatter(from elements, base int, w *tensor.Walk) {
	x := from.(slice[T])
	n, step := w.Row()
	w.Rows(func(out int, in [3]int) {
		for i, v := range x[out : out+n] {
			s[base+in[0]+i*step[0]] = v
		}
	})
}

func (s slice[T]) transpose(from elements, w *tensor.Walk) {
	tensor.Transpose(s, from.(slice[T]), w, 0, w.Parts())
}

// assign copies src, a tensor of the same type and number of elements.
func assign(dst, src *graph.Tensor) {
	copy(dst.F, src.F)
	copy(dst.I, src.I)
	copy(dst.B, src.B)
}

// expand fills dst with src, which broadcasts to its shape.
func expand(dst, src *graph.Tensor) {
	w := tensor.BroadcastWalk(dst.Shape, src.Shape)
	data(dst).gather(data(src), 0, &w)
}

// dataLen returns the number of elements that t holds, here or in its file.
func dataLen(t *graph.Tensor) int {
	if t.Stored != nil {
		return t.Stored.Len()
	}
	return data(t).len()
}

func mapSlice[T, R any](out []R, in []T, f func(T) R) {
	in = in[:len(out)]
	for i := range out {
		out[i] = f(in[i])
	}
}
