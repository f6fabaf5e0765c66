package layers

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/ops"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

var _ = op.Register([]op.Row{
	{Name: "BatchNormalization", Since: 7, Sig: "f f f f f", Attrs: "epsilon:float=1e-5 momentum:float=0.9 training_mode@14:int=0 spatial-8:int=1",
		Limits: "before opset 14 inference only, before 9 with spatial=1 only", Pictures: batchNormPictures, Bind: bindBatchNorm},
	{Name: "InstanceNormalization", Since: 1, Sig: "f f f", Attrs: "epsilon:float=1e-5", Pictures: op.AlongFirst, Bind: bindInstanceNorm},
	{Name: "GroupNormalization", Since: 18, Sig: "f f f", Attrs: "epsilon:float=1e-5 num_groups:int=0", Pictures: op.AlongFirst, Bind: bindGroupNorm},
	{Name: "LayerNormalization", Since: 17, Sig: "f f f?", Attrs: "axis:int=-1 epsilon:float=1e-5", Pictures: trailingPictures, Bind: bindLayerNorm},
	{Name: "RMSNormalization", Since: 23, Sig: "f f", Attrs: "axis:int=-1 epsilon:float=1e-5", Pictures: trailingPictures, Bind: bindRMSNorm},
	{Name: "MeanVarianceNormalization", Since: 9, Sig: "f", Attrs: "axes:ints", Pictures: meanVariancePictures, Bind: bindMeanVarianceNorm},
	{Name: "LpNormalization", Since: 1, Sig: "f", Attrs: "axis:int=-1 p:int=2", Pictures: op.AlongOthers, Bind: bindLpNorm},
	{Name: "LRN", Since: 1, Sig: "f", Attrs: "size:int=0 alpha:float=1e-4 beta:float=0.75 bias:float=1", Pictures: op.AlongFirst, Bind: bindLRN},
})

// batchNormPictures: in training the statistics are over all pictures.
var batchNormPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	axis, ok := op.AlongFirst.Axis(b, axes)
	return axis, ok && b.Int("training_mode") == 0
})

// trailingPictures: pictures lie before the axes that are normalised, and the factors
// and sums are the same along theirs.
var trailingPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	axis, ok := op.BeforeAxis.Axis(b, axes)
	for _, t := range b.In[1:] {
		if at := axis - len(b.Shape()); t != nil && len(t.Shape) >= -at && t.Shape[len(t.Shape)+at] != 1 {
			return 0, false
		}
	}
	return axis, ok
})

// perChannel checks that inputs 1 and following are vectors of n elements.
func perChannel(b *op.Binding, n int) {
	for i, t := range b.In[1:] {
		if t != nil && !slices.Equal(t.Shape, []int{n}) {
			b.Refuse("input %d %v does not fit %d channels of %v", i+1, t.Shape, n, b.Shape())
		}
	}
}

// channels returns the number of channels, axis 1, and the elements of a plane.
// A vector is one channel.
func channels(x []int) (c, plane int) {
	if len(x) < 2 {
		return 1, 1
	}
	return x[1], tensor.Size(x[2:])
}

// bindBatchNorm: y = (x - mean) / sqrt(var + epsilon) · scale + B for each
// channel. With training_mode (14), which networks that standardise their
// weights use on these, mean and variance are those of x, and the further
// outputs are the given ones moved towards them.
func bindBatchNorm(b *op.Binding) *op.Kernel {
	x := b.Shape()
	b.RefuseIf(len(x) == 0, "input is a scalar")
	c, plane := channels(x)
	if b.Int("spatial") != 1 {
		b.Unsupported("spatial=0")
	}
	perChannel(b, c)
	eps, momentum := b.Float("epsilon"), b.Float("momentum")
	normalise := func(in, out op.Tensors, mean, variance []float32) {
		scale, bias := in[1].F, in[2].F
		eachPlane(out[0].F, in[0].F, c, plane, func(y, x []float32, c int) {
			affine(y, x, mean[c], scale[c]/float32(math.Sqrt(float64(variance[c]+eps))), bias[c])
		})
	}
	if b.Int("training_mode") == 0 {
		return b.Computes(func(in, out op.Tensors) { normalise(in, out, in[3].F, in[4].F) }, op.Float(x...))
	}
	stats := slices.Repeat([]int{1}, len(x))
	if len(x) > 1 {
		stats[1] = c
	}
	w := tensor.BroadcastWalk(x, stats)
	k := b.Computes(func(in, out op.Tensors) {
		var now [2][]float32 // mean and variance of x
		for i, v := range momentsBy(&w, in[0].F, c) {
			now[i] = make([]float32, c)
			tensor.Map(now[i], v, func(v float64) float32 { return float32(v) })
		}
		normalise(in, out, now[0], now[1])
		for i, o := range out[1:] {
			for j, old := range in[3+i].F {
				o.F[j] = old*momentum + now[i][j]*(1-momentum)
			}
		}
	}, op.Float(x...), op.Float(c), op.Float(c))
	k.Workspace = 24 * int64(c)
	return k
}

