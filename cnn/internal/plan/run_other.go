package plan

import (
	"math"
	"slices"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// apply computes x = f(x).
func (f act) apply(x []float32) {
	if f.f != vmath.ActNone {
		f.f.Apply(x, x, f.a, f.b)
	}
}

// piece is how many elements of operators on single elements are a row.
const piece = 256

// pieces returns the elements lo…hi-1 of x, in pieces.
func pieces(x []float32, lo, hi int) []float32 { return x[lo*piece : min(hi*piece, len(x))] }

func (o *actOp) run(s *state, n *node) error {
	return s.split(n, o, (s.elements(n)+piece-1)/piece, 16*piece)
}

func (o *actOp) part(s *state, n *node, lo, hi int) {
	o.f.Apply(pieces(s.out(n), lo, hi), s.in(n, 0)[lo*piece:], o.a, o.b)
}

func (o *scaleOp) run(s *state, n *node) error {
	row := piece
	if o.axis >= 0 {
		row = o.row(s, n)
	}
	return s.split(n, o, (s.elements(n)+row-1)/row, 8*row)
}

// row returns how many elements are scaled in one go.
func (o *scaleOp) row(s *state, n *node) int {
	shape := s.t[n.in[0].id].Shape
	if o.axis == len(shape)-1 {
		return shape[o.axis]
	}
	return size(shape[o.axis+1:])
}

func (o *scaleOp) part(s *state, n *node, lo, hi int) {
	x, y := s.in(n, 0), s.out(n)
	if o.axis < 0 {
		o.one(pieces(y, lo, hi), pieces(x, lo, hi), 0)
		return
	}
	row := o.row(s, n)
	if o.axis == len(n.in[0].shape)-1 {
		o.each(y[lo*row:hi*row], x[lo*row:])
		return
	}
	for i := lo; i < hi; i++ {
		o.one(y[i*row:][:row], x[i*row:][:row], i%len(o.scale))
	}
}

// each scales elements of all channels.
func (o *scaleOp) each(y, x []float32) {
	switch o.act.f {
	case vmath.ActReLU:
		vmath.Affine(y, x, o.scale, o.shift, 0, float32(math.Inf(1)))
	case vmath.ActClip:
		vmath.Affine(y, x, o.scale, o.shift, o.act.a, o.act.b)
	default:
		vmath.Affine(y, x, o.scale, o.shift, float32(math.Inf(-1)), float32(math.Inf(1)))
		o.act.apply(y)
	}
}

// one scales elements of channel c.
func (o *scaleOp) one(y, x []float32, c int) {
	a, b := o.scale[c], o.shift[c]
	for i, v := range x {
		y[i] = v*a + b
	}
	o.act.apply(y)
}

func (reshapeOp) run(*state, *node) error { return nil }

func (o *concatOp) run(s *state, n *node) error {
	outer := size(s.t[n.out[0].id].Shape[:o.axis])
	return s.split(n, o, outer, 4*s.elements(n)/max(outer, 1))
}

func (o *concatOp) part(s *state, n *node, lo, hi int) {
	concatenate(s, n, o.axis, lo, hi, (*state).float32)
}

func (o *sliceOp) run(s *state, n *node) error {
	outer := size(s.t[n.out[0].id].Shape[:o.axis])
	return s.split(n, o, outer, 4*s.elements(n)/max(outer, 1))
}

func (o *sliceOp) part(s *state, n *node, lo, hi int) {
	slice(s, n, o.axis, o.start, lo, hi, (*state).float32)
}

func (o *padOp) run(s *state, n *node) error {
	pad(s, n, o.before, (*state).float32)
	return nil
}

// concatenate, slice and pad move what data gives: float32 or bf16. The first
// two take the indices lo…hi-1 of all axes before theirs.

func concatenate[T any](s *state, n *node, axis, lo, hi int, data func(*state, *value) []T) {
	y, row, at := data(s, n.out[0]), size(s.t[n.out[0].id].Shape[axis:]), 0
	for _, v := range n.in {
		x, part := data(s, v), size(s.t[v.id].Shape[axis:])
		for i := lo; i < hi; i++ {
			copy(y[i*row+at:][:part], x[i*part:])
		}
		at += part
	}
}

func slice[T any](s *state, n *node, axis, start, lo, hi int, data func(*state, *value) []T) {
	x, y := data(s, n.in[0]), data(s, n.out[0])
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	inner := size(in[axis+1:])
	row, part := in[axis]*inner, out[axis]*inner
	for i := lo; i < hi; i++ {
		copy(y[i*part:][:part], x[i*row+start*inner:])
	}
}

func pad[T any](s *state, n *node, before []int, data func(*state, *value) []T) {
	x, y := data(s, n.in[0]), data(s, n.out[0])
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	clear(y)
	last := len(in) - 1
	row := in[last]
	for i := 0; i < len(x); i += row {
		// Find the row's place in the output from its indices.
		at, stride := before[last], out[last]
		for d, r := last-1, i/row; d >= 0; d-- {
			at += (r%in[d] + before[d]) * stride
			r /= in[d]
			stride *= out[d]
		}
		copy(y[at:][:row], x[i:])
	}
}

func (o softmaxOp) run(s *state, n *node) error {
	shape := n.in[0].shape
	c := shape[len(shape)-1]
	return s.split(n, o, s.elements(n)/c, 256*c)
}

func (softmaxOp) part(s *state, n *node, lo, hi int) {
	x, y := s.in(n, 0), s.out(n)
	shape := n.in[0].shape
	c := shape[len(shape)-1]
	for i := lo; i < hi; i++ {
		softmaxRow(y[i*c:][:c], x[i*c:][:c])
	}
}

func softmaxRow(y, x []float32) {
	top := slices.Max(x)
	sum := 0.0
	for j, v := range x {
		e := math.Exp(float64(v - top))
		y[j] = float32(e)
		sum += e
	}
	for j := range y {
		y[j] = float32(float64(y[j]) / sum)
	}
}

func (o *normOp) run(s *state, n *node) error {
	c := len(o.scale)
	return s.split(n, o, s.elements(n)/c, 64*c)
}

func (o *normOp) part(s *state, n *node, lo, hi int) {
	x, y := s.in(n, 0), s.out(n)
	c := len(o.scale)
	for i := lo; i < hi; i++ {
		vmath.Normalise(y[i*c:][:c], x[i*c:], o.scale, o.bias, o.eps)
	}
}

// strip is how many channels meanOp takes in one go.
const strip = 64

func (o meanOp) run(s *state, n *node) error {
	in := s.t[n.in[0].id].Shape
	return s.split(n, o, (in[3]+strip-1)/strip, 4*strip*in[0]*in[1]*in[2])
}

func (meanOp) part(s *state, n *node, lo, hi int) {
	in := s.t[n.in[0].id].Shape
	lo, hi = lo*strip, min(hi*strip, in[3])
	g := kernels.Conv{H: in[1], W: in[2], C: hi - lo, Ld: in[3], KH: in[1], KW: in[2], OH: 1, OW: 1}
	depthwise.AveragePool(&g, in[0], false, s.in(n, 0)[lo:], s.out(n)[lo:], in[3], nil)
}

func (o *poolOp) run(s *state, n *node) error {
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	g := o.geometry(in, out, in[3])
	if o.max {
		depthwise.MaxPool(&g, in[0], s.in(n, 0), s.out(n), in[3], &s.team)
	} else {
		depthwise.AveragePool(&g, in[0], o.countPad, s.in(n, 0), s.out(n), in[3], &s.team)
	}
	return nil
}
