package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// Pad, Resize and Upsample compute each index of an axis from indices of the
// same axis of the input, one axis after the other.

// tap is one element of the input that enters an element of the output.
type tap struct {
	index  int // along the axis; -1 for the fill value
	weight float32
}

// axisMap says how one axis is computed. It is asked for when the node runs:
// what Bind keeps does not grow with the output.
type axisMap struct {
	axis, size int // size is that of the output
	taps       func(i int, t []tap) []tap
}

// resample applies the maps in order of their growth, so that no tensor in
// between is larger than both input and output.
func resample(dst, src *graph.Tensor, maps []axisMap, fill *graph.Tensor) {
	maps = slices.Clone(maps)
	shape := slices.Clone(src.Shape)
	slices.SortStableFunc(maps, func(a, b axisMap) int {
		// a.size/shape[a] - b.size/shape[b], without the division
		return a.size*shape[b.axis] - b.size*shape[a.axis]
	})
	for i, m := range maps {
		shape[m.axis] = m.size
		to := dst
		if i < len(maps)-1 {
			to = Alloc(src.Type, shape)
		}
		switch src.Type {
		case graph.Float:
			resampleAxis(to.F, src.F, src.Shape, m, fill.F[0], mix)
		case graph.Int:
			resampleAxis(to.I, src.I, src.Shape, m, fill.I[0], nil)
		case graph.Bool:
			resampleAxis(to.B, src.B, src.Shape, m, fill.B[0], nil)
		}
		src = to
	}
	if len(maps) == 0 {
		assign(dst, src)
	}
}

// resampleAxis computes dst from src, of the given shape, along one axis. Where
// an element has more than one tap, mix adds the weighted rows up.
func resampleAxis[T any](dst, src []T, shape []int, m axisMap, fill T, mix func(dst, src []T, weight float32)) {
	outer, n, inner := product(shape[:m.axis]), shape[m.axis], product(shape[m.axis+1:])
	if len(dst) == 0 {
		return
	}
	var zero T
	var taps []tap
	for i := range m.size {
		taps = m.taps(i, taps[:0])
		for o := range outer {
			to := dst[(o*m.size+i)*inner : (o*m.size+i+1)*inner]
			row := func(t tap) []T { return src[(o*n+t.index)*inner : (o*n+t.index+1)*inner] }
			switch {
			case len(taps) == 1 && taps[0].index < 0:
				for j := range to {
					to[j] = fill
				}
			case len(taps) == 1:
				copy(to, row(taps[0]))
			default:
				for j := range to {
					to[j] = zero
				}
				for _, t := range taps {
					mix(to, row(t), t.weight)
				}
			}
		}
	}
}

func mix(dst, src []float32, weight float32) {
	for i, v := range src {
		dst[i] += v * weight
	}
}
