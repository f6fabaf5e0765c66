package plan

import (
	"slices"
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/weights"
)

func (o *denseOp) prepareBF16(p *weights.Packer) {
	p.Do(func(room *weights.Room) {
		w, ld := o.matrix(room)
		o.half = kernels.PackBF16(o.trans, o.k, o.n, w, ld)
		o.w, o.scale = weights.Data{}, nil
	})
}

// matrix returns the matrix with its factors multiplied in, and the floats
// between its rows.
func (o *denseOp) matrix(room *weights.Room) (w []float32, ld int) {
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

func (o *convOp) prepareBF16(p *weights.Packer) {
	if o.depthwise() {
		o.prepare(p)
		return
	}
	p.Do(func(room *weights.Room) {
		m := o.filters(room)
		per, k := o.out/o.groups, o.c*o.kh*o.kw
		for g := range o.groups {
			o.half = append(o.half, kernels.PackBF16(true, k, per, m[g*per*k:], k))
		}
		o.w, o.scale = weights.Data{}, nil
	})
}

// filters returns the weights with their factors multiplied in, [out][kh·kw][c].
func (o *convOp) filters(room *weights.Room) []float32 {
	taps := o.kh * o.kw
	w := o.w.View(0, o.w.Len(), room)
	m := make([]float32, len(w))
	for i := range o.out {
		f := float32(1)
		if o.scale != nil {
			f = o.scale[i]
		}
		src, dst := w[i*o.c*taps:][:o.c*taps], m[i*o.c*taps:][:o.c*taps]
		for c := range o.c {
			for t := range taps {
				dst[t*o.c+c] = f * src[c*taps+t]
			}
		}
	}
	return m
}

func (o *convOp) runBF16(s *state, n *node) error {
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	x, y := s.bf16(n.in[0]), n.out[0]
	g := o.geometry(in, out, o.c)
	if o.depthwise() {
		g.C = o.out
		ep := o.narrow(s, n, 0, o.out)
		g.DepthwiseBF16(in[0], x, o.taps, s.bf16(y), o.out, &ep, &s.team)
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
		g.MaxPoolBF16(in[0], s.bf16(n.in[0]), s.bf16(n.out[0]), in[3], &s.team)
	} else {
		g.AveragePoolBF16(in[0], o.countPad, s.bf16(n.in[0]), s.bf16(n.out[0]), in[3], &s.team)
	}
	return nil
}

func (meanOp) runBF16(s *state, n *node) error {
	x, y, in := s.bf16(n.in[0]), s.float32(n.out[0]), s.t[n.in[0].id].Shape
	plane, c := in[1]*in[2], in[3]
	clear(y)
	w := workbenches.Get().(*workbench)
	defer workbenches.Put(w)
	for i := 0; i < len(x); i += c {
		sum := y[i/(plane*c)*c:][:c]
		for at := 0; at < c; at += chunk {
			r := w.a[:min(chunk, c-at)]
			kernels.FromBF16(r, x[i+at:])
			kernels.Add(sum[at:][:len(r)], sum[at:], r)
		}
	}
	kernels.Scale(y, 1/float32(plane), y)
	return nil
}

// What is cheap is computed in float32 on pieces that stay in the first-level
// cache: widened, worked on, rounded.

// chunk is the length of such a piece.
const chunk = 1024

// A workbench is the room for pieces of operands.
type workbench struct {
	a, b []float32
	half [chunk]kernels.BF16
}

var workbenches = sync.Pool{New: func() any {
	return &workbench{a: make([]float32, chunk), b: make([]float32, chunk)}
}}

// rows widens x row by row, has f work on each and rounds it into y.
func rows(y, x []kernels.BF16, row int, f func(row []float32)) {
	w := workbenches.Get().(*workbench)
	defer workbenches.Put(w)
	if len(w.a) < row {
		w.a = make([]float32, row)
	}
	for i := 0; i < len(x); i += row {
		r := w.a[:min(row, len(x)-i)]
		kernels.FromBF16(r, x[i:])
		f(r)
		kernels.ToBF16(y[i:][:len(r)], r)
	}
}

func (o *actOp) runBF16(s *state, n *node) error {
	rows(s.bf16(n.out[0]), s.bf16(n.in[0]), chunk, o.apply)
	return nil
}

func (o *scaleOp) runBF16(s *state, n *node) error {
	x, y := s.bf16(n.in[0]), s.bf16(n.out[0])
	shape := s.t[n.in[0].id].Shape
	if o.axis == len(shape)-1 {
		rows(y, x, shape[o.axis], func(r []float32) {
			kernels.Mul(r, r, o.scale)
			kernels.Add(r, r, o.shift)
			o.act.apply(r)
		})
		return nil
	}
	row, c, i := chunk, 1, 0
	if o.axis >= 0 {
		row, c = size(shape[o.axis+1:]), shape[o.axis]
	}
	rows(y, x, row, func(r []float32) {
		a, b := o.scale[i%c], o.shift[i%c]
		for j, v := range r {
			r[j] = v*a + b
		}
		o.act.apply(r)
		i++
	})
	return nil
}

func (o *normOp) runBF16(s *state, n *node) error {
	rows(s.bf16(n.out[0]), s.bf16(n.in[0]), len(o.scale), func(r []float32) { o.row(r, r) })
	return nil
}

func (softmaxOp) runBF16(s *state, n *node) error {
	shape := n.in[0].shape
	rows(s.bf16(n.out[0]), s.bf16(n.in[0]), shape[len(shape)-1], func(r []float32) { softmaxRow(r, r) })
	return nil
}

func (o *binaryOp) runBF16(s *state, n *node) error {
	t, u, v := n.in[0].id, n.in[1].id, n.out[0].id
	y, a, b := s.half[v], s.half[t], s.half[u]
	w := broadcast(s.t[v].Shape, s.t[t].Shape, s.t[u].Shape)
	row, stepA, stepB := w.last()
	bench := workbenches.Get().(*workbench)
	defer workbenches.Put(bench)
	w.rows(func(out, i, j int) {
		for at := 0; at < row; at += chunk {
			k := min(chunk, row-at)
			p, q := bench.a[:k], bench.b[:k]
			kernels.FromBF16(p[:1+stepA*(k-1)], a[i+stepA*at:])
			kernels.FromBF16(q[:1+stepB*(k-1)], b[j+stepB*at:])
			r := p
			if stepA == 0 {
				r = q
			}
			o.op.row(r, p, q, stepA, stepB)
			o.act.apply(r)
			kernels.ToBF16(y[out+at:][:k], r)
		}
	})
	return nil
}

func (reshapeOp) runBF16(*state, *node) error { return nil }

func (o *concatOp) runBF16(s *state, n *node) error {
	concatenate(s, n, o.axis, 0, size(s.t[n.out[0].id].Shape[:o.axis]), (*state).bf16)
	return nil
}

func (o *sliceOp) runBF16(s *state, n *node) error {
	slice(s, n, o.axis, o.start, 0, size(s.t[n.out[0].id].Shape[:o.axis]), (*state).bf16)
	return nil
}

func (o *padOp) runBF16(s *state, n *node) error {
	pad(s, n, o.before, (*state).bf16)
	return nil
}

// runBF16 also takes the picture, in float32.
func (o *transposeOp) runBF16(s *state, n *node) error {
	x, shape := n.in[0], s.t[n.in[0].id].Shape
	if x.bf16 {
		w := transposition(shape, o.perm)
		transpose(s.bf16(n.out[0]), s.bf16(x), &w, 0, w.parts())
	} else {
		channelsLast(s.bf16(n.out[0]), s.float32(x), shape)
	}
	return nil
}

// channelsLast rounds x, of the shape [N,C,H,W], into y, [N,H,W,C].
func channelsLast(y []kernels.BF16, x []float32, shape []int) {
	w := workbenches.Get().(*workbench)
	defer workbenches.Put(w)
	c, plane := shape[1], shape[2]*shape[3]
	for i := range len(x) / plane {
		src, dst := x[i*plane:][:plane], y[i/c*c*plane+i%c:]
		for at := 0; at < plane; at += chunk {
			h, d := w.half[:min(chunk, plane-at)], dst[at*c:]
			kernels.ToBF16(h, src[at:])
			for j, v := range h {
				d[j*c] = v
			}
		}
	}
}

func (convertOp) run(s *state, n *node) error {
	if n.out[0].bf16 {
		kernels.ToBF16(s.half[n.out[0].id], s.in(n, 0))
	} else {
		kernels.FromBF16(s.out(n), s.half[n.in[0].id])
	}
	return nil
}
