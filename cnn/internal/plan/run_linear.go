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
	w, ld := o.w, o.n
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
	o.b = kernels.PackB(o.trans, o.k, o.n, w, ld)
	o.w, o.scale = nil, nil
}

func (o *denseOp) run(s *state, n *node) error {
	x, y := s.in(n, 0), s.out(n)
	ep := o.kernel(nil, 0)
	if o.residual {
		ep.Residual, ep.LdRes = s.in(n, 1), o.n
	}
	o.b.Mul(len(x)/o.k, x, o.k, y, o.n, &ep, s.threads)
	return nil
}

// prepare packs the filters of each group as a matrix of kh·kw·c rows.
func (o *convOp) prepare() {
	out, taps := o.out, o.kh*o.kw
	m := make([]float32, len(o.w)) // [out][kh·kw][c]
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
	o.w, o.scale = nil, nil
	if o.depthwise() {
		o.taps = transposed(m, []int{out, taps}, []int{1, 0})
		return
	}
	per, k := out/o.groups, o.c*taps
	for g := range o.groups {
		o.b = append(o.b, kernels.PackB(true, k, per, m[g*per*k:], k))
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
	if o.depthwise() {
		o.runDepthwise(in, out, x, y, ep)
		return nil
	}
	g := kernels.Conv{
		H: in[1], W: in[2], C: o.c, Ld: in[3], KH: o.kh, KW: o.kw,
		StrideH: o.sh, StrideW: o.sw, DilH: o.dh, DilW: o.dw,
		PadTop: o.top, PadLeft: o.left, OH: out[1], OW: out[2],
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
		b.Conv(&g, in[0], x[i*o.c:], y[i*per:], o.out, &e, s.threads)
	}
	return nil
}

// runDepthwise convolves each channel with its own filter.
func (o *convOp) runDepthwise(in, out []int, x, y []float32, ep kernels.Epilogue) {
	h, w, c := in[1], in[2], in[3]
	for p := range out[0] * out[1] * out[2] {
		b, oy, ox := p/(out[1]*out[2]), p/out[2]%out[1], p%out[2]
		dst := y[p*c:][:c]
		if ep.Bias != nil {
			copy(dst, ep.Bias)
		} else {
			clear(dst)
		}
		for ky := range o.kh {
			iy := oy*o.sh - o.top + ky*o.dh
			if iy < 0 || iy >= h {
				continue
			}
			for kx := range o.kw {
				ix := ox*o.sw - o.left + kx*o.dw
				if ix < 0 || ix >= w {
					continue
				}
				src := x[((b*h+iy)*w+ix)*c:][:c]
				f := o.taps[(ky*o.kw+kx)*c:][:c]
				for i, v := range src {
					dst[i] += v * f[i]
				}
			}
		}
		if ep.Residual != nil {
			kernels.Add(dst, dst, ep.Residual[p*c:][:c])
		}
		o.act.apply(dst)
	}
}
