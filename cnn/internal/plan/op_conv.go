package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/winograd"
	"github.com/onetomany/caption/internal/weights"
)

// Conv convolves In[0] of [N,H,W,C] with weights of [Filters][C][KH][KW].
type Conv struct {
	Linear
	Window
	Groups  int
	C       int // channels of a group going in
	Filters int // of all groups

	Winograd int  // rows of Winograd's tiles, 0 for a direct convolution
	Planar   bool // In[0] is [N,C,H,W]
	Fill     int  // channels of zeros that In[0] has behind its own
	Padded   bool // a Pad is merged into it
}

// Linear is what matrix products and convolutions have in common. To each sum they
// add a bias and a residual, and apply a function to it, before it is stored.
type Linear struct {
	common
	W     weights.Data // until they are packed
	Scale []float32    // factor for each output channel, or nil; likewise

	Bias     []float32 // for each output channel, or nil
	Residual bool      // add In[1], of the shape of the output
	Act      Act
}

func (o *Linear) fuses() fusable {
	return fusable{act: &o.Act, residual: &o.Residual, scale: &o.Scale, shift: &o.Bias, weights: &o.W}
}

// A Window is the geometry of a convolution or pool over [N,H,W,C], without the
// sizes of the maps.
type Window struct {
	kernels.Conv
	PadBottom, PadRight int
}

func init() { register(&Conv{}, map[string]rule{"Conv": (*lowering).conv}) }

// windowOf reads the geometry of n, which maps x to shape, both [N,C,H,W].
func windowOf(n *graph.Node, kernel, x, shape []int) (w Window, ok bool) {
	stride, dilation, pads := n.Ints("strides"), n.Ints("dilations"), n.Ints("pads")
	if stride == nil {
		stride = []int{1, 1}
	}
	if dilation == nil {
		dilation = []int{1, 1}
	}
	auto := tensor.Padding(n.Str("auto_pad", string(tensor.Explicit)))
	if auto != tensor.Explicit && auto != "" || pads == nil {
		pads = make([]int, 4)
	}
	if len(kernel) != 2 || len(stride) != 2 || len(dilation) != 2 || len(pads) != 4 {
		return w, false
	}
	t := tensor.Window{In: [3]int{1, x[2], x[3]}, Kernel: [3]int{1, kernel[0], kernel[1]}, Stride: [3]int{1, stride[0], stride[1]},
		Dilation: [3]int{1, dilation[0], dilation[1]}, Begin: [3]int{0, pads[0], pads[1]}, End: [3]int{0, pads[2], pads[3]}}
	if t.Slide(auto, n.Int("ceil_mode", 0) != 0) != nil || min(pads[0], pads[1], pads[2], pads[3]) < 0 {
		return w, false
	}
	return Window{kernels.Conv{KH: kernel[0], KW: kernel[1], StrideH: stride[0], StrideW: stride[1], DilH: dilation[0], DilW: dilation[1],
		PadTop: t.Begin[1], PadLeft: t.Begin[2]}, t.End[1], t.End[2]}, true
}

// pointwise reports whether each window is the one pixel in its place.
func (w Window) pointwise() bool {
	return w == Window{Conv: kernels.Conv{KH: 1, KW: 1, StrideH: 1, StrideW: 1, DilH: w.DilH, DilW: w.DilW}}
}

// Geometry returns the window over c of the channels of maps of the shapes in and out.
func (w Window) Geometry(in, out []int, c int) kernels.Conv {
	w.H, w.W, w.C, w.Ld, w.OH, w.OW = in[1], in[2], c, in[3], out[1], out[2]
	return w.Conv
}

func (w Window) String() string {
	s := fmt.Sprintf("%d×%d", w.KH, w.KW)
	if w.StrideH != 1 || w.StrideW != 1 {
		s += fmt.Sprintf(" stride %d,%d", w.StrideH, w.StrideW)
	}
	if w.DilH != 1 && w.KH > 1 || w.DilW != 1 && w.KW > 1 {
		s += fmt.Sprintf(" dilation %d,%d", w.DilH, w.DilW)
	}
	if w.PadTop|w.PadLeft|w.PadBottom|w.PadRight != 0 {
		s += fmt.Sprintf(" pads %d,%d,%d,%d", w.PadTop, w.PadLeft, w.PadBottom, w.PadRight)
	}
	return s
}

