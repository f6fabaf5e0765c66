package plan

import (
	"slices"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/winograd"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/internal/weights"
)

// kernel returns the epilogue in the terms of the kernels; res is the residual,
// rows of ld floats apart, or nil.
func (e *epilogue) kernel(res []float32, ld int) kernels.Epilogue {
	return kernels.Epilogue{
		Bias: e.bias, Residual: res, LdRes: ld,
		Act: e.act.f, Alpha: e.act.a, Beta: e.act.b, Lo: e.act.a, Hi: e.act.b,
	}
}

// prepare packs the matrix.
func (o *denseOp) prepare(p *packing.Packer) {
	if o.trans {
		o.b = p.Filters(o.n, o.k, 1, o.w, o.scale)
	} else {
		o.b = p.Rows(o.k, o.n, o.w, o.scale)
	}
	o.w, o.scale = weights.Data{}, nil
}

func (o *denseOp) run(s *state, n *node) error {
	x, y := s.in(n, 0), s.out(n)
	ep := o.kernel(nil, 0)
	if o.residual {
		ep.Residual, ep.LdRes = s.in(n, 1), o.n
	}
	if o.gated {
		o.runGated(s, n, ep)
		return nil
	}
	o.b.Mul(len(x)/o.k, x, o.k, y, o.n, &ep, &s.team)
	return nil
}

// runGated computes picture by picture.
func (o *denseOp) runGated(s *state, n *node, ep kernels.Epilogue) {
	x, y, gate := s.in(n, 0), s.out(n), s.in(n, len(n.in)-1)
	pictures := len(gate) / o.k
	rows := len(x) / o.k / pictures
	for i := range pictures {
		e := ep
		if e.Residual != nil {
			e.Residual = e.Residual[i*rows*o.n:]
		}
		o.b.MulScaled(rows, x[i*rows*o.k:], o.k, gate[i*o.k:][:o.k], y[i*rows*o.n:], o.n, &e, &s.team)
	}
}

// prepare packs the filters of each group as a matrix of kh·kw·c rows.
func (o *convOp) prepare(p *packing.Packer) {
	taps, w, scale := o.kh*o.kw, o.w, o.scale
	o.w, o.scale = weights.Data{}, nil
	if o.winograd > 0 {
		o.wino = p.Winograd(o.winograd, o.out, o.c, w, scale)
		return
	}
	if o.planar { // the taps of a channel are together, as the weights have them
		o.b = append(o.b, p.Filters(o.out, o.c*taps, 1, w, scale))
		return
	}
	if o.depthwise() {
		p.Floats(&o.taps, taps*o.out)
		p.Do(func(room *weights.Scratch) {
			f := w.View(0, o.out*taps, room)
			for ch := range o.out {
				s := float32(1)
				if scale != nil {
					s = scale[ch]
				}
				for t, v := range f[ch*taps:][:taps] {
					o.taps[t*o.out+ch] = s * v
				}
			}
		})
		return
	}
	per := o.out / o.groups
	size := per * o.c * taps
	for g := range o.groups {
		var s []float32
		if scale != nil {
			s = scale[g*per:][:per]
		}
		o.b = append(o.b, p.Filters(per, o.c, taps, w.Part(g*size, (g+1)*size), s))
	}
}

// depthwise reports whether each channel has a filter of its own.
func (o *convOp) depthwise() bool { return o.c == 1 && o.groups > 1 && o.out == o.groups }

func (o *convOp) run(s *state, n *node) error {
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	x, y := s.in(n, 0), s.out(n)
	ep := o.kernel(nil, 0)
	if o.residual {
		ep.Residual, ep.LdRes = s.in(n, 1), o.out
	}
	if o.planar {
		g := o.geometry([]int{in[0], in[2], in[3], in[1]}, out, o.c)
		o.b[0].ConvPlanar(&g, in[0], x, y, o.out, &ep, &s.team)
		return nil
	}
	g := o.geometry(in, out, o.c)
	if o.depthwise() {
		g.C = o.out
		depthwise.Conv(&g, in[0], x, o.taps, y, o.out, &ep, &s.team)
		return nil
	}
	if o.wino != nil {
		o.wino.Conv(&g, in[0], x, y, o.out, &ep, &s.team)
		return nil
	}
	matmul.ConvGroups(o.b, &g, in[0], x, y, o.out, &ep, &s.team)
	return nil
}

// choosePlanar lets convolutions of few channels read [N,C,H,W] themselves,
// instead of what a transposition makes of it: the first one of a network.
func (g *net) choosePlanar() {
	for _, n := range g.nodes {
		o, ok := n.op.(*convOp)
		if !ok || o.groups != 1 || o.residual || n.bf16 {
			continue
		}
		t, ok := n.in[0].producer().(*transposeOp)
		if !ok || !slices.Equal(t.perm, toNHWC) || n.in[0].def.in[0].bf16 {
			continue
		}
		if w := o.geometry(n.in[0].shape, n.out[0].shape, o.c); matmul.Planar(&w) {
			o.planar, n.in[0] = true, n.in[0].def.in[0]
		}
	}
	g.link()
}

// chooseWinograd decides which convolutions go by Winograd.
func (g *net) chooseWinograd() {
	for _, n := range g.nodes {
		o, ok := n.op.(*convOp)
		if !ok || o.groups > 1 || o.planar {
			continue
		}
		w := o.geometry(n.in[0].shape, n.out[0].shape, o.c)
		if !n.bf16 {
			o.winograd = winograd.Rows(&w, o.out)
		} else if n.out[0].bf16 && winograd.FasterBF16(&w, o.out) {
			o.winograd = 2
		}
	}
}

// geometry puts the window in the terms of the kernels, over c of the channels of
// maps of the shapes in and out.
func (w *window) geometry(in, out []int, c int) kernels.Conv {
	return kernels.Conv{
		H: in[1], W: in[2], C: c, Ld: in[3], KH: w.kh, KW: w.kw,
		StrideH: w.sh, StrideW: w.sw, DilH: w.dh, DilW: w.dw,
		PadTop: w.top, PadLeft: w.left, OH: out[1], OW: out[2],
	}
}