// eachPlane calls f for each channel of each element of a batch.
func eachPlane(out, in []float32, channels, plane int, f func(y, x []float32, c int)) {
	if plane == 0 {
		return
	}
	for i := 0; i < len(in); i += plane {
		f(out[i:i+plane], in[i:i+plane], i/plane%channels)
	}
}

// affine computes (x - mean) · scale + bias.
func affine(y, x []float32, mean, scale, bias float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = (v-mean)*scale + bias
	}
}

// moments returns mean and population variance.
func moments(v []float32) (mean, variance float64) {
	var sum float64
	for _, x := range v {
		sum += float64(x)
	}
	mean = sum / float64(len(v))
	sum = 0
	for _, x := range v {
		d := float64(x) - mean
		sum += d * d
	}
	return mean, sum / float64(len(v))
}

// momentsBy returns mean and population variance of each group of elements of
// x; w walks over x, and its input is the group.
func momentsBy(w *tensor.Walk, x []float32, groups int) (moments [2][]float64) {
	n := float64(len(x)) / float64(groups)
	mean, variance := make([]float64, groups), make([]float64, groups)
	ops.Accumulate(w, mean, x, func(acc, x float64) float64 { return acc + x })
	for i := range mean {
		mean[i] /= n
	}
	length, step := w.Row()
	w.Rows(func(o int, g [3]int) {
		for i, v := range x[o : o+length] {
			at := g[0] + i*step[0]
			d := float64(v) - mean[at]
			variance[at] += d * d
		}
	})
	for i := range variance {
		variance[i] /= n
	}
	return [2][]float64{mean, variance}
}

// bindInstanceNorm normalises each plane, then scales and shifts by channel.
func bindInstanceNorm(b *op.Binding) *op.Kernel {
	x := b.Shape()
	b.RefuseIf(len(x) < 3, "input %v has no spatial axes", x)
	perChannel(b, x[1])
	return groupNorm(b, x[1], x[1])
}

// bindGroupNorm: scale and bias belong to groups in opset 18, to channels from 21 on.
func bindGroupNorm(b *op.Binding) *op.Kernel {
	x := b.Shape()
	b.RefuseIf(len(x) < 2, "input %v has no channels", x)
	groups := b.Int("num_groups")
	b.RefuseIf(groups < 1 || x[1]%groups != 0, "num_groups %d does not divide %d channels", groups, x[1])
	scales := groups
	if b.Opset >= 21 {
		scales = x[1]
	}
	perChannel(b, scales)
	return groupNorm(b, groups, scales)
}

// groupNorm normalises groups of channels; the scales are spread evenly over the channels.
func groupNorm(b *op.Binding, groups, scales int) *op.Kernel {
	x := b.Shape()
	c, plane := channels(x)
	eps := float64(b.Float("epsilon"))
	return b.Computes(func(in, out op.Tensors) {
		if len(in[0].F) == 0 {
			return
		}
		per, size := c/groups, c/groups*plane
		for i := 0; i < len(in[0].F); i += size {
			m, v := moments(in[0].F[i : i+size])
			inv := 1 / math.Sqrt(v+eps)
			for j := range per {
				s := (i/size%groups*per + j) / (c / scales)
				at := i + j*plane
				affine(out[0].F[at:at+plane], in[0].F[at:at+plane], float32(m), float32(inv*float64(in[1].F[s])), in[2].F[s])
			}
		}
	}, op.Float(x...))
}

// trailing reads the attribute axis, the first of the normalised dimensions,
// and returns the elements they hold, and the shape of the statistics.
func trailing(b *op.Binding) (n int, stats []int) {
	x, axis := b.Shape(), b.Axis()
	stats = slices.Clone(x)
	for d := axis; d < len(x); d++ {
		stats[d] = 1
	}
	for i, t := range b.In[1:] {
		if t != nil && !tensor.BroadcastsTo(t.Shape, x) {
			b.Refuse("input %d %v does not broadcast to %v", i+1, t.Shape, x)
		}
	}
	return tensor.Size(x[axis:]), stats
}

// bindLayerNorm normalises over the dimensions from axis on, then scales and
// shifts. The further outputs are the mean and the inverse standard deviation.
func bindLayerNorm(b *op.Binding) *op.Kernel {
	x := b.Shape()
	n, stats := trailing(b)
	eps := float64(b.Float("epsilon"))
	return b.Computes(func(in, out op.Tensors) {
		x, y := in[0].F, out[0].F
		for i, r := 0, 0; i < len(x); i, r = i+n, r+1 {
			m, v := moments(x[i : i+n])
			inv := 1 / math.Sqrt(v+eps)
			affine(y[i:i+n], x[i:i+n], float32(m), float32(inv), 0)
			if len(out) > 1 {
				out[1].F[r] = float32(m)
			}
			if len(out) > 2 {
				out[2].F[r] = float32(inv)
			}
		}
		with(y, in[0].Shape, in, 1, ops.MulFloats)
		with(y, in[0].Shape, in, 2, ops.AddFloats)
	}, op.Float(x...), op.Float(stats...), op.Float(stats...))
}

