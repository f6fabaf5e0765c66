package ops

import (
	"fmt"
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var normOps = []Op{
	{Name: "BatchNormalization", Since: 7, Sig: "f f f f f", Limits: "before opset 14 inference only, before 9 with spatial=1 only", bind: bindBatchNorm},
	{Name: "InstanceNormalization", Since: 1, Sig: "f f f", bind: bindInstanceNorm},
	{Name: "GroupNormalization", Since: 18, Sig: "f f f", bind: bindGroupNorm},
	{Name: "LayerNormalization", Since: 17, Sig: "f f f?", bind: bindLayerNorm},
	{Name: "RMSNormalization", Since: 23, Sig: "f f", bind: bindRMSNorm},
	{Name: "MeanVarianceNormalization", Since: 9, Sig: "f", bind: bindMeanVarianceNorm},
	{Name: "LpNormalization", Since: 1, Sig: "f", bind: bindLpNorm},
	{Name: "LRN", Since: 1, Sig: "f", bind: bindLRN},
}

// perChannel checks that inputs 1 and following are vectors of n elements.
func (b *binding) perChannel(n int) error {
	for i, t := range b.in[1:] {
		if t != nil && !slices.Equal(t.Shape, []int{n}) {
			return fmt.Errorf("input %d %v does not fit %d channels of %v", i+1, t.Shape, n, b.in[0].Shape)
		}
	}
	return nil
}

// channels returns the number of channels, axis 1, and the elements of a plane.
// A vector is one channel.
func channels(x []int) (c, plane int) {
	if len(x) < 2 {
		return 1, 1
	}
	return x[1], product(x[2:])
}

// bindBatchNorm: y = (x - mean) / sqrt(var + epsilon) · scale + B for each
// channel. With training_mode (14), which networks that standardise their
// weights use on these, mean and variance are those of x, and the further
// outputs are the given ones moved towards them.
func bindBatchNorm(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	if len(x) == 0 {
		return nil, fmt.Errorf("input is a scalar")
	}
	c, plane := channels(x)
	training := b.opset >= 14 && b.Int("training_mode", 0) != 0
	if b.opset < 9 && b.Int("spatial", 1) != 1 {
		return nil, b.unsupported("spatial=0")
	}
	if err := b.perChannel(c); err != nil {
		return nil, err
	}
	eps, momentum := b.Float("epsilon", 1e-5), b.Float("momentum", 0.9)
	normalise := func(in, out []*graph.Tensor, mean, variance []float32) {
		scale, bias := in[1].F, in[2].F
		eachPlane(out[0].F, in[0].F, c, plane, func(y, x []float32, c int) {
			affine(y, x, mean[c], scale[c]/sqrt32(variance[c]+eps), bias[c])
		})
	}
	if !training {
		run := func(in, out []*graph.Tensor, team *workers.Team) error {
			normalise(in, out, in[3].F, in[4].F)
			return nil
		}
		return b.kernel(run, float(x...))
	}
	stats := slices.Repeat([]int{1}, len(x))
	if len(x) > 1 {
		stats[1] = c
	}
	l := broadcastLoops(x, stats)
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		var now [2][]float32 // mean and variance of x
		for i, v := range momentsBy(l, in[0].F, c) {
			now[i] = make([]float32, c)
			mapSlice(now[i], v, func(v float64) float32 { return float32(v) })
		}
		normalise(in, out, now[0], now[1])
		for i, o := range out[1:] {
			for j, old := range in[3+i].F {
				o.F[j] = old*momentum + now[i][j]*(1-momentum)
			}
		}
		return nil
	}
	return b.kernel(run, float(x...), float(c), float(c))
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
// x; l walks over x, and its operand is the group.
func momentsBy(l *loops, x []float32, groups int) (moments [2][]float64) {
	n := float64(len(x)) / float64(groups)
	mean, variance := make([]float64, groups), make([]float64, groups)
	accumulate(l, mean, x, sum[float64])
	for i := range mean {
		mean[i] /= n
	}
	l.rows(func(o int, off []int) {
		for i, v := range x[o : o+l.n] {
			g := off[0] + i*l.step[0]
			d := float64(v) - mean[g]
			variance[g] += d * d
		}
	})
	for i := range variance {
		variance[i] /= n
	}
	return [2][]float64{mean, variance}
}

// bindInstanceNorm normalises each plane, then scales and shifts by channel.
func bindInstanceNorm(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	if len(x) < 3 {
		return nil, fmt.Errorf("input %v has no spatial axes", x)
	}
	if err := b.perChannel(x[1]); err != nil {
		return nil, err
	}
	return b.groupNorm(x[1], x[1])
}

// bindGroupNorm: scale and bias belong to groups in opset 18, to channels from 21 on.
func bindGroupNorm(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	if len(x) < 2 {
		return nil, fmt.Errorf("input %v has no channels", x)
	}
	groups := b.Int("num_groups", 0)
	if groups < 1 || x[1]%groups != 0 {
		return nil, fmt.Errorf("num_groups %d does not divide %d channels", groups, x[1])
	}
	scales := groups
	if b.opset >= 21 {
		scales = x[1]
	}
	if err := b.perChannel(scales); err != nil {
		return nil, err
	}
	return b.groupNorm(groups, scales)
}

// groupNorm normalises groups of channels; the scales are spread evenly over the channels.
func (b *binding) groupNorm(groups, scales int) (*Kernel, error) {
	x := b.in[0].Shape
	c, plane := channels(x)
	eps := float64(b.Float("epsilon", 1e-5))
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		if len(in[0].F) == 0 {
			return nil
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
		return nil
	}
	return b.kernel(run, float(x...))
}

// trailing reads the attribute axis, the first of the normalised dimensions,
// and returns the elements they hold, and the shape of the statistics.
func (b *binding) trailing() (n int, stats []int, err error) {
	x := b.in[0].Shape
	axis, err := b.axis("axis", -1, len(x))
	if err != nil {
		return 0, nil, err
	}
	stats = slices.Clone(x)
	for d := axis; d < len(x); d++ {
		stats[d] = 1
	}
	for i, t := range b.in[1:] {
		if t != nil && !broadcastsTo(t.Shape, x) {
			return 0, nil, fmt.Errorf("input %d %v does not broadcast to %v", i+1, t.Shape, x)
		}
	}
	return product(x[axis:]), stats, nil
}

// bindLayerNorm normalises over the dimensions from axis on, then scales and
// shifts. The further outputs are the mean and the inverse standard deviation.
func bindLayerNorm(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	n, stats, err := b.trailing()
	if err != nil {
		return nil, err
	}
	eps := float64(b.Float("epsilon", 1e-5))
	scale, shift := b.rowwise(1), b.rowwise(2)
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
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
		scale.apply(y, in, mulFloats)
		shift.apply(y, in, addFloats)
		return nil
	}
	return b.kernel(run, float(x...), float(stats...), float(stats...))
}

