package layers

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var _ = op.Register([]op.Row{
	{Name: "DeformConv", Since: 19, Sig: "f f f f? f?", Attrs: convAttrs + "offset_group:int=1", Limits: "2 spatial axes", Pictures: deformPictures, Work: 1, Bind: bindDeformConv},
})

// deformPictures: pictures lie along the first axis of the input, the offsets and the
// mask.
var deformPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	for i, a := range axes {
		if one := i == 0 || i == 2 || i == 4 && b.In[4] != nil; one && a != 0 || !one && a >= 0 {
			return 0, false
		}
	}
	return 0, true
})

// bindDeformConv is a Conv whose kernel reads each element away from its place by an
// offset, [N, groups·kernel·2, h, w], rows first, between the elements if need be, and
// times a mask, [N, groups·kernel, h, w].
func bindDeformConv(b *op.Binding) *op.Kernel {
	x := b.Shape()
	if len(x) != 4 {
		b.Unsupported("%d spatial axes", len(x)-2)
	}
	s := newConvolution(b, x, b.In[1].Shape, b.X(3), false)
	op.Check(s.Slide(padding(b), false))
	groups, mask := b.Int("offset_group"), b.X(4)
	b.RefuseIf(groups < 1 || x[1]%groups != 0, "offset_group %d does not divide %d channels", groups, x[1])
	h, w, plane := s.Out[1], s.Out[2], s.Out[1]*s.Out[2]
	b.RefuseIf(!slices.Equal(b.In[2].Shape, []int{x[0], 2 * groups * s.kernel, h, w}), "offsets %v do not fit", b.In[2].Shape)
	if mask != nil && !slices.Equal(mask.Shape, []int{x[0], groups * s.kernel, h, w}) {
		b.Refuse("mask %v does not fit", mask.Shape)
	}
	shape := []int{x[0], s.m * s.group, h, w}
	op.Try(tensor.Count(shape))
	rows := s.c * s.kernel
	tile := columns(rows, plane)
	return s.bind(b, func(in, out op.Tensors, team *workers.Team) error {
		if len(out[0].F) == 0 {
			return nil
		}
		col := make([]float32, rows*tile)
		for i := range s.batch * s.group {
			n, y := i/s.group, out[0].F[i*s.m*plane:(i+1)*s.m*plane]
			for p := 0; p < plane; p += tile {
				k := min(tile, plane-p)
				for r := range rows {
					channel, tap := i%s.group*s.c+r/s.kernel, r%s.kernel
					at := (n*groups+channel/(x[1]/groups))*s.kernel + tap
					from := in[0].F[(n*x[1]+channel)*x[2]*x[3]:][:x[2]*x[3]]
					for q := range k {
						row := (p+q)/w*s.Stride[1] - s.Begin[1] + tap/s.Kernel[2]*s.Dilation[1]
						column := (p+q)%w*s.Stride[2] - s.Begin[2] + tap%s.Kernel[2]*s.Dilation[2]
						v := between(from, x[2], x[3], float32(row)+in[2].F[2*at*plane+p+q], float32(column)+in[2].F[(2*at+1)*plane+p+q])
						if mask != nil {
							v *= in[4].F[at*plane+p+q]
						}
						col[r*k+q] = v
					}
				}
				gemm(false, false, s.m, k, rows, in[1].F[i%s.group*s.m*rows:], rows, col, k, y[p:], plane, team)
			}
		}
		if len(in) > 3 && in[3] != nil {
			addBias(out[0].F, in[3].F, plane)
		}
		return nil
	}, rows, plane, shape)
}

// between interpolates between four elements of a plane; those outside are 0.
func between(x []float32, rows, columns int, row, column float32) (sum float32) {
	if !(row > -1 && row < float32(rows) && column > -1 && column < float32(columns)) {
		return 0
	}
	top, left := int(math.Floor(float64(row))), int(math.Floor(float64(column)))
	down, right := row-float32(top), column-float32(left)
	for i, u := range [2]float32{1 - down, down} {
		for j, v := range [2]float32{1 - right, right} {
			if r, c := top+i, left+j; r >= 0 && r < rows && c >= 0 && c < columns {
				sum += x[r*columns+c] * u * v
			}
		}
	}
	return sum
}