func bindRMSNorm(b *op.Binding) *op.Kernel {
	x := b.Shape()
	n, _ := trailing(b)
	eps := float64(b.Float("epsilon"))
	return b.Computes(func(in, out op.Tensors) {
		x, y := in[0].F, out[0].F
		for i := 0; i < len(x); i += n {
			var sum float64
			for _, v := range x[i : i+n] {
				sum += float64(v) * float64(v)
			}
			affine(y[i:i+n], x[i:i+n], 0, float32(1/math.Sqrt(sum/float64(n)+eps)), 0)
		}
		with(y, in[0].Shape, in, 1, ops.MulFloats)
	}, op.Float(x...))
}

// with combines the output, of the first input's shape x, with another input, if there
// is one, by f.
func with(y []float32, x []int, in op.Tensors, input int, f ops.RowFunc[float32, float32]) {
	if input < len(in) && in[input] != nil {
		w := tensor.BroadcastWalk(x, x, in[input].Shape)
		ops.Walk(&w, y, y, in[input].F, f)
	}
}

// meanVarianceAxes marks the axes over which a MeanVarianceNormalization takes its
// statistics: by default all but the channels.
func meanVarianceAxes(b *op.Binding) []bool {
	axes := b.Ints("axes")
	if axes == nil {
		axes = []int{0, 2, 3}
	}
	return ops.Marked(axes, len(b.Shape()))
}

// meanVariancePictures: pictures lie along the axes that are not mixed.
var meanVariancePictures = op.Along(func(b *op.Binding) []int { return ops.Indices(meanVarianceAxes(b)) })

// bindMeanVarianceNorm: y = (x - mean) / (standard deviation + 1e-9).
func bindMeanVarianceNorm(b *op.Binding) *op.Kernel {
	x := b.Shape()
	reduced := meanVarianceAxes(b)
	stats := ops.Without(x, reduced, true)
	groups := tensor.Size(stats)
	w := tensor.BroadcastWalk(x, stats)
	k := b.Computes(func(in, out op.Tensors) {
		x, y := in[0].F, out[0].F
		m := momentsBy(&w, x, groups)
		w.Elements(func(o int, g [3]int) {
			y[o] = float32((float64(x[o]) - m[0][g[0]]) / (math.Sqrt(m[1][g[0]]) + 1e-9))
		})
	}, op.Float(x...))
	k.Workspace = 16 * int64(groups)
	return k
}

// bindLpNorm divides by the 1-norm or 2-norm along an axis; zeros stay zeros.
func bindLpNorm(b *op.Binding) *op.Kernel {
	_, _, n, inner := b.Around()
	if p := b.Int("p"); p != 1 && p != 2 {
		b.Refuse("p %d is not 1 or 2", p)
	}
	norm := newNorm(b)
	return vectors(b, n, inner, func(y, x []float32) {
		length := norm.of(x)
		if length == 0 {
			length = 1
		}
		for i, v := range x {
			y[i] = float32(float64(v) / length)
		}
	})
}

// bindLRN: y = x / (bias + alpha/size · s)^beta, with s the sum of the squares
// over size neighbouring channels.
func bindLRN(b *op.Binding) *op.Kernel {
	x := b.Shape()
	b.RefuseIf(len(x) < 2, "input %v has no channels", x)
	size := b.Int("size")
	b.RefuseIf(size < 1 || size > tensor.MaxElements, "size %d is out of range", size)
	alpha, beta, bias := float64(b.Float("alpha"))/float64(size), float64(b.Float("beta")), float64(b.Float("bias"))
	before, after := (size-1)/2, size/2
	c, plane := channels(x)
	k := b.Computes(func(in, out op.Tensors) {
		squares := make([]float64, plane)
		add := func(x []float32, sign float64) {
			for i, v := range x {
				squares[i] += sign * float64(v) * float64(v)
			}
		}
		for i := range x[0] {
			x, y := in[0].F[i*c*plane:(i+1)*c*plane], out[0].F[i*c*plane:(i+1)*c*plane]
			inverse := func(s float64) float64 { return math.Pow(bias+alpha*s, -beta) }
			if beta == 0.75 { // the usual one, without logarithms
				inverse = func(s float64) float64 {
					root := math.Sqrt(bias + alpha*s)
					return 1 / (root * math.Sqrt(root))
				}
			}
			channel := func(v []float32, j int) []float32 { return v[j*plane : (j+1)*plane] }
			clear(squares)
			for j := range min(after, c) {
				add(channel(x, j), 1)
			}
			for j := range c {
				if j+after < c {
					add(channel(x, j+after), 1)
				}
				if j-before > 0 {
					add(channel(x, j-before-1), -1)
				}
				to := channel(y, j)
				for p, v := range channel(x, j) {
					to[p] = float32(float64(v) * inverse(squares[p]))
				}
			}
		}
	}, op.Float(x...))
	k.Workspace = 8 * int64(c) * int64(plane)
	return k
}
