package exec

import (
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/packing"
)

// A step computes the outputs of a node from its inputs.
type step interface {
	run(s *state) error
}

// A parted step is one whose rows can be computed apart: of the output, its
// elements, or what it takes for rows.
type parted interface {
	part(s *state, lo, hi int)
}

// newStep returns what runs n, nil where nothing does, and tells packer of its
// weights. Each operator of package plan has its row here.
func newStep(n *plan.Node, packer *packing.Packer) step {
	switch o := n.Op.(type) {
	case *plan.Dense:
		return newDense(n, o, packer)
	case *plan.Conv:
		return newConv(n, o, packer)
	case *plan.Chain:
		return newChain(n, o, packer)
	case *plan.Pool:
		return &pooling{n, o}
	case *plan.Mean:
		return &mean{n}
	case *plan.Gate:
		return &gate{n}
	case *plan.Binary:
		return &binary{n, o}
	case *plan.Activate:
		return &rowwise{n: n, row: chunk, work: 16, f: func(y, x []float32, _ int) { o.F.Apply(y, x, o.A, o.B) }}
	case *plan.Scale:
		return newScale(n, o)
	case *plan.Norm:
		return &rowwise{n: n, row: len(o.Scale), work: 64, f: func(y, x []float32, _ int) { vmath.Normalise(y, x, o.Scale, o.Bias, o.Eps) }}
	case *plan.Softmax:
		return &rowwise{n: n, row: n.In[0].Shape[len(n.In[0].Shape)-1], work: 256, f: softmax}
	case *plan.Reshape:
		return view{}
	case *plan.Transpose:
		return typed(n, &transpose[float32]{n, o}, &transpose[vmath.BF16]{n, o})
	case *plan.Concat:
		return typed(n, &concat[float32]{n, o}, &concat[vmath.BF16]{n, o})
	case *plan.Slice:
		return typed(n, &slice[float32]{n, o}, &slice[vmath.BF16]{n, o})
	case *plan.Pad:
		return typed(n, &pad[float32]{n, o}, &pad[vmath.BF16]{n, o})
	case *plan.Convert:
		return &convert{n}
	case *plan.Pixels:
		return &pixels{n}
	case *plan.Generic:
		return &general{n, o}
	}
	return nil
}

// typed returns the one of two steps that is for the precision of n.
func typed(n *plan.Node, float32s, bf16s step) step {
	if n.BF16 {
		return bf16s
	}
	return float32s
}

// view is for outputs that are their inputs in memory.
type view struct{}

func (view) run(*state) error { return nil }

// general runs an operator of package ops.
type general struct {
	n *plan.Node
	o *plan.Generic
}

// bound is a general operator ready to run on so many pictures.
type bound struct {
	kernel  *op.Kernel
	in, out []*graph.Tensor
}

func (g *general) bind(s *state) error {
	k, err := g.o.Bind(s.prog.plan, g.n, s.n)
	if err != nil {
		return err
	}
	b := bound{k, make([]*graph.Tensor, len(g.n.In)), make([]*graph.Tensor, len(g.n.Out))}
	for i, v := range g.n.In {
		if v != nil {
			b.in[i] = s.t[v.ID]
		}
	}
	for i, v := range g.n.Out {
		b.out[i] = s.t[v.ID]
	}
	s.bound[g] = b
	return nil
}

func (g *general) run(s *state) error {
	b := s.bound[g]
	if err := b.kernel.Run(b.in, b.out, &s.team); err != nil {
		return fmt.Errorf("operator %s (node %s): %w", g.o.Operator(), graph.Name(g.n.Name), err)
	}
	return nil
}
