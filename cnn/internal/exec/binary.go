package exec

import (
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// binary runs a plan.Binary. Operands of bf16 are widened to float32 before and results
// rounded after, in memory that stays in the first-level cache. A row is a piece.
func binary(n *plan.Node, o *plan.Binary) step {
	const piece = 256 // elements
	return step{rows: func(s *state) (rows, work int) {
		return (s.elements(n) + piece - 1) / piece, 8 * piece
	}, part: func(s *state, lo, hi int) {
		p, q, out := n.In[0], n.In[1], n.Out[0]
		w := tensor.BroadcastWalk(s.shape(out), s.shape(p), s.shape(q))
		_, step := w.Row()
		s0, s1, end := step[0], step[1], min(hi*piece, s.elements(n))
		if !n.BF16 {
			x, z, y := s.in(n, 0), s.in(n, 1), s.out(n)
			w.Span(lo*piece, end, func(at, k int, in [3]int) {
				row(o.Arith, y[at:][:k], x[in[0]:], z[in[1]:], s0, s1)
				apply(o.Act, y[at:][:k])
			})
			return
		}
		x, z, y := data[vmath.BF16](s, p), data[vmath.BF16](s, q), data[vmath.BF16](s, out)
		direct := s0+s1 == 2 && o.Act.F == vmath.ActNone
		ws := getScratch(chunk, chunk)
		defer scratches.Put(ws)
		for at := lo * piece; at < end; at += chunk {
			w.Span(at, min(at+chunk, end), func(at, k int, in [3]int) {
				y, x, z := y[at:][:k], x[in[0]:], z[in[1]:]
				switch {
				case direct && o.Arith == plan.Add:
					vmath.AddBF16(y, x, z)
					return
				case direct && o.Arith == plan.Mul:
					vmath.MulBF16(y, x, z)
					return
				}
				u, v := ws.a[:k], ws.b[:k]
				vmath.FromBF16(u[:1+s0*(k-1)], x)
				vmath.FromBF16(v[:1+s1*(k-1)], z)
				r := u
				if s0 == 0 {
					r = v
				}
				row(o.Arith, r, u, v, s0, s1)
				apply(o.Act, r)
				vmath.ToBF16(y, r)
			})
		}
	}}
}

// row computes y = a∘b, where a or b may be one number (their step is 0).
func row(o plan.Arith, y, a, b []float32, stepA, stepB int) {
	switch both := stepA+stepB == 2; {
	case both && o == plan.Add:
		vmath.Add(y, a, b)
	case both && o == plan.Sub:
		vmath.Sub(y, a, b)
	case both && o == plan.Mul:
		vmath.Mul(y, a, b)
	case stepA == 0 && stepB == 1 && o == plan.Mul:
		vmath.Scale(y, a[0], b)
	case stepA == 1 && stepB == 0 && o == plan.Mul:
		vmath.Scale(y, b[0], a)
	default:
		for i := range y {
			y[i] = of(o, a[i*stepA], b[i*stepB])
		}
	}
}

func of(o plan.Arith, a, b float32) float32 {
	switch o {
	case plan.Add:
		return a + b
	case plan.Sub:
		return a - b
	case plan.Mul:
		return a * b
	}
	return a / b
}

// gate runs a plan.Gate; its rows are those of the pictures.
func gate(n *plan.Node) step {
	return step{rows: func(s *state) (rows, work int) {
		shape := s.shape(n.Out[0])
		return shape[0] * shape[1], 4 * shape[2] * shape[3]
	}, part: func(s *state, lo, hi int) {
		shape := s.shape(n.Out[0])
		x, f, y := s.in(n, 0), s.in(n, 1), s.out(n)
		line := shape[2] * shape[3]
		for lo < hi {
			picture := lo / shape[1]
			end := min((picture+1)*shape[1], hi)
			vmath.Affine(y[lo*line:end*line], x[lo*line:], f[picture*shape[3]:][:shape[3]], nil, 0, 0)
			lo = end
		}
	}}
}
