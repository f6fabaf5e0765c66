package plan

import (
	"math"
	"slices"

	"github.com/onetomany/caption/internal/kernels"
)

// apply computes x = f(x).
func (f act) apply(x []float32) {
	if f.f != kernels.ActNone {
		f.f.Apply(x, x, f.a, f.b)
	}
}

func (o *actOp) run(s *state, n *node) error {
	o.f.Apply(s.out(n), s.in(n, 0), o.a, o.b)
	return nil
}

func (o *scaleOp) run(s *state, n *node) error {
	x, y := s.in(n, 0), s.out(n)
	if o.axis < 0 {
		a, b := o.scale[0], o.shift[0]
		for i, v := range x {
			y[i] = v*a + b
		}
		o.act.apply(y)
		return nil
	}
	shape := s.t[n.in[0].id].Shape
	c, inner := shape[o.axis], size(shape[o.axis+1:])
	if inner == 1 {
		for i := 0; i < len(x); i += c {
			row := y[i:][:c]
			kernels.Mul(row, x[i:], o.scale)
			kernels.Add(row, row, o.shift)
			o.act.apply(row)
		}
		return nil
	}
	for i := 0; i < len(x); i += inner {
		a, b := o.scale[i/inner%c], o.shift[i/inner%c]
		for j, v := range x[i:][:inner] {
			y[i+j] = v*a + b
		}
		o.act.apply(y[i:][:inner])
	}
	return nil
}

func (reshapeOp) run(*state, *node) error { return nil }

func (o *concatOp) run(s *state, n *node) error {
	concatenate(s, n, o.axis, (*state).float32)
	return nil
}

func (o *sliceOp) run(s *state, n *node) error {
	slice(s, n, o.axis, o.start, (*state).float32)
	return nil
}

func (o *padOp) run(s *state, n *node) error {
	pad(s, n, o.before, (*state).float32)
	return nil
}

// concatenate, slice and pad move what data gives: float32 or bf16.

func concatenate[T any](s *state, n *node, axis int, data func(*state, *value) []T) {
	y, row, at := data(s, n.out[0]), size(s.t[n.out[0].id].Shape[axis:]), 0
	for _, v := range n.in {
		x, part := data(s, v), size(s.t[v.id].Shape[axis:])
		for i, j := 0, at; i < len(x); i, j = i+part, j+row {
			copy(y[j:][:part], x[i:])
		}
		at += part
	}
}

func slice[T any](s *state, n *node, axis, start int, data func(*state, *value) []T) {
	x, y := data(s, n.in[0]), data(s, n.out[0])
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	inner := size(in[axis+1:])
	row, part := in[axis]*inner, out[axis]*inner
	for i, j := start*inner, 0; j < len(y); i, j = i+row, j+part {
		copy(y[j:][:part], x[i:])
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

func (softmaxOp) run(s *state, n *node) error {
	x, y := s.in(n, 0), s.out(n)
	shape := n.in[0].shape
	c := shape[len(shape)-1]
	for i := 0; i < len(x); i += c {
		softmaxRow(y[i:][:c], x[i:][:c])
	}
	return nil
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
	x, y := s.in(n, 0), s.out(n)
	c := len(o.scale)
	for i := 0; i < len(x); i += c {
		o.row(y[i:][:c], x[i:][:c])
	}
	return nil
}

func (o *normOp) row(y, x []float32) {
	var mean, vari float64
	for _, v := range x {
		mean += float64(v)
	}
	mean /= float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		vari += d * d
	}
	f := 1 / math.Sqrt(vari/float64(len(x))+float64(o.eps))
	for j, v := range x {
		y[j] = float32((float64(v)-mean)*f) * o.scale[j]
	}
	if o.bias != nil {
		kernels.Add(y, y, o.bias)
	}
}

func (meanOp) run(s *state, n *node) error {
	in := s.t[n.in[0].id].Shape
	g := kernels.Conv{H: in[1], W: in[2], C: in[3], KH: in[1], KW: in[2], OH: 1, OW: 1}
	g.AveragePool(in[0], false, s.in(n, 0), s.out(n), in[3], &s.team)
	return nil
}

func (o *poolOp) run(s *state, n *node) error {
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	g := o.geometry(in, out, in[3])
	if o.max {
		g.MaxPool(in[0], s.in(n, 0), s.out(n), in[3], &s.team)
	} else {
		g.AveragePool(in[0], o.countPad, s.in(n, 0), s.out(n), in[3], &s.team)
	}
	return nil
}
