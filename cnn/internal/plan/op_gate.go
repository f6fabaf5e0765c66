package plan

import (
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// Gate multiplies In[0], [N,H,W,C], by In[1], [N,1,1,C]: each channel of a
// picture by a number, as squeeze-and-excitation does.
type Gate struct{ common }

func init() { register(&Gate{}, nil) }

// gates recognises such products. Where a matrix product follows whose matrix is much
// smaller than the map, it takes the numbers in, and scales the matrix instead.
func (g *Net) gates() {
	for _, n := range g.Nodes {
		n.resolve()
		o, ok := n.Op.(*Binary)
		if !ok || o.Arith != Mul || o.Act.F != vmath.ActNone || n.BF16 {
			continue
		}
		y := n.Out[0]
		x, s := n.In[0], n.In[1]
		if !sameShape(x, y) {
			x, s = s, x
		}
		if !sameShape(x, y) || len(y.Shape) != 4 || len(s.Shape) != 4 || s.Shape[0] != y.Shape[0] ||
			s.Shape[1]*s.Shape[2] != 1 || s.Shape[3] != y.Shape[3] || s.Pictures != 0 || x.Pictures != 0 {
			continue
		}
		n.Op, n.In = &Gate{}, []*Value{x, s}
		p := g.soleUser(y)
		if p == nil {
			continue
		}
		if d, ok := p.Op.(*Dense); ok && !p.BF16 && p.In[0] == y && y.Shape[1]*y.Shape[2] >= 2*d.N {
			d.Gated = true
			p.In[0] = x
			p.In = append(p.In, s)
		}
	}
	g.link()
}

func (o *Gate) inPlace(*Node) (first, end int) { return 0, 1 }
