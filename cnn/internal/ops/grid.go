package ops

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "GridSample", Since: 16, Sig: "f f", Limits: "2 or 3 spatial axes", Pictures: bothFirst, Work: 32, Bind: bindGridSample,
		Attrs: "mode:bilinear|nearest|bicubic mode@20:linear|nearest|cubic padding_mode:zeros|border|reflection align_corners:flag=0"},
	{Name: "AffineGrid", Since: 20, Sig: "f i", Attrs: "align_corners:flag=0", Pictures: op.Unknown, Bind: bindAffineGrid},
})

// bothFirst: pictures lie along the first axis of both inputs.
var bothFirst = op.Rule(func(_ *op.Binding, axes []int) (int, bool) { return 0, axes[0] == 0 && axes[1] == 0 })

// sampling is how a GridSample finds the elements of its input.
type sampling struct {
	mode, padding string
	align         bool
}

// bindGridSample: X [N, C, (D,) H, W] at the places of a grid, [N, (d,) h, w, 2 or 3],
// whose coordinates, the width's first, go from -1 to 1.
func bindGridSample(b *op.Binding) *op.Kernel {
	x, grid := b.In[0].Shape, b.In[1].Shape
	axes := len(x) - 2
	b.RefuseIf(axes < 1 || len(grid) != len(x) || grid[0] != x[0] || grid[len(grid)-1] != axes, "grid %v does not fit input %v", grid, x)
	if axes < 2 || axes > 3 {
		b.Unsupported("%d spatial axes", axes)
	}
	b.RefuseIf(slices.Contains(x[2:], 0), "input %v is empty", x)
	s := &sampling{b.Word("mode"), b.Word("padding_mode"), b.Flag("align_corners")}
	places, plane := tensor.Size(grid[1:len(grid)-1]), tensor.Size(x[2:])
	return b.Computes(func(in, out op.Tensors) {
		var taps [3][]tap
		for a := range taps {
			taps[a] = []tap{{0, 1}}
		}
		for n := range x[0] {
			for p := range places {
				at := in[1].F[(n*places+p)*axes:]
				for i := range axes {
					d := x[len(x)-1-i]
					taps[2-i] = s.taps(taps[2-i][:0], s.source(float64(at[i]), d), d)
				}
				for c := range x[1] {
					out[0].F[(n*x[1]+c)*places+p] = interpolate(in[0].F[(n*x[1]+c)*plane:], x[len(x)-2], x[len(x)-1], &taps)
				}
			}
		}
	}, op.Float(slices.Concat(x[:2], grid[1:len(grid)-1])...))
}

// interpolate sums the elements of a plane of so many columns and rows that the taps
// of each axis say.
func interpolate(x []float32, rows, columns int, taps *[3][]tap) float32 {
	var sum float32
	for _, d := range taps[0] {
		for _, h := range taps[1] {
			for _, w := range taps[2] {
				if min(d.index, h.index, w.index) >= 0 {
					sum += x[(d.index*rows+h.index)*columns+w.index] * (d.weight * h.weight * w.weight)
				}
			}
		}
	}
	return sum
}

// source maps a coordinate of the grid to an axis of n elements.
func (s *sampling) source(x float64, n int) float64 {
	if x = min(max(x, -1e6), 1e6); x != x {
		x = -1e6
	}
	if s.align {
		x = (x + 1) / 2 * float64(n-1)
	} else {
		x = ((x+1)*float64(n) - 1) / 2
	}
	if s.mode == "nearest" {
		x = math.RoundToEven(x)
	}
	if s.cubic() {
		return x
	}
	return s.pad(x, n)
}

func (s *sampling) cubic() bool { return s.mode == "cubic" || s.mode == "bicubic" }

// pad brings a coordinate back into an axis of n elements, if padding does that.
func (s *sampling) pad(x float64, n int) float64 {
	switch s.padding {
	case "border":
		return min(max(x, 0), float64(n-1))
	case "reflection":
		lo, hi := -0.5, float64(n)-0.5
		if s.align {
			lo, hi = 0, float64(n-1)
		}
		if x >= lo && x <= hi {
			return x
		}
		if hi == lo {
			return lo
		}
		d := math.Mod(math.Abs(x-lo), 2*(hi-lo))
		return lo + min(d, 2*(hi-lo)-d)
	}
	return x
}

// taps appends the elements of an axis of n that make up the value at x.
func (s *sampling) taps(t []tap, x float64, n int) []tap {
	base := math.Floor(x)
	first, last, filter := 0, 1, triangle
	switch {
	case s.mode == "nearest":
		last, x = 0, base
	case s.cubic():
		first, last, filter = -1, 2, (&resizing{cubicA: -0.75}).cubic
	}
	for k := first; k <= last; k++ {
		j := base + float64(k)
		w := float32(filter(j - x))
		if j = math.RoundToEven(s.pad(j, n)); j < 0 || j > float64(n-1) {
			j = -1
		}
		t = append(t, tap{int(j), w})
	}
	return t
}

// bindAffineGrid: the grid for GridSample that theta, [N, 2, 3] or [N, 3, 4], maps
// the places of a picture of the given size to.
func bindAffineGrid(b *op.Binding) *op.Kernel {
	theta, size := b.Shape(), b.ConstInts(1, "size")
	axes := len(size) - 2
	b.RefuseIf(axes != 2 && axes != 3 || !slices.Equal(theta, []int{size[0], axes, axes + 1}), "theta %v does not fit size %v", theta, size)
	op.Try(tensor.Count(size))
	align, space := b.Flag("align_corners"), size[2:]
	return b.Computes(func(in, out op.Tensors) {
		y, index := out[0].F, make([]int, axes)
		for n := range size[0] {
			m := in[0].F[n*axes*(axes+1):]
			for p := range tensor.Size(space) {
				for a := axes - 1; a >= 0; a-- {
					index[a] = p % space[a]
					p /= space[a]
				}
				for r := range axes {
					sum := float64(m[r*(axes+1)+axes])
					for c := range axes {
						sum += float64(m[r*(axes+1)+c]) * place(index[axes-1-c], space[axes-1-c], align)
					}
					y[r] = float32(sum)
				}
				y = y[axes:]
			}
		}
	}, op.Float(slices.Concat(size[:1], space, []int{axes})...))
}

// place returns the coordinate, from -1 to 1, of element i of an axis of n.
func place(i, n int, align bool) float64 {
	switch {
	case !align:
		return float64(2*i+1)/float64(n) - 1
	case n == 1:
		return 0
	}
	return 2*float64(i)/float64(n-1) - 1
}
