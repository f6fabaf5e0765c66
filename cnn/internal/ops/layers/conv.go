package layers

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// windowAttrs are the attributes of operators with a window.
const windowAttrs = "strides:ints dilations:ints pads:ints auto_pad:NOTSET|SAME_UPPER|SAME_LOWER|VALID| "

const convAttrs = windowAttrs + "kernel_shape:ints group:int=1 "

var _ = op.Register([]op.Row{
	{Name: "Conv", Since: 1, Sig: "f f f?", Attrs: convAttrs, Limits: "1 to 3 spatial axes",
		Pictures: op.AlongFirst, Work: 1, Head: op.Convolves, Bind: bindConv},
	{Name: "ConvTranspose", Since: 1, Sig: "f f f?", Attrs: convAttrs + "output_padding:ints output_shape:ints", Limits: "1 to 3 spatial axes",
		Pictures: op.AlongFirst, Work: 1, Bind: bindConvTranspose},
})

// maxColumns bounds the scratch memory of a convolution, in elements.
const maxColumns = 1 << 20

// columns returns how many of the positions of a plane are worked on at a time,
// each of which takes so many rows.
func columns(rows, plane int) int { return max(1, min(plane, maxColumns/max(rows, 1))) }

// convolution is what Conv and ConvTranspose have in common.
type convolution struct {
	*tensor.Window
	batch, group int
	c, m         int // channels of a group, of the input and of the output
	kernel       int // elements of the kernel
}

// newConvolution checks weights w and bias, input 2, against input x. The weights are
// [M, C/group, kernel...] or, transposed, [C, M/group, kernel...].
func newConvolution(b *op.Binding, x, w []int, bias *graph.Tensor, transposed bool) *convolution {
	b.RefuseIf(len(x) < 3 || len(w) != len(x), "input %v and weights %v do not fit", x, w)
	group := b.Int("group")
	b.RefuseIf(group < 1 || w[0]%group != 0 || x[1]%group != 0, "group %d does not divide input %v and weights %v", group, x, w)
	c, m := w[1], w[0]/group
	if transposed {
		c, m = m, c
	}
	b.RefuseIf(c != x[1]/group, "weights %v do not fit input %v in %d groups", w, x, group)
	b.RefuseIf(m > tensor.MaxElements/group, "group %d is out of range", group)
	if bias != nil && !slices.Equal(bias.Shape, []int{m * group}) {
		b.Refuse("bias %v does not fit %d channels", bias.Shape, m*group)
	}
	if k := b.Ints("kernel_shape"); k != nil && !slices.Equal(k, w[2:]) {
		b.Refuse("kernel_shape %v does not fit weights %v", k, w)
	}
	return &convolution{newWindow(b, x, w[2:], padding(b)), x[0], group, c, m, tensor.Size(w[2:])}
}

// bind binds s, with the time and memory that it takes for planes of so many
// positions to whose columns of so many rows the weights apply.
func (s *convolution) bind(b *op.Binding, run op.RunFunc, rows, plane int, shape []int) *op.Kernel {
	k := b.Kernel(run, op.Float(shape...))
	in := int64(b.In[0].Len())
	for _, t := range b.In[1:] {
		if t != nil {
			in += int64(t.Len())
		}
	}
	k.Work = max(in, int64(tensor.Size(shape))) * int64(rows) / 4
	k.Workspace = 4 * int64(rows) * int64(columns(rows, plane))
	return k
}

// bindConv: X [N, C, spatial...], W [M, C/group, kernel...], B [M].
func bindConv(b *op.Binding) *op.Kernel {
	s := newConvolution(b, b.Shape(), b.In[1].Shape, b.X(2), false)
	return s.forward(b, b.Shape(), func(in op.Tensors) (x, w, bias []float32) {
		if len(in) > 2 && in[2] != nil {
			bias = in[2].F
		}
		return in[0].F, in[1].F, bias
	})
}

// forward binds a convolution of input x, whose numbers operands returns.
func (s *convolution) forward(b *op.Binding, x []int, operands func(in op.Tensors) (x, w, bias []float32)) *op.Kernel {
	op.Check(s.Slide(padding(b), false))
	shape := spatial(x[0], s.m*s.group, s.Out[3-len(x)+2:])
	op.Try(tensor.Count(shape))
	return s.bind(b, func(in, out op.Tensors, team *workers.Team) error {
		x, w, bias := operands(in)
		s.convolve(out[0].F, x, w, team)
		addBias(out[0].F, bias, tensor.Size(s.Out[:]))
		return nil
	}, s.c*s.kernel, tensor.Size(s.Out[:]), shape)
}

// spatial returns the shape [N, C, sizes...].
func spatial(n, c int, sizes []int) []int { return append([]int{n, c}, sizes...) }

// addBias adds bias[c], if there is a bias, to each channel of n elements.
func addBias(y, bias []float32, n int) {
	if len(bias) == 0 || n == 0 {
		return
	}
	for i := 0; i < len(y); i += n {
		v := bias[i/n%len(bias)]
		for j := i; j < i+n; j++ {
			y[j] += v
		}
	}
}

