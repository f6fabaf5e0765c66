package plan

import (
	"context"
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/ops"
	"github.com/onetomany/caption/internal/hugepage"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// A state is what one goroutine needs to run a plan on n pictures. It is kept
// for the next run, so that running allocates nothing.
type state struct {
	plan  *Plan
	n     int // pictures
	team  workers.Team
	arena []float32
	t     []*graph.Tensor // by value id
	half  [][]vmath.BF16  // by value id: the data of those that are bf16, instead of t's
	bound []bound         // by node index; of generic operators only

	// For split: the operator under way, and its part made a function once.
	parted parted
	node   *node
	part   func(lo, hi int)

	// Room for pictures that are fewer than the network takes, and for their
	// features; nil until then.
	px, py []float32
}

// parted is what operators are whose rows can be computed apart: of the output,
// its elements, or what the operator takes for rows.
type parted interface {
	part(s *state, n *node, lo, hi int)
}

// split has o compute its rows, each as much work as so many multiply-adds of a
// matrix product, on the team.
func (s *state) split(n *node, o parted, rows, work int) error {
	s.parted, s.node = o, n
	s.team.Split(rows, work, s.part)
	return nil
}

func (s *state) runPart(lo, hi int) {
	if s.node.bf16 {
		s.parted.(bf16Parted).partBF16(s, s.node, lo, hi)
	} else {
		s.parted.part(s, s.node, lo, hi)
	}
}

// bound is a generic operator ready to run on n pictures.
type bound struct {
	kernel  *ops.Kernel
	in, out []*graph.Tensor
}

// newState prepares a state for n pictures.
func (p *Plan) newState(n int) (*state, error) {
	s, err := p.bind(n)
	if err != nil {
		return nil, err
	}
	s.arena = hugepage.Floats(p.arena * n)
	for _, nd := range p.net.nodes {
		for _, v := range nd.out {
			s.store(v)
		}
	}
	return s, nil
}

// bind makes a state for n pictures, without the memory for what is computed.
func (p *Plan) bind(n int) (*state, error) {
	s := &state{plan: p, n: n}
	s.t = make([]*graph.Tensor, p.net.values)
	s.half = make([][]vmath.BF16, p.net.values)
	s.bound = make([]bound, len(p.net.nodes))
	s.part = s.runPart
	s.shape(p.net.input)
	for i, nd := range p.net.nodes {
		for _, v := range nd.in {
			if v != nil && v.data != nil {
				s.t[v.id], s.half[v.id] = v.data, v.narrowed
			}
		}
		for _, v := range nd.out {
			s.shape(v)
		}
		if o, ok := nd.op.(*genericOp); ok {
			k, err := o.bind(s, nd)
			if err != nil {
				return nil, err
			}
			s.bound[i] = bound{k, make([]*graph.Tensor, len(nd.in)), make([]*graph.Tensor, len(nd.out))}
		}
	}
	return s, nil
}

// shape makes the tensor of a value that is not a constant, without data.
func (s *state) shape(v *value) {
	s.t[v.id] = &graph.Tensor{Type: v.typ, Shape: s.plan.shape(v, s.n)}
}

// store gives a value that is computed its memory.
func (s *state) store(v *value) {
	t, b := s.t[v.id], s.plan.bufs[v.id]
	size := size(t.Shape)
	switch {
	case v.typ != graph.Float:
		*t = *graph.Alloc(v.typ, t.Shape)
	case b == nil || b == s.plan.bufs[s.plan.net.output.id]: // lent
	case v.bf16:
		s.half[v.id] = asBF16(s.arena[b.off*s.n:], size)
	default:
		t.F = s.arena[b.off*s.n:][:size]
	}
}

// shape returns the shape of v for n pictures.
func (p *Plan) shape(v *value, n int) []int {
	shape := slices.Clone(v.shape)
	if p.batchable {
		shape[v.batch] = shape[v.batch] / p.net.base * n
	}
	return shape
}

// run computes the output of s.n pictures x into y. What a graph against the
// rules of its operators makes panic is an error.
func (s *state) run(ctx context.Context, x, y []float32) (err error) {
	g := s.plan.net
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cnn: an operator breaks the rules of ONNX: %v", r)
		}
	}()
	s.lend(x, y)
	defer s.lend(nil, nil)
	for _, n := range g.nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := n.run(s); err != nil {
			return err
		}
	}
	return nil
}

// lend points the input and the output, and what views or precedes them in place,
// at the caller's memory.
func (s *state) lend(x, y []float32) {
	g := s.plan.net
	s.t[g.input.id].F = x
	for _, n := range g.nodes {
		for _, v := range n.out {
			switch b := s.plan.bufs[v.id]; {
			case v.typ != graph.Float:
			case b == nil:
				s.t[v.id].F = x
			case b == s.plan.bufs[g.output.id]:
				s.t[v.id].F = y
			}
		}
	}
}

// in and out return the data of n's operands.
func (s *state) in(n *node, i int) []float32 { return s.t[n.in[i].id].F }
func (s *state) out(n *node) []float32       { return s.t[n.out[0].id].F }

// elements returns how many elements n's output has.
func (s *state) elements(n *node) int { return size(s.t[n.out[0].id].Shape) }

// float32 and bf16 return the data of a value that is stored so.
func (s *state) float32(v *value) []float32 { return s.t[v.id].F }
func (s *state) bf16(v *value) []vmath.BF16 { return s.half[v.id] }
