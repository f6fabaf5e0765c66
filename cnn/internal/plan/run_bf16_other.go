package plan

import (
	"sync"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// What is cheap is computed in float32 on pieces that stay in the first-level
// cache: widened, worked on, rounded.

// chunk is the length of such a piece.
const chunk = 1024

// A workbench is the room for pieces of two operands.
type workbench struct{ a, b []float32 }

var workbenches = sync.Pool{New: func() any {
	return &workbench{make([]float32, chunk), make([]float32, chunk)}
}}

// widened has f work on x row by row, and rounds what it makes of them into y.
func widened(y, x []vmath.BF16, row int, f func(row []float32)) {
	w := workbenches.Get().(*workbench)
	defer workbenches.Put(w)
	if len(w.a) < row {
		w.a = make([]float32, row)
	}
	for i := 0; i < len(x); i += row {
		r := w.a[:min(row, len(x)-i)]
		vmath.FromBF16(r, x[i:])
		f(r)
		vmath.ToBF16(y[i:][:len(r)], r)
	}
}

// between returns the elements of rows lo…hi-1 of n's first operand and output.
func (s *state) between(n *node, row, lo, hi int) (x, y []vmath.BF16) {
	x, y = s.bf16(n.in[0]), s.bf16(n.out[0])
	hi = min(hi*row, len(y))
	return x[lo*row : hi], y[lo*row : hi]
}

func (o *actOp) partBF16(s *state, n *node, lo, hi int) {
	x, y := s.between(n, piece, lo, hi)
	widened(y, x, chunk, o.apply)
}

func (o *scaleOp) partBF16(s *state, n *node, lo, hi int) {
	if o.axis < 0 {
		x, y := s.between(n, piece, lo, hi)
		widened(y, x, chunk, func(r []float32) { o.one(r, r, 0) })
		return
	}
	row, i := o.row(s, n), lo
	x, y := s.between(n, row, lo, hi)
	each := o.axis == len(n.in[0].shape)-1
	widened(y, x, row, func(r []float32) {
		if each {
			o.each(r, r)
		} else {
			o.one(r, r, i%len(o.scale))
		}
		i++
	})
}

func (o *normOp) partBF16(s *state, n *node, lo, hi int) {
	x, y := s.between(n, len(o.scale), lo, hi)
	widened(y, x, len(o.scale), func(r []float32) { vmath.Normalise(r, r, o.scale, o.bias, o.eps) })
}

func (softmaxOp) partBF16(s *state, n *node, lo, hi int) {
	shape := n.in[0].shape
	c := shape[len(shape)-1]
	x, y := s.between(n, c, lo, hi)
	widened(y, x, c, func(r []float32) { softmaxRow(r, r) })
}

func (o *binaryOp) partBF16(s *state, n *node, lo, hi int) {
	t, u, v := n.in[0].id, n.in[1].id, n.out[0].id
	y, a, b := s.half[v], s.half[t], s.half[u]
	w := broadcast(s.t[v].Shape, s.t[t].Shape, s.t[u].Shape)
	_, stepA, stepB := w.last()
	if stepA+stepB == 2 && o.act.f == vmath.ActNone && (o.op == add || o.op == mul) {
		w.span(lo*piece, min(hi*piece, len(y)), func(out, k, i, j int) {
			if o.op == add {
				vmath.AddBF16(y[out:][:k], a[i:], b[j:])
			} else {
				vmath.MulBF16(y[out:][:k], a[i:], b[j:])
			}
		})
		return
	}
	bench := workbenches.Get().(*workbench)
	defer workbenches.Put(bench)
	for end := min(hi*piece, len(y)); lo*piece < end; lo += chunk / piece {
		w.span(lo*piece, min(lo*piece+chunk, end), func(out, k, i, j int) {
			p, q := bench.a[:k], bench.b[:k]
			vmath.FromBF16(p[:1+stepA*(k-1)], a[i:])
			vmath.FromBF16(q[:1+stepB*(k-1)], b[j:])
			r := p
			if stepA == 0 {
				r = q
			}
			o.op.row(r, p, q, stepA, stepB)
			o.act.apply(r)
			vmath.ToBF16(y[out:][:k], r)
		})
	}
}

func (meanOp) partBF16(s *state, n *node, lo, hi int) {
	in := s.t[n.in[0].id].Shape
	lo, hi = lo*strip, min(hi*strip, in[3])
	g := kernels.Conv{H: in[1], W: in[2], C: hi - lo, Ld: in[3], KH: in[1], KW: in[2], OH: 1, OW: 1}
	depthwise.AveragePoolFloat32(&g, in[0], false, s.bf16(n.in[0])[lo:], s.float32(n.out[0])[lo:], in[3], nil)
}

func (reshapeOp) runBF16(*state, *node) error { return nil }

func (o *concatOp) partBF16(s *state, n *node, lo, hi int) {
	concatenate(s, n, o.axis, lo, hi, (*state).bf16)
}

func (o *sliceOp) partBF16(s *state, n *node, lo, hi int) {
	slice(s, n, o.axis, o.start, lo, hi, (*state).bf16)
}

func (o *padOp) runBF16(s *state, n *node) error {
	pad(s, n, o.before, (*state).bf16)
	return nil
}

func (o *transposeOp) partBF16(s *state, n *node, lo, hi int) {
	w := transposition(s.t[n.in[0].id].Shape, o.perm)
	transpose(s.bf16(n.out[0]), s.bf16(n.in[0]), &w, lo, hi)
}

func (o pixelsOp) run(s *state, n *node) error {
	in := s.t[n.in[0].id].Shape
	return s.split(n, o, in[0]*in[2], 8*in[3])
}

func (pixelsOp) part(s *state, n *node, lo, hi int) {
	x, y, in := s.float32(n.in[0]), s.bf16(n.out[0]), s.t[n.in[0].id].Shape
	c, h, w := in[1], in[2], in[3]
	var row [chunk]vmath.BF16
	for r := lo; r < hi; r++ {
		clear(y[r*w*pixel:][:w*pixel])
		for i := range c {
			src := x[((r/h*c+i)*h+r%h)*w:][:w]
			for at := 0; at < w; at += chunk {
				b, dst := row[:min(chunk, w-at)], y[(r*w+at)*pixel+i:]
				vmath.ToBF16(b, src[at:])
				for j, v := range b {
					dst[j*pixel] = v
				}
			}
		}
	}
}

func (o convertOp) run(s *state, n *node) error {
	return s.split(n, o, (s.elements(n)+piece-1)/piece, 4*piece)
}

func (convertOp) part(s *state, n *node, lo, hi int) {
	x, y := n.in[0], n.out[0]
	lo, hi = lo*piece, min(hi*piece, s.elements(n))
	if y.bf16 {
		vmath.ToBF16(s.bf16(y)[lo:hi], s.float32(x)[lo:])
	} else {
		vmath.FromBF16(s.float32(y)[lo:hi], s.bf16(x)[lo:])
	}
}
