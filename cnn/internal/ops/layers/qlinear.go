package layers

import (
	"math"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/ops"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Convolutions and matrix products of quantised numbers are those of what these stand
// for, without their scales: as float32, which holds such integers exactly up to 2^24.
var _ = op.Register([]op.Row{
	{Name: "ConvInteger", Since: 10, Sig: "i i i? i?", Attrs: convAttrs, Limits: "1 to 3 spatial axes, sums in float32", Pictures: op.AlongFirst, Work: 1, Bind: bindConvInteger},
	{Name: "MatMulInteger", Since: 10, Sig: "i i i? i?", Limits: "sums in float32", Pictures: integerPictures(1, 2), Work: 1, Bind: bindMatMulInteger},
	{Name: "QLinearConv", Since: 10, Sig: "i f i i f i f i i?", Attrs: convAttrs, Limits: "1 to 3 spatial axes, sums in float32, zero points that are constants",
		Pictures: op.AlongFirst, Work: 1, Bind: bindQLinearConv},
	{Name: "QLinearMatMul", Since: 10, Sig: "i f i i f i f i", Limits: "sums in float32, zero points that are constants", Pictures: integerPictures(3, 1, 2), Work: 1, Bind: bindQLinearMatMul},
})

// integerPictures is the rule for matrix products with the second operand at input at;
// the inputs perRow may hold one number for each row of the first.
func integerPictures(at int, perRow ...int) *op.PicturesRule {
	return op.Rule(func(b *op.Binding, axes []int) (int, bool) {
		for _, i := range perRow {
			if t := b.X(i); t != nil && t.Len() != 1 {
				return 0, false
			}
		}
		for i, a := range axes {
			if i != 0 && i != at && a >= 0 {
				return 0, false
			}
		}
		return productPictures(b.In[0].Shape, b.In[at].Shape, axes[0], axes[at])
	})
}

// centred returns the integers of t less its zero point, input i: one for all, or one
// for each index of an axis.
func centred(t *graph.Tensor, in op.Tensors, i, axis int) []float32 {
	y := make([]float32, t.Len())
	n, inner := 1, len(y)
	if i < len(in) && in[i] != nil && in[i].Len() > 1 {
		n, inner = t.Shape[axis], tensor.Size(t.Shape[axis+1:])
	}
	for j, v := range t.I {
		y[j] = float32(v - ops.ZeroPoint(in, i, j/max(inner, 1)%n))
	}
	return y
}

// perIndex checks that input i has one element, or n.
func perIndex(b *op.Binding, i, n int) {
	if t := b.X(i); t != nil && t.Len() != 1 && (t.Len() != n || len(t.Shape) > 2) {
		b.Refuse("input %d %v is neither one number nor %d", i, t.Shape, n)
	}
}

// at returns element j of t, or the only one.
func at[T any](v []T, j int) T {
	if len(v) == 1 {
		return v[0]
	}
	return v[j]
}

// integerConv binds a convolution of integers x, input 0, by weights, input w, each
// followed by its zero point step inputs further on. finish makes the output of the
// sums of element i, which belongs to a channel.
func integerConv(b *op.Binding, w, step int, bias *graph.Tensor, finish func(in op.Tensors) func(sum float32, channel int) int64) *op.Kernel {
	x, weights := b.Shape(), b.In[w].Shape
	s := newConvolution(b, x, weights, bias, false)
	perIndex(b, step, 1)
	perIndex(b, w+step, weights[0])
	k := s.forward(b, x, func(in op.Tensors) (x, y, bias []float32) {
		return centred(in[0], in, step, 0), centred(in[w], in, w+step, 0), nil
	})
	plane := tensor.Size(s.Out[:])
	sums, shape := k.Compute, k.Out[0].Shape
	k.Out[0].Type = graph.Int
	k.Compute = func(in, out op.Tensors, team *workers.Team) error {
		y := graph.Alloc(graph.Float, shape)
		if err := sums(in, op.Tensors{y}, team); err != nil {
			return err
		}
		f := finish(in)
		for i, v := range y.F {
			out[0].I[i] = f(v, i/plane%shape[1])
		}
		return nil
	}
	k.Workspace += 4 * int64(b.In[0].Len()+b.In[w].Len()+tensor.Size(shape))
	return k
}

// integerProduct is the like for matrices; an element belongs to a row and a column.
func integerProduct(b *op.Binding, y, step int, finish func(in op.Tensors) func(sum float32, row, column int) int64) *op.Kernel {
	p := newProduct(b, b.In[0].Shape, b.In[y].Shape)
	rows := p.m
	if x := b.Shape(); len(x) > 1 {
		rows = x[len(x)-2]
	}
	last := func(shape []int, from int) int { return max(0, len(shape)-from) }
	perIndex(b, step, rows)
	perIndex(b, y+step, p.n)
	k := b.Kernel(func(in, out op.Tensors, team *workers.Team) error {
		sums := make([]float32, out[0].Len())
		p.run(sums, centred(in[0], in, step, last(in[0].Shape, 2)), centred(in[y], in, y+step, last(in[y].Shape, 1)), team)
		f := finish(in)
		for i, v := range sums {
			out[0].I[i] = f(v, i/p.n%rows, i%p.n)
		}
		return nil
	}, op.Integer(p.shape...))
	k.Work, k.Workspace = p.work(), 4*int64(b.In[0].Len()+b.In[y].Len()+tensor.Size(p.shape))
	return k
}

func rounded(sum float32) int64 { return int64(math.RoundToEven(float64(sum))) }

func bindConvInteger(b *op.Binding) *op.Kernel {
	return integerConv(b, 1, 2, nil, func(op.Tensors) func(float32, int) int64 {
		return func(sum float32, _ int) int64 { return rounded(sum) }
	})
}

func bindMatMulInteger(b *op.Binding) *op.Kernel {
	return integerProduct(b, 1, 2, func(op.Tensors) func(float32, int, int) int64 {
		return func(sum float32, _, _ int) int64 { return rounded(sum) }
	})
}

// bindQLinearConv: x, its scale and zero point, likewise w, with one of each for all
// or for each channel, and y; last the bias, in units of both scales.
func bindQLinearConv(b *op.Binding) *op.Kernel {
	to, channels := ops.QuantizedType(b, 7), b.In[3].Shape
	b.RefuseIf(len(channels) == 0, "weights are a scalar")
	for i, n := range []int{1: 1, 4: channels[0], 6: 1, 7: 1} {
		if n > 0 {
			perIndex(b, i, n)
		}
	}
	return integerConv(b, 3, 2, b.X(8), func(in op.Tensors) func(float32, int) int64 {
		return func(sum float32, c int) int64 {
			if len(in) > 8 && in[8] != nil {
				sum += float32(in[8].I[c])
			}
			return to.Of(float64(sum)*float64(in[1].F[0])*float64(at(in[4].F, c))/float64(in[6].F[0]), in[7].I[0])
		}
	})
}

// bindQLinearMatMul: a, its scale and zero point, one of each for all or for each row,
// likewise b, for each column, and y.
func bindQLinearMatMul(b *op.Binding) *op.Kernel {
	to := ops.QuantizedType(b, 7)
	perIndex(b, 1, b.In[2].Len())
	perIndex(b, 4, b.In[5].Len())
	perIndex(b, 6, 1)
	perIndex(b, 7, 1)
	return integerProduct(b, 3, 2, func(in op.Tensors) func(float32, int, int) int64 {
		return func(sum float32, r, c int) int64 {
			return to.Of(float64(sum)*float64(at(in[1].F, r))*float64(at(in[4].F, c))/float64(in[6].F[0]), in[7].I[0])
		}
	})
}
