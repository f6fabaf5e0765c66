package plan

import (
	"github.com/onetomany/caption/internal/kernels"
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
func (o *denseOp) prepare() {
	w, ld := o.matrix()
	o.b = kernels.PackB(o.trans, o.k, o.n, w, ld)
	o.w, o.scale = nil, nil
}

// matrix returns the matrix with its factors multiplied in, and the floats
// between its rows.
func (o *denseOp) matrix() (w []float32, ld int) {
	w, ld = o.w, o.n
	if o.trans {
		ld = o.k
	}
	if o.scale != nil {
		w = make([]float32, len(o.w))
		for i, v := range o.w[:o.k*o.n] {
			col := i % ld
			if o.trans {
				col = i / ld
			}
			w[i] = v * o.scale[col]
		}
	}
	return w, ld
}

func (o *denseOp) run(s *state, n *node) error {
	x, y := s.in(n, 0), s.out(n)
	ep := o.kernel(nil, 0)
	if o.residual {
		ep.Residual, ep.LdRes = s.in(n, 1), o.n
	}
	o.b.Mul(len(x)/o.k, x, o.k, y, o.n, &ep, &s.team)
	return nil
}

// prepare packs the filters of each group as a matrix of kh·kw·c rows.
func (o *convOp) prepare() {
	if o.winograd {
		o.wino = kernels.PackWinograd(o.c, o.out, o.w, o.scale)
		o.w, o.scale = nil, nil
		return
	}
	m := o.filters()
	o.w, o.scale = nil, nil
	if o.depthwise() {
		o.taps = transposed(m, []int{o.out, o.kh * o.kw}, []int{1, 0})
		return
	}
	per, k := o.out/o.groups, o.c*o.kh*o.kw
	for g := range o.groups {
		o.b = append(o.b, kernels.PackB(true, k, per, m[g*per*k:], k))
	}
}

// filters returns the weights with their factors multiplied in, [out][kh·kw][c].
func (o *convOp) filters() []float32 {
	out, taps := o.out, o.kh*o.kw
	m := make([]float32, len(o.w))
	for i := range out {
		f := float32(1)
		if o.scale != nil {
			f = o.scale[i]
		}
		src, dst := o.w[i*o.c*taps:][:o.c*taps], m[i*o.c*taps:][:o.c*taps]
		for c := range o.c {
			for t := range taps {
				dst[t*o.c+c] = f * src[c*taps+t]
			}
		}
	}
	return m
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
	g := o.geometry(in, out, o.c)
	if o.depthwise() {
		g.C = o.out
		g.Depthwise(in[0], x, o.taps, y, o.out, &ep, &s.team)
		return nil
	}
	if o.wino != nil {
		o.wino.Conv(&g, in[0], x, y, o.out, &ep, &s.team)
		return nil
	}
	per := o.out / o.groups
	for i, b := range o.b {
		e := ep
		if e.Bias != nil {
			e.Bias = e.Bias[i*per:][:per]
		}
		if e.Residual != nil {
			e.Residual = e.Residual[i*per:]
		}
		b.Conv(&g, in[0], x[i*o.c:], y[i*per:], o.out, &e, &s.team)
	}
	return nil
}

// chooseWinograd decides which convolutions go by Winograd.
func (g *net) chooseWinograd() {
	for _, n := range g.nodes {
		if o, ok := n.op.(*convOp); ok && o.groups == 1 && !n.bf16 {
			w := o.geometry(n.in[0].shape, n.out[0].shape, o.c)
			o.winograd = w.Winograd(o.out)
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
