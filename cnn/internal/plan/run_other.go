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
	inner := size(shape[o.axis+1:])
	if inner == 1 {
		c := shape[o.axis]
		for i := 0; i < len(x); i += c {
			xr, yr := x[i:][:c], y[i:][:c]
			for j, a := range o.scale[:len(xr)] {
				yr[j] = xr[j]*a + o.shift[j]
			}
			o.act.apply(yr)
		}
		return nil
	}
	for i := 0; i < len(x); i += inner {
		c := i / inner % shape[o.axis]
		a, b := o.scale[c], o.shift[c]
		for j, v := range x[i:][:inner] {
			y[i+j] = v*a + b
		}
		o.act.apply(y[i:][:inner])
	}
	return nil
}

func (reshapeOp) run(*state, *node) error { return nil }

func (o *transposeOp) run(s *state, n *node) error {
	transpose(s.out(n), s.in(n, 0), s.t[n.in[0].id].Shape, o.perm)
	return nil
}

func (o *concatOp) run(s *state, n *node) error {
	y, shape := s.out(n), s.t[n.out[0].id].Shape
	row := size(shape[o.axis:])
	at := 0
	for _, v := range n.in {
		t := s.t[v.id]
		part := size(t.Shape[o.axis:])
		for i, j := 0, at; i < len(t.F); i, j = i+part, j+row {
			copy(y[j:][:part], t.F[i:])
		}
		at += part
	}
	return nil
}

func (o *sliceOp) run(s *state, n *node) error {
	x, y := s.in(n, 0), s.out(n)
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	inner := size(in[o.axis+1:])
	row, part := in[o.axis]*inner, out[o.axis]*inner
	for i, j := o.start*inner, 0; j < len(y); i, j = i+row, j+part {
		copy(y[j:][:part], x[i:])
	}
	return nil
}

func (o *padOp) run(s *state, n *node) error {
	x, y := s.in(n, 0), s.out(n)
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	clear(y)
	last := len(in) - 1
	row := in[last]
	for i := 0; i < len(x); i += row {
		// Find the row's place in the output from its indices.
		at, stride := o.before[last], out[last]
		for d, r := last-1, i/row; d >= 0; d-- {
			at += (r%in[d] + o.before[d]) * stride
			r /= in[d]
			stride *= out[d]
		}
		copy(y[at:][:row], x[i:])
	}
	return nil
}

func (softmaxOp) run(s *state, n *node) error {
	x, y := s.in(n, 0), s.out(n)
	shape := n.in[0].shape
	c := shape[len(shape)-1]
	for i := 0; i < len(x); i += c {
		row := y[i:][:c]
		top := slices.Max(x[i:][:c])
		sum := 0.0
		for j, v := range x[i:][:c] {
			e := math.Exp(float64(v - top))
			row[j] = float32(e)
			sum += e
		}
		for j := range row {
			row[j] = float32(float64(row[j]) / sum)
		}
	}
	return nil
}

func (o *normOp) run(s *state, n *node) error {
	x, y := s.in(n, 0), s.out(n)
	c := len(o.scale)
	for i := 0; i < len(x); i += c {
		xr, yr := x[i:][:c], y[i:][:c]
		var mean, vari float64
		for _, v := range xr {
			mean += float64(v)
		}
		mean /= float64(c)
		for _, v := range xr {
			d := float64(v) - mean
			vari += d * d
		}
		f := 1 / math.Sqrt(vari/float64(c)+float64(o.eps))
		for j, v := range xr {
			yr[j] = float32((float64(v)-mean)*f) * o.scale[j]
		}
		if o.bias != nil {
			kernels.Add(yr, yr, o.bias)
		}
	}
	return nil
}

func (meanOp) run(s *state, n *node) error {
	in := s.t[n.in[0].id].Shape
	g := kernels.Conv{H: in[1], W: in[2], C: in[3], KH: in[1], KW: in[2], OH: 1, OW: 1}
	g.AveragePool(in[0], false, s.in(n, 0), s.out(n), in[3], s.threads)
	return nil
}

func (o *poolOp) run(s *state, n *node) error {
	in, out := s.t[n.in[0].id].Shape, s.t[n.out[0].id].Shape
	g := o.geometry(in, out, in[3])
	if o.max {
		g.MaxPool(in[0], s.in(n, 0), s.out(n), in[3], s.threads)
	} else {
		g.AveragePool(in[0], o.countPad, s.in(n, 0), s.out(n), in[3], s.threads)
	}
	return nil
}

// binaryFunc computes y = a∘b; b may be a single number or one for each element.
func (o arith) row(y, a, b []float32) {
	switch o {
	case add:
		kernels.Add(y, a, b)
	case sub:
		for i := range y {
			y[i] = a[i] - b[i]
		}
	case mul:
		kernels.Mul(y, a, b)
	case div:
		for i := range y {
			y[i] = a[i] / b[i]
		}
	}
}

func (o *binaryOp) run(s *state, n *node) error {
	t, u, v := s.t[n.in[0].id], s.t[n.in[1].id], s.t[n.out[0].id]
	if len(t.F) == len(v.F) && len(u.F) == len(v.F) {
		o.op.row(v.F, t.F, u.F)
		o.act.apply(v.F)
		return nil
	}
	// Walk the output's rows; an operand's row is there or is one number.
	rank := len(v.Shape)
	row := 1
	if rank > 0 {
		row = v.Shape[rank-1]
	}
	fill := s.room(2 * row)
	operand := func(x []float32, shape []int, r int, buf []float32) []float32 {
		at, stride := 0, 1
		off := rank - len(shape)
		if len(shape) > 0 {
			stride = shape[len(shape)-1]
		}
		for d := rank - 2; d >= 0; d-- {
			i := r % v.Shape[d]
			r /= v.Shape[d]
			if d < off {
				continue
			}
			if shape[d-off] != 1 {
				at += i * stride
			}
			stride *= shape[d-off]
		}
		if len(shape) > 0 && shape[len(shape)-1] == row {
			return x[at:][:row]
		}
		for i := range buf {
			buf[i] = x[at]
		}
		return buf
	}
	for r := 0; r*row < len(v.F); r++ {
		a := operand(t.F, t.Shape, r, fill[:row])
		b := operand(u.F, u.Shape, r, fill[row:])
		y := v.F[r*row:][:row]
		o.op.row(y, a, b)
		o.act.apply(y)
	}
	return nil
}

// transpose permutes the dimensions of x into y.
func transpose(y, x []float32, shape, perm []int) {
	// Merge dimensions that stay together, so that most cases are two or three.
	var dims, strides []int
	st := make([]int, len(shape))
	for i, n := len(shape)-1, 1; i >= 0; i-- {
		st[i] = n
		n *= shape[i]
	}
	for _, a := range perm {
		if shape[a] == 1 {
			continue
		}
		if k := len(dims) - 1; k >= 0 && strides[k] == st[a]*shape[a] {
			dims[k] *= shape[a]
			strides[k] = st[a]
			continue
		}
		dims = append(dims, shape[a])
		strides = append(strides, st[a])
	}
	if len(dims) == 0 {
		copy(y, x)
		return
	}
	last := len(dims) - 1
	row, step := dims[last], strides[last]
	for r := 0; r*row < len(y); r++ {
		at, q := 0, r
		for d := last - 1; d >= 0; d-- {
			at += q % dims[d] * strides[d]
			q /= dims[d]
		}
		dst := y[r*row:][:row]
		if step == 1 {
			copy(dst, x[at:])
			continue
		}
		for i := range dst {
			dst[i] = x[at]
			at += step
		}
	}
}
