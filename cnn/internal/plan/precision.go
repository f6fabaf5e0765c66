package plan

import (
	"slices"
	"unsafe"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/winograd"
	"github.com/onetomany/caption/internal/packing"
)

// Operators that can compute on values stored as bf16 have one of two methods
// beside that for float32. Sums and functions are in float32 all the same: what
// is stored is rounded once.
type (
	bf16Runner interface {
		runBF16(s *state, n *node) error // instead of op.run
	}
	bf16Parted interface {
		partBF16(s *state, n *node, lo, hi int) // instead of parted.part
	}
)

// A bf16Preparer is a preparer that gets other constants ready for runBF16.
type bf16Preparer interface{ prepareBF16(p *packing.Packer) }

// convertOp stores in[0] in the other precision.
type convertOp struct{}

// pixelsOp stores the picture, float32 of [N,C,H,W], as bf16 of [N,H,W,pixel], with
// zeros behind its channels: a row of taps is in one piece then, and in pairs.
type pixelsOp struct{}

// pixel is the number of channels that a pixel of the picture has in bf16.
const pixel = 4

// A leaning is what an operator wants its operands stored as.
type leaning int

const (
	float32s leaning = iota
	bf16s            // all of them
	either           // bf16 if one of them is
)

// narrow stores values as bf16 where convolutions and matrix products gain by it.
// All that is cheap does with what it is given; what package ops computes stays in
// float32, and so does the feature. Conversions stand where the two meet. If all
// is set, everything that can be is bf16, whether that is of use or not.
func (g *net) narrow(all bool) {
	converted := map[*value]*value{}
	pixels := map[*value]*value{}
	for _, n := range slices.Clone(g.nodes) {
		l := g.leaning(n, all)
		n.bf16 = l == bf16s || l == either && slices.ContainsFunc(n.in, func(v *value) bool { return v != nil && v.bf16 })
		if o, ok := n.op.(*convOp); ok && n.bf16 {
			g.readPixels(n, o, pixels)
		}
		for i, v := range n.in {
			if v == nil || v.typ != graph.Float || v.bf16 == n.bf16 {
				continue
			}
			if converted[v] == nil {
				converted[v] = g.convert(v)
			}
			n.in[i] = converted[v]
		}
		if n.bf16 {
			n.out[0].bf16 = !g.widens(n, all)
		}
	}
	if g.output.bf16 {
		g.output = g.convert(g.output)
	}
	g.link()
}

// readPixels lets n, a convolution of the transposed picture, take it as pixelsOp
// stores it; done holds those that there are.
func (g *net) readPixels(n *node, o *convOp, done map[*value]*value) {
	t, ok := n.in[0].producer().(*transposeOp)
	if !ok || !slices.Equal(t.perm, toNHWC) || o.groups != 1 || o.c >= pixel {
		return
	}
	x := n.in[0].def.in[0]
	if x.bf16 {
		return
	}
	if done[x] == nil {
		shape := permuted(x.shape, toNHWC)
		shape[3] = pixel
		y := g.add(x.name, pixelsOp{}, x.typ, shape, x)
		y.bf16, y.batch = true, 0
		done[x] = y
	}
	n.in[0], o.fill = done[x], pixel-o.c
}

// reuse is how often a matrix product must use each value that it reads or writes,
// on average, to gain by bf16: below, it waits for memory.
const reuse = 12

func (g *net) leaning(n *node, all bool) leaning {
	switch n.op.(type) {
	case bf16Runner, bf16Parted:
	default:
		return float32s
	}
	switch o := n.op.(type) {
	case *denseOp:
		if all || o.k*o.n >= reuse*(o.k+o.n) {
			return bf16s
		}
	case *convOp:
		switch {
		case o.depthwise():
		case !all && (o.fasterInFloat32(n) || g.isPicture(n.in[0]) && n.out[0].feedsDepthwise()):
			return float32s
		default:
			return bf16s
		}
	}
	return either
}

