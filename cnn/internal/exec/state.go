package exec

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/hugepage"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// number is what values are stored as.
type number interface{ float32 | vmath.BF16 }

// A state is what one goroutine needs to run a program on n pictures. It is kept
// for the next run, so that running allocates nothing.
type state struct {
	prog  *Program
	n     int // pictures
	team  workers.Team
	arena []float32
	t     []*graph.Tensor // by value id
	half  [][]vmath.BF16  // by value id: the data of those that are bf16, instead of t's
	bound map[*general]bound

	// The step under way, for split and bands, and what has its parts done.
	parted      parted
	rows, parts int
	part        func(lo, hi int)
	band        func(i int)

	// For pictures that are fewer than the network takes, and for their features;
	// nil until then.
	px, py []float32
}

// newState makes a state for n pictures.
func (x *Program) newState(n int) (*state, error) {
	p := x.plan
	s := &state{prog: x, n: n, t: make([]*graph.Tensor, p.Values), half: make([][]vmath.BF16, p.Values),
		bound: map[*general]bound{}, arena: hugepage.Floats(p.Arena * n)}
	s.part = func(lo, hi int) { s.parted.part(s, lo, hi) }
	s.band = func(i int) { s.parted.part(s, i*s.rows/s.parts, (i+1)*s.rows/s.parts) }
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
		if g, ok := x.steps[i].(*general); ok {
			if err := g.bind(s); err != nil {
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

// asBF16 views memory as n values of bf16, of which two fit a float: buffers are
// of floats, whatever is in them.
func asBF16(x []float32, n int) []vmath.BF16 {
	if n == 0 {
		return nil
	}
	_ = x[(n-1)/2]
	return unsafe.Slice((*vmath.BF16)(unsafe.Pointer(unsafe.SliceData(x))), n)
}

// run computes the output of s.n pictures x into y. What a graph against the
// rules of its operators makes panic is an error.
func (s *state) run(ctx context.Context, x, y []float32) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cnn: an operator breaks the rules of ONNX: %v", r)
		}
	}()
	s.attach(x, y)
	defer s.attach(nil, nil)
	for _, st := range s.prog.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := st.run(s); err != nil {
			return err
		}
	}
	return nil
}

// attach points the input and the output, and what views or precedes them in place,
// at the caller's memory.
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
func data[T number](s *state, v *plan.Value) []T {
	if x, ok := any(s.t[v.ID].F).([]T); ok {
		return x
	}
	return any(s.half[v.ID]).([]T)
}

// in and out return the data of n's operands, and shape the shape of one.
func (s *state) in(n *plan.Node, i int) []float32 { return s.t[n.In[i].ID].F }
func (s *state) out(n *plan.Node) []float32       { return s.t[n.Out[0].ID].F }
func (s *state) shape(v *plan.Value) []int        { return s.t[v.ID].Shape }

// elements returns how many elements n's output has.
func (s *state) elements(n *plan.Node) int { return tensor.Size(s.shape(n.Out[0])) }

// split has the team compute rows of p, each as much work as so many multiply-adds
// of a matrix product.
func (s *state) split(p parted, rows, work int) error {
	s.parted = p
	s.team.Split(rows, work, s.part)
	return nil
}

// bands has the team compute rows of p in so many parts.
func (s *state) bands(p parted, rows, parts int) error {
	s.parted, s.rows, s.parts = p, rows, parts
	s.team.Run(s.team.Size(), parts, s.band)
	return nil
}
