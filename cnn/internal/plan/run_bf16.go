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

func (o *denseOp) prepareBF16(p *packing.Packer) {
	p.Apart(2 * matmul.SizeBF16(o.k, o.n))
	p.Do(func(room *weights.Scratch) {
		w, ld := o.matrix(room)
		o.half = matmul.PackBF16(o.trans, o.k, o.n, w, ld)
		o.w, o.scale = weights.Data{}, nil
	})
}

// matrix returns the matrix with its factors multiplied in, and the floats
// between its rows.
func (o *denseOp) matrix(room *weights.Scratch) (w []float32, ld int) {
	w, ld = o.w.View(0, o.k*o.n, room), o.n
	if o.trans {
		ld = o.k
	}
	if o.scale != nil {
		w = slices.Clone(w)
		for i := range w {
			col := i % ld
			if o.trans {
				col = i / ld
			}
			w[i] *= o.scale[col]
		}
	}
	return w, ld
}

func (o *denseOp) runBF16(s *state, n *node) error {
	x, ep := s.bf16(n.in[0]), o.narrow(s, n, 0, o.n)
	if y := n.out[0]; y.bf16 {
		o.half.Mul(len(x)/o.k, x, o.k, s.bf16(y), o.n, &ep, &s.team)
	} else {
		o.half.MulFloat32(len(x)/o.k, x, o.k, s.float32(y), o.n, &ep, &s.team)
	}
	return nil
}

// narrow returns the epilogue of n, from output channel first of ld on.
func (e *epilogue) narrow(s *state, n *node, first, ld int) kernels.EpilogueBF16 {
	k := kernels.EpilogueBF16{Act: e.act.f, Alpha: e.act.a, Beta: e.act.b, Lo: e.act.a, Hi: e.act.b}
	if e.bias != nil {
		k.Bias = e.bias[first:]
	}
	if e.residual {
		k.Residual, k.LdRes = s.bf16(n.in[1])[first:], ld
	}
	return k
}

func (o *convOp) prepareBF16(p *packing.Packer) {
	if o.depthwise() {
		o.prepare(p)
		return
	}
	per, k := o.out/o.groups, (o.c+o.fill)*o.kh*o.kw
	if o.winograd > 0 {
		p.Apart(2 * winograd.SizeBF16(o.c, o.out))
	} else {
		p.Apart(2 * o.groups * matmul.SizeBF16(k, per))
	}
	p.Do(func(room *weights.Scratch) {
		m := o.filters(room)
		if o.winograd > 0 {
			o.winoHalf = winograd.PackBF16(o.c, o.out, m)
			o.w, o.scale = weights.Data{}, nil
			return
		}
		for g := range o.groups {
			o.half = append(o.half, matmul.PackBF16(true, k, per, m[g*per*k:], k))
		}
		o.w, o.scale = weights.Data{}, nil
	})
}

// filters returns the weights with their factors multiplied in, [out][kh·kw][c].
func (o *convOp) filters(room *weights.Scratch) []float32 {
	taps, wide := o.kh*o.kw, o.c+o.fill
	w := o.w.View(0, o.w.Len(), room)
	m := make([]float32, o.out*taps*wide)
	for i := range o.out {
		f := float32(1)
		if o.scale != nil {
			f = o.scale[i]
		}
		src, dst := w[i*o.c*taps:][:o.c*taps], m[i*wide*taps:][:wide*taps]
		for c := range o.c {
			for t := range taps {
				dst[t*wide+c] = f * src[c*taps+t]
			}
		}
	}
	return m
}

func (o *convOp) runBF16(s *state, n *node) error {
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	x, y := s.bf16(n.in[0]), n.out[0]
	g := o.geometry(in, out, o.c+o.fill)
	if o.depthwise() {
		g.C = o.out
		ep := o.narrow(s, n, 0, o.out)
		depthwise.ConvBF16(&g, in[0], x, o.taps, s.bf16(y), o.out, &ep, &s.team)
		return nil
	}
	if o.winoHalf != nil {
		ep := o.narrow(s, n, 0, o.out)
		o.winoHalf.Conv(&g, in[0], x, s.bf16(y), o.out, &ep, &s.team)
		return nil
	}
	for i, b := range o.half {
		first := i * b.N()
		ep := o.narrow(s, n, first, o.out)
		if y.bf16 {
			b.Conv(&g, in[0], x[i*o.c:], s.bf16(y)[first:], o.out, &ep, &s.team)
		} else {
			b.ConvFloat32(&g, in[0], x[i*o.c:], s.float32(y)[first:], o.out, &ep, &s.team)
		}
	}
	return nil
}

func (o *poolOp) runBF16(s *state, n *node) error {
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	g := o.geometry(in, out, in[3])
	if o.max {
		depthwise.MaxPoolBF16(&g, in[0], s.bf16(n.in[0]), s.bf16(n.out[0]), in[3], &s.team)
	} else {
		depthwise.AveragePoolBF16(&g, in[0], o.countPad, s.bf16(n.in[0]), s.bf16(n.out[0]), in[3], &s.team)
	}
	return nil
}