// convolve multiplies the weights of each group with the columns of its input
// (im2col), some output positions at a time.
func (s *convolution) convolve(y, x, weights []float32, team *workers.Team) {
	if len(y) == 0 {
		return
	}
	inPlane, outPlane := tensor.Size(s.In[:]), tensor.Size(s.Out[:])
	k := s.c * s.kernel
	tile := columns(k, outPlane)
	direct := s.kernel == 1 && s.Stride == [3]int{1, 1, 1} && inPlane == outPlane
	var col []float32
	if !direct {
		col = make([]float32, k*tile)
	}
	for i := range s.batch * s.group {
		x, y := x[i*s.c*inPlane:(i+1)*s.c*inPlane], y[i*s.m*outPlane:(i+1)*s.m*outPlane]
		a := weights[i%s.group*s.m*k:]
		if direct {
			gemm(false, false, s.m, outPlane, k, a, k, x, outPlane, y, outPlane, team)
			continue
		}
		for p := 0; p < outPlane; p += tile {
			n := min(tile, outPlane-p)
			s.Im2col(col, x, s.c, p, n)
			gemm(false, false, s.m, n, k, a, k, col, n, y[p:], outPlane, team)
		}
	}
}

// bindConvTranspose: X [N, C, spatial...], W [C, M/group, kernel...], B [M]. It
// is the adjoint of the convolution that leads from the output's shape to X's.
func bindConvTranspose(b *op.Binding) *op.Kernel {
	x := b.Shape()
	s := newConvolution(b, x, b.In[1].Shape, b.X(2), true)
	n := len(x) - 2
	extra := b.Sizes("output_padding", n, 0, 0)
	size := b.Ints("output_shape")
	if len(size) == n+2 {
		size = size[2:] // some exporters give batch and channels too
	}
	b.RefuseIf(size != nil && len(size) != n, "output_shape %v does not have %d values", size, n)
	s.Out = s.In
	for i := range n {
		a := 3 - n + i
		b.RefuseIf(s.Out[a] == 0, "input %v has an empty spatial axis", x)
		if size != nil {
			s.In[a] = size[i]
		}
		if !s.Unslide(padding(b), a, extra[i], size != nil) {
			b.Refuse("output size %d of axis %d is out of range", s.In[a], i+2)
		}
	}
	shape := spatial(s.batch, s.m*s.group, s.In[3-n:])
	op.Try(tensor.Count(shape))
	return s.bind(b, func(in, out op.Tensors, team *workers.Team) error {
		s.spread(out[0].F, in[0].F, in[1].F, team)
		if len(in) > 2 && in[2] != nil {
			addBias(out[0].F, in[2].F, tensor.Size(s.In[:]))
		}
		return nil
	}, tensor.Size(b.In[1].Shape[1:]), tensor.Size(s.Out[:]), shape)
}

// spread computes a ConvTranspose.
func (s *convolution) spread(y, x, weights []float32, team *workers.Team) {
	if len(y) == 0 {
		return
	}
	inPlane, outPlane := tensor.Size(s.Out[:]), tensor.Size(s.In[:])
	rows := s.m * s.kernel
	tile := columns(rows, inPlane)
	col := make([]float32, rows*tile)
	clear(y)
	for i := range s.batch * s.group {
		x, y := x[i*s.c*inPlane:(i+1)*s.c*inPlane], y[i*s.m*outPlane:(i+1)*s.m*outPlane]
		a := weights[i%s.group*s.c*rows:]
		for p := 0; p < inPlane; p += tile {
			n := min(tile, inPlane-p)
			gemm(true, false, rows, n, s.c, a, rows, x[p:], inPlane, col, n, team)
			s.Col2im(y, col, s.m, p, n)
		}
	}
}

// padding returns how the padding of a window is chosen.
func padding(b *op.Binding) tensor.Padding {
	if auto := b.Word("auto_pad"); auto != "" {
		return tensor.Padding(auto)
	}
	return tensor.Explicit
}

// newWindow reads strides, dilations and explicit padding of a convolution or pooling
// of input x, [N, C, spatial...].
func newWindow(b *op.Binding, x, kernel []int, auto tensor.Padding) *tensor.Window {
	n := len(kernel)
	b.RefuseIf(n == 0 || len(x) != n+2, "input %v does not have the %d spatial axes of kernel %v", x, n, kernel)
	if n > 3 {
		b.Unsupported("%d spatial axes", n)
	}
	strides := b.Sizes("strides", n, 1, 1)
	dilations := b.Sizes("dilations", n, 1, 1)
	one := [3]int{1, 1, 1}
	w := &tensor.Window{In: one, Out: one, Kernel: one, Stride: one, Dilation: one}
	taps := op.Try(tensor.Count(kernel))
	b.RefuseIf(taps == 0, "kernel %v is empty", kernel)
	for i, k := range kernel {
		a := 3 - n + i
		w.In[a], w.Kernel[a], w.Stride[a], w.Dilation[a] = x[2+i], k, strides[i], dilations[i]
	}
	if auto == tensor.Explicit {
		pads := b.Sizes("pads", 2*n, 0, 0)
		copy(w.Begin[3-n:], pads[:n])
		copy(w.End[3-n:], pads[n:])
	}
	return w
}