func bindRMSNorm(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	n, _, err := b.trailing()
	if err != nil {
		return nil, err
	}
	eps := float64(b.Float("epsilon", 1e-5))
	scale := b.rowwise(1)
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		x, y := in[0].F, out[0].F
		for i := 0; i < len(x); i += n {
			var sum float64
			for _, v := range x[i : i+n] {
				sum += float64(v) * float64(v)
			}
			affine(y[i:i+n], x[i:i+n], 0, float32(1/math.Sqrt(sum/float64(n)+eps)), 0)
		}
		scale.apply(y, in, mulFloats)
		return nil
	}
	return b.kernel(run, float(x...))
}

// operand is an input that is combined with a result in place.
type operand struct {
	input int
	l     *loops // nil where the input is left out
}

// rowwise plans to combine the output, of the first input's shape, with another input.
func (b *binding) rowwise(input int) operand {
	t := b.x(input)
	if t == nil {
		return operand{}
	}
	return operand{input, broadcastLoops(b.in[0].Shape, b.in[0].Shape, t.Shape)}
}

func (o operand) apply(y []float32, in []*graph.Tensor, f rowFunc[float32, float32]) {
	if o.l != nil {
		walk(o.l, y, y, in[o.input].F, f)
	}
}

// bindMeanVarianceNorm: y = (x - mean) / (standard deviation + 1e-9), by default
// over all but the channels.
func bindMeanVarianceNorm(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	axes := b.Ints("axes")
	if axes == nil {
		axes = []int{0, 2, 3}
	}
	axes, err := axesOf(axes, len(x))
	if err != nil {
		return nil, err
	}
	reduced := make([]bool, len(x))
	for _, a := range axes {
		reduced[a] = true
	}
	stats := without(x, reduced, true)
	groups := product(stats)
	l := broadcastLoops(x, stats)
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		x, y := in[0].F, out[0].F
		m := momentsBy(l, x, groups)
		l.rows(func(o int, off []int) {
			for i, v := range x[o : o+l.n] {
				g := off[0] + i*l.step[0]
				y[o+i] = float32((float64(v) - m[0][g]) / (math.Sqrt(m[1][g]) + 1e-9))
			}
		})
		return nil
	}
	return b.kernel(run, float(x...))
}

// bindLpNorm divides by the 1-norm or 2-norm along an axis; zeros stay zeros.
func bindLpNorm(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	axis, err := b.axis("axis", -1, len(x))
	if err != nil {
		return nil, err
	}
	if p := b.Int("p", 2); p != 1 && p != 2 {
		return nil, fmt.Errorf("p %d is not 1 or 2", p)
	}
	fold, root, err := b.lp()
	if err != nil {
		return nil, err
	}
	n, inner := x[axis], product(x[axis+1:])
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		eachVector(out[0].F, in[0].F, n, inner, func(y, x []float32) {
			var acc float64
			for _, v := range x {
				acc = fold(acc, v)
			}
			norm := root(acc)
			if norm == 0 {
				norm = 1
			}
			for i, v := range x {
				y[i] = float32(float64(v) / norm)
			}
		})
		return nil
	}
	return b.kernel(run, float(x...))
}

// bindLRN: y = x / (bias + alpha/size · s)^beta, with s the sum of the squares
// over size neighbouring channels.
func bindLRN(b *binding) (*Kernel, error) {
	x := b.in[0].Shape
	if len(x) < 2 {
		return nil, fmt.Errorf("input %v has no channels", x)
	}
	size := b.Int("size", 0)
	if size < 1 || size > MaxElements {
		return nil, fmt.Errorf("size %d is out of range", size)
	}
	alpha, beta, bias := float64(b.Float("alpha", 1e-4))/float64(size), float64(b.Float("beta", 0.75)), float64(b.Float("bias", 1))
	before, after := (size-1)/2, size/2
	c, plane := channels(x)
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
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
		return nil
	}
	return b.kernel(run, float(x...))
}
