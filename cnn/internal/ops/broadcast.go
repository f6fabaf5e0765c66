package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

func float(shape ...int) graph.Tensor { return graph.Tensor{Type: graph.Float, Shape: shape} }

func like(t *graph.Tensor, shape []int) graph.Tensor {
	return graph.Tensor{Type: t.Type, Shape: shape}
}

func typeName(t graph.DType) string {
	switch t {
	case graph.Float:
		return "float"
	case graph.Int:
		return "int"
	case graph.Bool:
		return "bool"
	}
	return "invalid"
}

func describe(t *graph.Tensor) string { return typeName(t.Type) + fmt.Sprint(t.Shape) }

// count returns the number of elements of a shape within MaxElements. A shape
// with an empty dimension is bounded by its other dimensions all the same, so
// that no product of a part of it overflows.
func count(shape []int) (int, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("%d dimensions, at most %d are supported", len(shape), maxRank)
	}
	n, empty := 1, false
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension in shape %v", shape)
		}
		if d == 0 {
			empty = true
			continue
		}
		if d > MaxElements/n {
			return 0, fmt.Errorf("%w: shape %v", ErrTooLarge, shape)
		}
		n *= d
	}
	if empty {
		return 0, nil
	}
	return n, nil
}

// product multiplies dimensions that count has accepted.
func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// strides returns the row-major strides of a shape.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= max(shape[i], 1)
	}
	return s
}

// broadcast returns the shape that all shapes stretch to, after ONNX's (and
// numpy's) multidirectional rule.
func broadcast(shapes ...[]int) ([]int, error) {
	var out []int
	for _, s := range shapes {
		if len(s) > len(out) {
			out = append(slices.Repeat([]int{1}, len(s)-len(out)), out...)
		}
		for i, d := range s {
			o := &out[len(out)-len(s)+i]
			switch {
			case *o == 1:
				*o = d
			case d != 1 && d != *o:
				return nil, fmt.Errorf("shapes %v do not broadcast", shapes)
			}
		}
	}
	return out, nil
}

// broadcastsTo reports whether a tensor of shape s stretches to shape out.
func broadcastsTo(s, out []int) bool {
	got, err := broadcast(s, out)
	return err == nil && slices.Equal(got, out)
}

// loops walks an output and the inputs that broadcast or are otherwise strided
// to its shape in rows: dimensions that are contiguous together in all of them are merged.
type loops struct {
	dims  []int   // outer dimensions
	outer [][]int // stride of each input along each outer dimension
	n     int     // length of a row
	step  []int   // step of each input within a row
}

// newLoops plans the walk over shape, given the strides of each input along it.
func newLoops(shape []int, in ...[]int) *loops {
	var dims []int
	st := make([][]int, len(in))
	for d, n := range shape {
		if n == 1 {
			continue
		}
		merge := len(dims) > 0
		for i := range in {
			merge = merge && st[i][len(dims)-1] == in[i][d]*n
		}
		if merge {
			dims[len(dims)-1] *= n
			for i := range in {
				st[i][len(dims)-1] = in[i][d]
			}
			continue
		}
		dims = append(dims, n)
		for i := range in {
			st[i] = append(st[i], in[i][d])
		}
	}
	l := &loops{n: 1, step: make([]int, len(in)), outer: st}
	if k := len(dims) - 1; k >= 0 {
		l.n = dims[k]
		for i := range in {
			l.step[i] = st[i][k]
			st[i] = st[i][:k]
		}
		l.dims = dims[:k]
	}
	return l
}

// stretch returns the strides along shape out of a tensor of shape s that
// broadcasts to it.
func stretch(s, out []int) []int {
	st := make([]int, len(out))
	off := len(out) - len(s)
	for d, x := range strides(s) {
		if s[d] != 1 {
			st[off+d] = x
		}
	}
	return st
}

// broadcastLoops plans the walk over shape of inputs that broadcast to it.
func broadcastLoops(shape []int, in ...[]int) *loops {
	st := make([][]int, len(in))
	for i, s := range in {
		st[i] = stretch(s, shape)
	}
	return newLoops(shape, st...)
}

// rows calls f for each row in order, with its position in the output and the
// offset of its first element in each input.
func (l *loops) rows(f func(out int, in []int)) {
	total := product(l.dims)
	if total == 0 || l.n == 0 {
		return
	}
	idx := make([]int, len(l.dims))
	off := make([]int, len(l.step))
	for r := 0; ; r++ {
		f(r*l.n, off)
		d := len(idx) - 1
		for ; d >= 0; d-- {
			idx[d]++
			for i := range off {
				off[i] += l.outer[i][d]
			}
			if idx[d] < l.dims[d] {
				break
			}
			for i := range off {
				off[i] -= l.outer[i][d] * l.dims[d]
			}
			idx[d] = 0
		}
		if d < 0 {
			return
		}
	}
}
