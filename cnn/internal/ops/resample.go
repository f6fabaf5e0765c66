package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
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
	axis, size int                        // size is that of the output
	taps       func(i int, t []tap) []tap // appends the taps of element i of the output
}

// resampled binds a node that applies the maps to its first input; fill returns the
// fill value.
func resampled(b *op.Binding, shape []int, maps []axisMap, fill func(in op.Tensors) *graph.Tensor) *op.Kernel {
	x := b.In[0]
	k := b.Computes(func(in, out op.Tensors) { resample(out[0], in[0], maps, fill(in)) }, op.Like(x, shape))
	if len(maps) > 1 { // tensors in between
		k.Workspace = max(x.Bytes(), k.Out[0].Bytes())
	}
	return k
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
			to = graph.Alloc(src.Type, shape)
		}
		switch src.Type {
		case graph.Float:
			resampleAxis(to.F, src.F, src.Shape, m, fill.F[0])
		case graph.Int:
			resampleAxis(to.I, src.I, src.Shape, m, fill.I[0])
		case graph.Bool:
			resampleAxis(to.B, src.B, src.Shape, m, fill.B[0])
		}
		src = to
	}
	if len(maps) == 0 {
		graph.Assign(dst, src)
	}
}

// resampleAxis computes dst from src, of the given shape, along one axis.
func resampleAxis[T any](dst, src []T, shape []int, m axisMap, fill T) {
	outer, n, inner := tensor.Size(shape[:m.axis]), shape[m.axis], tensor.Size(shape[m.axis+1:])
	if len(dst) == 0 {
		return
	}
	// Some elements of the axis at a time: their taps take more than they do.
	const piece = 1 << 12
	var taps []tap
	ends := make([]int, 0, min(m.size, piece))
	for at := 0; at < m.size; at += piece {
		taps, ends = taps[:0], ends[:0]
		for i := at; i < min(at+piece, m.size); i++ {
			taps = m.taps(i, taps)
			ends = append(ends, len(taps))
		}
		for o := range outer {
			src := src[o*n*inner : (o+1)*n*inner]
			first := 0
			for i, end := range ends {
				to, t := dst[(o*m.size+at+i)*inner:][:inner], taps[first:end]
				first = end
				switch {
				case len(t) > 1:
					mix(any(to).([]float32), any(src).([]float32), t)
				case t[0].index >= 0:
					copy(to, src[t[0].index*inner:])
				default:
					for j := range to {
						to[j] = fill
					}
				}
			}
		}
	}
}

// mix sums the weighted rows of src that make up dst. Only floats have more than one
// tap.
func mix(dst, src []float32, taps []tap) {
	n := len(dst)
	if n == 1 {
		var sum float32
		for _, t := range taps {
			sum += src[t.index] * t.weight
		}
		dst[0] = sum
		return
	}
	vmath.Scale(dst, taps[0].weight, src[taps[0].index*n:])
	for _, t := range taps[1:] {
		vmath.Axpy(dst, t.weight, src[t.index*n:])
	}
}
