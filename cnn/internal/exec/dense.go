package exec

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/packing"
	"github.com/onetomany/caption/internal/weights"
)

// epilogue returns e, the epilogue of n, for the kernels: from output channel first on,
// with rows of the residual ld apart.
func epilogue[T kernels.Value](s *state, n *plan.Node, e *plan.Linear, first, ld int) kernels.EpilogueOf[T] {
	k := kernels.EpilogueOf[T]{Act: e.Act.F, Alpha: e.Act.Alpha, Beta: e.Act.Beta}
	if e.Bias != nil {
		k.Bias = e.Bias[first:]
	}
	if e.Residual {
		k.Residual, k.LdRes = data[T](s, n.In[1])[first:], ld
	}
	return k
}

// dense runs a plan.Dense.
type dense struct {
	n    *plan.Node
	o    *plan.Dense
	b    *matmul.PackedB
	half *matmul.PackedBF16 // instead of b, for bf16
}

func newDense(n *plan.Node, o *plan.Dense, p *packing.Packer) *dense {
	d := &dense{n: n, o: o}
	switch {
	case n.BF16:
		p.Apart(2 * matmul.SizeBF16(o.K, o.N))
		p.Do(func(scratch *weights.Scratch) {
			ld := o.N
			if o.Trans {
				ld = o.K
			}
			m := o.W.View(0, o.K*o.N, scratch)
			if o.Scale != nil {
				m = slices.Clone(m)
				for i := range m {
					col := i % ld
					if o.Trans {
						col = i / ld
					}
					m[i] *= o.Scale[col]
				}
			}
			d.half = matmul.PackBF16(o.Trans, o.K, o.N, m, ld)
		})
	case o.Trans:
		d.b = p.Filters(o.N, o.K, 1, o.W, o.Scale)
	default:
		d.b = p.Rows(o.K, o.N, o.W, o.Scale)
	}
	return d
}

func (d *dense) run(s *state) error {
	n, k, cols := d.n, d.o.K, d.o.N
	if d.half != nil {
		x, ep := data[vmath.BF16](s, n.In[0]), epilogue[vmath.BF16](s, n, &d.o.Linear, 0, cols)
		if n.Out[0].BF16 {
			d.half.Mul(len(x)/k, x, k, data[vmath.BF16](s, n.Out[0]), cols, &ep, &s.team)
		} else {
			d.half.MulFloat32(len(x)/k, x, k, s.out(n), cols, &ep, &s.team)
		}
		return nil
	}
	x, y, ep := s.in(n, 0), s.out(n), epilogue[float32](s, n, &d.o.Linear, 0, cols)
	if !d.o.Gated {
		d.b.Mul(len(x)/k, x, k, y, cols, &ep, &s.team)
		return nil
	}
	gate := s.in(n, len(n.In)-1)
	pictures := len(gate) / k
	rows := len(x) / k / pictures
	for i := range pictures {
		d.b.MulScaled(rows, x[i*rows*k:], k, gate[i*k:][:k], y[i*rows*cols:], cols, &ep, &s.team)
		if ep.Residual != nil {
			ep.Residual = ep.Residual[rows*cols:]
		}
	}
	return nil
}