// fasterInFloat32 reports whether float32 is faster for o than bf16: where it goes
// by Winograd, for numbers of channels that bf16 does not take that way, and for
// groups of few channels, which do not fill the tiles of bf16. Winograd's filters
// take eight times the memory: with more channels nothing is won.
func (o *convOp) fasterInFloat32(n *node) bool {
	const most, few = 256, 32
	if o.groups > 1 {
		return o.c < few
	}
	g := o.geometry(n.in[0].shape, n.out[0].shape, o.c)
	return cpu.BF16Unit() != "amx" && o.c <= most && o.out <= most && winograd.Rows(&g, o.out) > 0 && !winograd.FasterBF16(&g, o.out)
}

// isPicture reports whether v is the input, but for its layout and scale.
func (g *net) isPicture(v *value) bool {
	for v.def != nil {
		switch v.def.op.(type) {
		case *transposeOp, *scaleOp, *padOp, reshapeOp:
			v = v.def.in[0]
		default:
			return false
		}
	}
	return v == g.input
}

// feedsDepthwise reports whether v goes, through an activation perhaps, into a
// depthwise convolution. Right behind the first convolution that takes differences
// of large neighbouring values: rounding these alone gave EfficientNet-Lite2 an
// error of 0.1 on some photos.
func (v *value) feedsDepthwise() bool {
	return slices.ContainsFunc(v.uses, func(n *node) bool {
		switch o := n.op.(type) {
		case *convOp:
			return o.depthwise()
		case *actOp, *scaleOp, *normOp:
			return slices.ContainsFunc(n.out[0].uses, func(n *node) bool {
				o, ok := n.op.(*convOp)
				return ok && o.depthwise()
			})
		}
		return false
	})
}

// widens reports whether n, which computes on bf16, gives its sums in float32: an
// average over the picture, which is small, and what nothing takes as bf16.
func (g *net) widens(n *node, all bool) bool {
	switch o := n.op.(type) {
	case meanOp:
		return true
	case *convOp:
		if o.depthwise() {
			return false
		}
	case *denseOp:
	default:
		return false
	}
	return !slices.ContainsFunc(n.out[0].uses, func(n *node) bool { return g.leaning(n, all) != float32s })
}

// convert returns v in the other precision.
func (g *net) convert(v *value) *value {
	if v.data != nil {
		c := constant(v.name, v.shape, v.data.F)
		c.bf16, c.fromBatch, c.batch = true, v.fromBatch, v.batch
		g.take(v.name, 2*int64(len(v.data.F)))
		c.narrowed = make([]vmath.BF16, len(v.data.F))
		vmath.ToBF16(c.narrowed, v.data.F)
		return c
	}
	c := g.add(v.name, convertOp{}, v.typ, v.shape, v)
	c.bf16, c.batch = !v.bf16, v.batch
	return c
}

// floats returns how many floats of memory v takes for one picture.
func (v *value) floats(base int) int {
	n := (v.len() + base - 1) / base
	if v.bf16 {
		return (n + 1) / 2
	}
	return n
}

// asBF16 views memory as the n values of twice the precision that fit it: buffers
// are of floats, whatever is in them.
func asBF16(x []float32, n int) []vmath.BF16 {
	if n == 0 {
		return nil
	}
	_ = x[(n-1)/2]
	return unsafe.Slice((*vmath.BF16)(unsafe.Pointer(unsafe.SliceData(x))), n)
}

// prepare gets the constants of n's operator ready, in its precision.
func (n *node) prepare(p *packing.Packer) {
	if o, ok := n.op.(bf16Preparer); ok && n.bf16 {
		o.prepareBF16(p)
	} else if o, ok := n.op.(preparer); ok {
		o.prepare(p)
	}
}

// run computes n's outputs, in its precision.
func (n *node) run(s *state) error {
	if o, ok := n.op.(bf16Runner); ok && n.bf16 {
		return o.runBF16(s, n)
	}
	return n.op.run(s, n)
}