func (l *lowering) conv(n *graph.Node, x *Value, shape []int) *Value {
	w, ok := l.weights(n, 1)
	bias, ok2 := l.floats(n, 2)
	if !ok || !ok2 || len(x.Shape) != 4 {
		return nil
	}
	win, ok := windowOf(n, w.Shape[2:], x.Shape, shape)
	if !ok {
		return nil
	}
	linear := Linear{W: weightsOf(w)}
	if bias != nil {
		linear.Bias = bias.F
	}
	groups := n.Int("group", 1)
	if groups == 1 && win.pointwise() {
		return l.viaNHWC(n.Outputs[0], &Dense{Linear: linear, K: w.Shape[1], N: w.Shape[0], Trans: true}, x, shape)
	}
	return l.viaNHWC(n.Outputs[0], &Conv{Linear: linear, Window: win, Groups: groups, C: w.Shape[1], Filters: w.Shape[0]}, x, shape)
}

// Depthwise reports whether each channel has a filter of its own.
func (o *Conv) Depthwise() bool { return o.C == 1 && o.Groups > 1 && o.Filters == o.Groups }

func (o *Conv) pictures(n *Node) (int, bool) { return n.keep(1, 2, 3) }

// fusePad lets the convolution n pad by itself.
func (g *Net) fusePad(n *Node, o *Conv) {
	p, ok := n.In[0].producer().(*Pad)
	if !ok || p.Before[0]+p.After[0]+p.Before[3]+p.After[3] != 0 {
		return
	}
	o.PadTop += p.Before[1]
	o.PadLeft += p.Before[2]
	o.PadBottom += p.After[1]
	o.PadRight += p.After[2]
	o.Padded = true
	n.In[0] = n.In[0].def.In[0]
}

func (o *Conv) inPlace(n *Node) (first, end int) {
	if o.Depthwise() {
		return 0, 0
	}
	return 1, len(n.In)
}

func (o *Conv) multiplyAdds(n *Node) int { return n.Out[0].Len() * o.C * o.KH * o.KW }

func (o *Conv) workspace(g *Net, n *Node) (w workspace) {
	out := n.Out[0].Shape
	if o.Winograd > 0 {
		// What some tiles of so many rows by 4 pixels are transformed to, and
		// the products for 32 channels.
		all := (out[1] + o.Winograd - 1) / o.Winograd * ((out[2] + 3) / 4)
		w.tiles = (o.Winograd + 2) * 6 * min(all, 24) * (o.C + min(o.Filters, 32) + 32)
	} else if !o.Depthwise() && !o.Planar && (o.C < 16 || n.In[0].Shape[3]%512 == 0) {
		w.rows = copied(tensor.Size(out[1:3]), o.C*o.KH*o.KW)
	}
	return w
}

func (o *Conv) prefers(g *Net, n *Node, all bool) precision {
	switch {
	case o.Depthwise():
		return either
	case !all && (o.fasterInFloat32(n) || g.isPicture(n.In[0]) && n.Out[0].feedsDepthwise()):
		return float32s
	}
	return bf16s
}

func (o *Conv) widens(used bool) bool { return !used && !o.Depthwise() }

// fasterInFloat32 reports whether float32 is faster for o than bf16: where it goes
// by Winograd, for numbers of channels that bf16 does not take that way, and for
// groups of few channels, which do not fill the tiles of bf16. Winograd's filters
// take eight times the memory: with more channels nothing is won.
func (o *Conv) fasterInFloat32(n *Node) bool {
	const most, few = 256, 32
	if o.Groups > 1 {
		return o.C < few
	}
	g := o.Geometry(n.In[0].Shape, n.Out[0].Shape, o.C)
	return cpu.BF16Unit() != "amx" && o.C <= most && o.Filters <= most && winograd.Rows(&g, o.Filters) > 0 && !winograd.FasterBF16(&g, o.Filters)
}

