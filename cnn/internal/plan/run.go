package plan

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/onetomany/caption/internal/kernels/workers"
)

// Run computes the features of n pictures x, [n,C,H,W], into y. At most threads
// goroutines work on it, less while other runs keep the cores busy; the result
// does not depend on their number. In the long run it allocates nothing.
func (p *Plan) Run(ctx context.Context, n int, x, y []float32, threads int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := batches.Get().(*batch)
	defer r.release()
	r.ctx, r.plan, r.n, r.x, r.y = ctx, p, n, x, y
	threads = min(max(threads, 1), cap(p.cores))
	unit := p.unit()
	units := (n + unit - 1) / unit
	// As many pictures on each core as there are is faster than all cores on
	// one picture. Those left over are split, unless there is one for almost
	// every core.
	apart := units
	if rest := units % threads; 5*rest < 4*threads {
		apart -= rest
	}
	if threads == 1 {
		apart = 0
	}
	if err := r.sideBySide(apart, threads); err != nil {
		return err
	}
	r.cut(apart, units, 1)
	for i := range r.groups {
		if err := r.group(i, threads); err != nil {
			return err
		}
	}
	return nil
}

// A batch is the pictures of a run under way.
type batch struct {
	ctx  context.Context
	plan *Plan
	n    int
	x, y []float32

	// Pictures of the units first to end-1 go through in groups.
	first, end, groups int

	team workers.Team
	task func(int) // runs a group on one goroutine

	mu  sync.Mutex
	err error // the first one
}

var batches = sync.Pool{New: func() any {
	r := new(batch)
	r.task = func(i int) {
		r.mu.Lock()
		failed := r.err != nil
		r.mu.Unlock()
		if failed {
			return
		}
		if err := r.group(i, 1); err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.err == nil {
				r.err = err
			}
		}
	}
	return r
}}

func (r *batch) release() {
	r.ctx, r.plan, r.x, r.y, r.err = nil, nil, nil, nil, nil
	batches.Put(r)
}

// sideBySide computes the features of the first units, a group on each thread.
func (r *batch) sideBySide(units, threads int) error {
	if units == 0 {
		return nil
	}
	r.team.Start(threads)
	defer r.team.Stop()
	r.cut(0, units, threads)
	r.team.Run(threads, r.groups, r.task)
	return r.err
}

// cut makes groups of units of nearly equal size, as many for each of the members
// of a team.
func (r *batch) cut(first, end, members int) {
	r.first, r.end = first, end
	each := members * r.plan.group
	r.groups = min((end-first+each-1)/each*members, end-first)
}

// group computes the features of group i.
func (r *batch) group(i, threads int) error {
	p := r.plan
	lo := (r.first + i*(r.end-r.first)/r.groups) * p.unit()
	hi := min((r.first+(i+1)*(r.end-r.first)/r.groups)*p.unit(), r.n)
	per, feat := p.net.input.len()/p.net.base, p.net.output.len()/p.net.base
	x, y := r.x[lo*per:hi*per], r.y[lo*feat:hi*feat]
	k := hi - lo
	if !p.batchable {
		k = p.net.base
	}
	threads, err := p.cores.enter(r.ctx, threads)
	if err != nil {
		return err
	}
	defer p.cores.leave(threads)
	s, err := p.state(k)
	if err != nil {
		return err
	}
	defer p.keep(s)
	s.team.Start(threads)
	defer s.team.Stop()
	if hi-lo == k {
		return s.run(r.ctx, x, y)
	}
	// The exporter's batch is larger: fill it up.
	if s.px == nil {
		s.px, s.py = make([]float32, k*per), make([]float32, k*feat)
	}
	clear(s.px[copy(s.px, x):])
	err = s.run(r.ctx, s.px, s.py)
	copy(y, s.py)
	return err
}

// unit returns how many pictures the network takes at least.
func (p *Plan) unit() int {
	if p.batchable {
		return 1
	}
	return p.net.base
}

// groupSize returns how many units of pictures go through the network together.
// One is best for the caches, except where the weights of fully connected layers,
// read for one vector at a time, are most of the work (VGG, AlexNet).
func (p *Plan) groupSize() int {
	if !p.batchable {
		return 1
	}
	weights := 0
	for _, n := range p.net.nodes {
		if o, ok := n.op.(*denseOp); ok && n.out[0].len() == p.net.base*o.n {
			weights += o.k * o.n
		}
	}
	if weights > 4<<20 {
		return 4
	}
	return 1
}

// cores limits the goroutines that run a plan at a time, whoever started them, to
// the cores that there are: more would only take turns, each with buffers of its
// own. It holds a token for each that is free.
type cores chan struct{}

func newCores() cores {
	c := make(cores, runtime.GOMAXPROCS(0))
	for range cap(c) {
		c <- struct{}{}
	}
	return c
}

// enter waits for a core and returns how many of up to threads it has got.
func (c cores) enter(ctx context.Context, threads int) (int, error) {
	select {
	case <-c:
	default:
		select {
		case <-c:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	for n := 1; n < threads; n++ {
		select {
		case <-c:
		default:
			return n, nil
		}
	}
	return threads, nil
}

func (c cores) leave(threads int) {
	for range threads {
		c <- struct{}{}
	}
}

// A stock keeps states for runs to come, the last used at the end.
type stock struct {
	mu   sync.Mutex
	free []*state
}

// state returns one for n pictures.
func (p *Plan) state(n int) (*state, error) {
	if s := p.stock.take(n); s != nil {
		return s, nil
	}
	return p.newState(n)
}

func (l *stock) take(n int) *state {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.free) - 1; i >= 0; i-- {
		if s := l.free[i]; s.n == n {
			l.free = slices.Delete(l.free, i, i+1)
			return s
		}
	}
	return nil
}

// keep hands s back. There are as many as there are cores.
func (p *Plan) keep(s *state) {
	l := &p.stock
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.free = append(l.free, s); len(l.free) > cap(p.cores) {
		l.free = slices.Delete(l.free, 0, 1)
	}
}
