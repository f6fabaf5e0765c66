package plan

import (
	"context"
	"slices"
	"sync"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/ops"
)

// A state is what one goroutine needs to run a plan on n pictures. It is kept
// for the next run, so that running allocates nothing.
type state struct {
	plan    *Plan
	n       int // pictures
	threads int
	arena   []float32
	t       []*graph.Tensor // by value id
	bound   []bound         // by node index; of generic operators only
	scratch []float32
}

// bound is a generic operator ready to run on n pictures.
type bound struct {
	kernel  *ops.Kernel
	in, out []*graph.Tensor
}

// newState prepares a state for n pictures.
func (p *Plan) newState(n int) (*state, error) {
	s := &state{plan: p, n: n, arena: make([]float32, p.arena*n)}
	s.t = make([]*graph.Tensor, p.net.values)
	s.bound = make([]bound, len(p.net.nodes))
	s.value(p.net.input)
	for i, nd := range p.net.nodes {
		for _, v := range nd.in {
			if v != nil && v.data != nil {
				s.t[v.id] = v.data
			}
		}
		for _, v := range nd.out {
			s.value(v)
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

// value makes the tensor of a value that is not a constant.
func (s *state) value(v *value) {
	shape := s.plan.shape(v, s.n)
	if v.typ != graph.Float {
		s.t[v.id] = ops.Alloc(v.typ, shape)
		return
	}
	t := &graph.Tensor{Type: v.typ, Shape: shape}
	s.t[v.id] = t
	if b := s.plan.bufs[v.id]; b != nil && b != s.plan.bufs[s.plan.net.output.id] {
		t.F = s.arena[b.off*s.n:][:size(shape)]
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

// run computes the output of s.n pictures x into y.
func (s *state) run(ctx context.Context, x, y []float32) error {
	g := s.plan.net
	s.lend(x, y)
	defer s.lend(nil, nil)
	for _, n := range g.nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := n.op.run(s, n); err != nil {
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

// room returns scratch memory for n floats.
func (s *state) room(n int) []float32 {
	if cap(s.scratch) < n {
		s.scratch = make([]float32, n)
	}
	return s.scratch[:n]
}

// Run computes the features of n pictures, [n,C,H,W] or as the model has it. At
// most threads goroutines work on it; the result does not depend on their number.
func (p *Plan) Run(ctx context.Context, n int, x []float32, threads int) ([]float32, error) {
	per, feat := p.net.input.len()/p.net.base, p.net.output.len()/p.net.base
	y := make([]float32, n*feat)
	if n == 0 {
		return y, ctx.Err()
	}
	threads = max(threads, 1)
	workers := min(threads, n)
	if !p.batchable && p.net.base > 1 {
		workers = min(threads, (n+p.net.base-1)/p.net.base)
	}
	if workers == 1 {
		return y, p.runPart(ctx, n, x, y, threads)
	}
	// A picture a goroutine is faster than all at one picture.
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		lo, hi := n*w/workers, n*(w+1)/workers
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[w] = p.runPart(ctx, hi-lo, x[lo*per:hi*per], y[lo*feat:hi*feat], 1)
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return y, nil
}

// maxPictures is the largest number of pictures that go through the network
// together: more do not make it faster but take more memory.
const maxPictures = 4

// runPart computes the features of n pictures one group after the other.
func (p *Plan) runPart(ctx context.Context, n int, x, y []float32, threads int) error {
	base := p.net.base
	per, feat := p.net.input.len()/base, p.net.output.len()/base
	for n > 0 {
		k := min(n, maxPictures)
		if !p.batchable {
			k = base
		}
		s, _ := p.pool.Get().(*state)
		if s == nil || s.n != k {
			var err error
			if s, err = p.newState(k); err != nil {
				return err
			}
		}
		s.threads = threads
		var err error
		if k <= n {
			err = s.run(ctx, x[:k*per], y[:k*feat])
		} else {
			// The exporter's batch is larger than what is left: fill it up.
			px, py := make([]float32, k*per), make([]float32, k*feat)
			copy(px, x)
			err = s.run(ctx, px, py)
			copy(y, py[:n*feat])
			k = n
		}
		p.pool.Put(s)
		if err != nil {
			return err
		}
		n, x, y = n-k, x[k*per:], y[k*feat:]
	}
	return nil
}
