package exec

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/hugepage"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// A state is what a run of n pictures needs: shapes, buffers and a team. It is kept for
// later runs, so that these allocate nothing.
type state struct {
	prog  *Program
	n     int // pictures
	team  workers.Team
	arena []float32
	t     []*graph.Tensor // by value id
	half  [][]vmath.BF16  // by value id: the data of those that are bf16, instead of t's
	bound map[*plan.Node]bound

	// The part of the step under way, and functions that have it compute rows, made once.
	current     func(s *state, lo, hi int)
	rows, parts int
	part        func(lo, hi int)
	band        func(i int)

	// A whole batch and its features, where there are fewer pictures than the network
	// takes; nil until then.
	px, py []float32
}

// newState makes a state for n pictures.
func (x *Program) newState(n int) (*state, error) {
	p := x.plan
	s := &state{prog: x, n: n, t: make([]*graph.Tensor, p.Values), half: make([][]vmath.BF16, p.Values),
		bound: map[*plan.Node]bound{}, arena: hugepage.Floats(p.Arena * n)}
	s.part = func(lo, hi int) { s.current(s, lo, hi) }
	s.band = func(i int) { s.current(s, i*s.rows/s.parts, (i+1)*s.rows/s.parts) }
	s.t[p.Input.ID] = &graph.Tensor{Type: graph.Float, Shape: p.Shape(p.Input, n)}
	for i, nd := range p.Nodes {
		for _, v := range nd.In {
			if v != nil && v.Data != nil {
				s.t[v.ID], s.half[v.ID] = v.Data, v.Narrowed
			}
		}
		for _, v := range nd.Out {
			s.store(v)
		}
		if bind := x.steps[i].bind; bind != nil {
			if err := bind(s); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// store makes the tensor of a value that is computed, and gives it its memory.
func (s *state) store(v *plan.Value) {
	t := &graph.Tensor{Type: v.Type, Shape: s.prog.plan.Shape(v, s.n)}
	s.t[v.ID] = t
	size := tensor.Size(t.Shape)
	switch b := v.Buffer; {
	case v.Type != graph.Float:
		s.t[v.ID] = graph.Alloc(v.Type, t.Shape)
	case b == nil || b == s.prog.plan.Output.Buffer: // the caller's
	case v.BF16:
		s.half[v.ID] = asBF16(s.arena[b.Off*s.n:], size)
	default:
		t.F = s.arena[b.Off*s.n:][:size]
	}
}

// asBF16 views memory, which is made of floats, as n values of bf16.
func asBF16(x []float32, n int) []vmath.BF16 {
	if n == 0 {
		return nil
	}
	_ = x[(n-1)/2]
	return unsafe.Slice((*vmath.BF16)(unsafe.Pointer(unsafe.SliceData(x))), n)
}

// run computes the output of s.n pictures x into y. A graph that breaks the rules of
// its operators may make them panic: that is an error.
func (s *state) run(ctx context.Context, x, y []float32) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cnn: an operator breaks the rules of ONNX: %v", r)
		}
	}()
	s.attach(x, y)
	defer s.attach(nil, nil)
	for i := range s.prog.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.step(&s.prog.steps[i]); err != nil {
			return err
		}
	}
	return nil
}

// attach makes the caller's memory that of the input and the output, of views of them,
// and of what the output is computed in place of.
func (s *state) attach(x, y []float32) {
	p := s.prog.plan
	s.t[p.Input.ID].F = x
	for _, n := range p.Nodes {
		for _, v := range n.Out {
			switch {
			case v.Type != graph.Float:
			case v.Buffer == nil:
				s.t[v.ID].F = x
			case v.Buffer == p.Output.Buffer:
				s.t[v.ID].F = y
			}
		}
	}
}

// data returns the elements of v, which is stored as T.
func data[T kernels.Value](s *state, v *plan.Value) []T {
	if x, ok := any(s.t[v.ID].F).([]T); ok {
		return x
	}
	return any(s.half[v.ID]).([]T)
}

// in and out return the float32 data of n's operands; shape returns the shape of one.
func (s *state) in(n *plan.Node, i int) []float32 { return s.t[n.In[i].ID].F }
func (s *state) out(n *plan.Node) []float32       { return s.t[n.Out[0].ID].F }
func (s *state) shape(v *plan.Value) []int        { return s.t[v.ID].Shape }

// elements returns how many elements n's output has.
func (s *state) elements(n *plan.Node) int { return tensor.Size(s.shape(n.Out[0])) }

// step computes st.
func (s *state) step(st *step) error {
	if st.part == nil {
		return st.run(s)
	}
	rows, work := st.rows(s)
	s.current = st.part
	s.team.Split(rows, work, s.part)
	return nil
}

// bands has the team compute so many rows by part, in that many parts.
func (s *state) bands(part func(s *state, lo, hi int), rows, parts int) {
	s.current, s.rows, s.parts = part, rows, parts
	s.team.Run(s.team.Size(), parts, s.band)
}