// isPicture reports whether v is the input, but for its layout and scale.
func (g *Net) isPicture(v *Value) bool {
	for v.def != nil {
		switch v.def.Op.(type) {
		case *Transpose, *Scale, *Pad, *Reshape:
			v = v.def.In[0]
		default:
			return false
		}
	}
	return v == g.Input
}

// feedsDepthwise reports whether v goes, through an activation perhaps, into a
// depthwise convolution. Right behind the first convolution that takes differences
// of large neighbouring values: rounding these alone gave EfficientNet-Lite2 an
// error of 0.1 on some photos.
func (v *Value) feedsDepthwise() bool {
	return slices.ContainsFunc(v.uses, func(n *Node) bool {
		switch o := n.Op.(type) {
		case *Conv:
			return o.Depthwise()
		case *Activate, *Scale, *Norm:
			return slices.ContainsFunc(n.Out[0].uses, func(n *Node) bool {
				o, ok := n.Op.(*Conv)
				return ok && o.Depthwise()
			})
		}
		return false
	})
}

// readPicture lets n, a convolution of few channels, read [N,C,H,W] itself, or as
// Pixels stores it, instead of what a transposition makes of it: the first one of a
// network. pixels holds what Pixels there are.
func (g *Net) readPicture(n *Node, o *Conv, pixels map[*Value]*Value) {
	t, ok := n.In[0].producer().(*Transpose)
	if !ok || !slices.Equal(t.Perm, toNHWC) || o.Groups != 1 || n.In[0].def.In[0].BF16 {
		return
	}
	x, w := n.In[0].def.In[0], o.Geometry(n.In[0].Shape, n.Out[0].Shape, o.C)
	switch {
	case n.BF16 && o.C < PixelSize:
		if pixels[x] == nil {
			shape := tensor.Permuted(x.Shape, toNHWC)
			shape[3] = PixelSize
			pixels[x] = g.add(x.Name, &Pixels{}, x.Type, shape, x)
			pixels[x].BF16, pixels[x].Pictures = true, 0
		}
		n.In[0], o.Fill = pixels[x], PixelSize-o.C
	case !n.BF16 && !o.Residual && matmul.Planar(&w):
		o.Planar, n.In[0] = true, x
	}
}

// chooseWinograd decides which convolutions go by Winograd.
func (g *Net) chooseWinograd() {
	for _, n := range g.Nodes {
		o, ok := n.Op.(*Conv)
		if !ok || o.Groups > 1 || o.Planar {
			continue
		}
		w := o.Geometry(n.In[0].Shape, n.Out[0].Shape, o.C)
		if !n.BF16 {
			o.Winograd = winograd.Rows(&w, o.Filters)
		} else if n.Out[0].BF16 && winograd.FasterBF16(&w, o.Filters) {
			o.Winograd = 2
		}
	}
}

func (o *Conv) words(n *Node) words {
	w := words{what: "convolution " + o.Window.String(), kernel: "direct"}
	if o.Padded {
		w.fused = "padding"
	}
	switch {
	case o.Depthwise():
		w.what, w.kernel = "depthwise "+w.what, "depthwise"
	case o.Groups > 1:
		w.what += fmt.Sprintf(" in %d groups", o.Groups)
	case o.Winograd > 0 && n.BF16:
		w.kernel = "Winograd F(2×2)"
	case o.Winograd > 0:
		w.kernel = fmt.Sprintf("Winograd F(%d×4)", o.Winograd)
	case o.Planar:
		w.kernel = "direct, planar"
	}
	return w
}

// weightsOf returns the elements of a Float tensor, wherever they are.
func weightsOf(t *graph.Tensor) weights.Data {
	if d, ok := t.Stored.(weights.Data); ok {
		return d
	}
	return weights.Of(t.F)
}
