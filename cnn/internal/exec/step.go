package exec

import (
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/packing"
)

// A step computes the outputs of a node: by run, or row by row, which the team of the
// state shares. What a row is, each step says for itself.
type step struct {
	run  func(s *state) error
	bind func(s *state) error // gets a new state ready for run, where there is something to do

	rows func(s *state) (rows, work int) // how many there are, and the multiply-adds of a matrix product that take as long as one
	part func(s *state, lo, hi int)      // computes rows lo…hi-1
}

// newStep returns the step that runs n, empty where there is none, and has packer pack
// its weights. Each operator of package plan has its row here.
func newStep(n *plan.Node, packer *packing.Packer) step {
	switch o := n.Op.(type) {
	case *plan.Dense:
		return step{run: newDense(n, o, packer).run}
	case *plan.Conv:
		return newConv(n, o, packer)
	case *plan.Chain:
		return step{run: newChain(n, o, packer).run}
	case *plan.Pool:
		return typed(n, pool[float32], pool[vmath.BF16])(n, o)
	case *plan.Mean:
		return mean(n)
	case *plan.Gate:
		return gate(n)
	case *plan.Binary:
		return binary(n, o)
	case *plan.Activate:
		return rowwise(n, chunk, 16, func(y, x []float32, _ int) { o.Act.F.Apply(y, x, o.Act.Alpha, o.Act.Beta) })
	case *plan.Scale:
		return scale(n, o)
	case *plan.Norm:
		return rowwise(n, len(o.Scale), 64, func(y, x []float32, _ int) { vmath.Normalise(y, x, o.Scale, o.Bias, o.Eps) })
	case *plan.Softmax:
		return rowwise(n, n.In[0].Shape[len(n.In[0].Shape)-1], 256, softmax)
	case *plan.Reshape: // a view
		return step{run: func(*state) error { return nil }}
	case *plan.Transpose:
		return typed(n, transpose[float32], transpose[vmath.BF16])(n, o)
	case *plan.Concat:
		return typed(n, concat[float32], concat[vmath.BF16])(n, o)
	case *plan.Slice:
		return typed(n, slice[float32], slice[vmath.BF16])(n, o)
	case *plan.Pad:
		return typed(n, pad[float32], pad[vmath.BF16])(n, o)
	case *plan.Convert:
		return convert(n)
	case *plan.Pixels:
		return pixels(n)
	case *plan.Generic:
		return general(n, o)
	}
	return step{}
}

// typed returns the function for the precision of n.
func typed[F any](n *plan.Node, float32s, bf16s F) F {
	if n.BF16 {
		return bf16s
	}
	return float32s
}

// bound is an operator of package ops bound to the shapes and the memory of a state.
type bound struct {
	kernel  *op.Kernel
	in, out []*graph.Tensor
}

// general runs an operator of package ops.
func general(n *plan.Node, o *plan.Generic) step {
	return step{bind: func(s *state) error {
		k, err := o.Bind(s.prog.plan, n, s.n)
		if err != nil {
			return err
		}
		b := bound{k, make([]*graph.Tensor, len(n.In)), make([]*graph.Tensor, len(n.Out))}
		for i, v := range n.In {
			if v != nil {
				b.in[i] = s.t[v.ID]
			}
		}
		for i, v := range n.Out {
			b.out[i] = s.t[v.ID]
		}
		s.bound[n] = b
		return nil
	}, run: func(s *state) error {
		b := s.bound[n]
		if err := b.kernel.Run(b.in, b.out, &s.team); err != nil {
			return fmt.Errorf("operator %s (node %s): %w", o.Operator(), graph.Name(n.Name), err)
		}
		return nil
	}}
}
