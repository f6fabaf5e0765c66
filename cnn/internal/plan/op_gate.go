package plan

import (
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// gateOp multiplies in[0], [N,H,W,C], by in[1], [N,1,1,C]: each channel of a
// picture by a number, as squeeze-and-excitation does.
type gateOp struct{}

// gates recognises such products, and merges those of maps much larger than the
// matrix of a matrix product after it into that: it scales the matrix.
func (g *net) gates() {
	for _, n := range g.nodes {
		n.resolve()
		o, ok := n.op.(*binaryOp)
		if !ok || o.op != mul || o.act.f != vmath.ActNone || n.bf16 {
			continue
		}
		y := n.out[0]
		x, s := n.in[0], n.in[1]
		if !sameShape(x, y) {
			x, s = s, x
		}
		if !sameShape(x, y) || len(y.shape) != 4 || len(s.shape) != 4 || s.shape[0] != y.shape[0] ||
			s.shape[1]*s.shape[2] != 1 || s.shape[3] != y.shape[3] || s.batch != 0 || x.batch != 0 {
			continue
		}
		n.op, n.in = gateOp{}, []*value{x, s}
		if len(y.uses) != 1 || !g.only(y, y.uses[0]) {
			continue
		}
		p := y.uses[0]
		if d, ok := p.op.(*denseOp); ok && !p.bf16 && p.in[0] == y && y.shape[1]*y.shape[2] >= 2*d.n {
			d.gated = true
			p.in[0] = x
			p.in = append(p.in, s)
		}
	}
	g.link()
}

func (o gateOp) run(s *state, n *node) error {
	shape := s.t[n.out[0].id].Shape
	return s.split(n, o, shape[0]*shape[1], 4*shape[2]*shape[3])
}

func (gateOp) part(s *state, n *node, lo, hi int) {
	shape := s.t[n.out[0].id].Shape
	x, f, y := s.in(n, 0), s.in(n, 1), s.out(n)
	line := shape[2] * shape[3]
	for lo < hi {
		picture := lo / shape[1]
		end := min((picture+1)*shape[1], hi)
		vmath.Affine(y[lo*line:end*line], x[lo*line:], f[picture*shape[3]:][:shape[3]], nil, 0, 0)
		lo = end
	}
}
