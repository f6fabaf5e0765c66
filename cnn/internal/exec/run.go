package exec

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/onetomany/caption/internal/kernels/workers"
)

// Run computes the features of n pictures x, [n,C,H,W], into y. At most threads
// goroutines work on it, less while other runs keep the cores busy; the result
// does not depend on their number. Once all buffers are made, it allocates nothing.
func (x *Program) Run(ctx context.Context, n int, in, out []float32, threads int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := jobs.Get().(*job)
	defer j.release()
	j.ctx, j.prog, j.n, j.x, j.y = ctx, x, n, in, out
	threads = min(max(threads, 1), cap(x.cores))
	unit := x.plan.Unit()
	units := (n + unit - 1) / unit
	// A picture on each core is faster than all cores on one picture. Those left
	// over are split, unless there is one for almost every core.
	apart := units
	if rest := units % threads; 5*rest < 4*threads {
		apart -= rest
	}
	if threads == 1 {
		apart = 0
	}
	if err := j.sideBySide(apart, threads); err != nil {
		return err
	}
	j.divide(apart, units, 1)
	for i := range j.groups {
		if err := j.group(i, threads); err != nil {
			return err
		}
	}
	return nil
}

// A job is a run under way.
type job struct {
	ctx  context.Context
	prog *Program
	n    int
	x, y []float32

	// The pictures of units first…end-1 go through in so many groups.
	first, end, groups int

	team workers.Team
	task func(int) // runs a group on one goroutine
	err  atomic.Pointer[error]
}

var jobs = sync.Pool{New: func() any {
	j := new(job)
	j.task = func(i int) {
		if j.err.Load() != nil {
			return
		}
		if err := j.group(i, 1); err != nil {
			first := err // not &err, which would be allocated in any case
			j.err.CompareAndSwap(nil, &first)
		}
	}
	return j
}}

func (j *job) release() {
	j.ctx, j.prog, j.x, j.y = nil, nil, nil, nil
	j.err.Store(nil)
	jobs.Put(j)
}

// sideBySide computes the features of so many units, a group on each thread.
func (j *job) sideBySide(units, threads int) error {
	if units == 0 {
		return nil
	}
	j.team.Start(threads)
	defer j.team.Stop()
	j.divide(0, units, threads)
	j.team.Run(threads, j.groups, j.task)
	if err := j.err.Load(); err != nil {
		return *err
	}
	return nil
}

// divide makes groups of nearly equal size of the units first…end-1, the same number
// for each member of a team.
func (j *job) divide(first, end, members int) {
	j.first, j.end = first, end
	each := members * j.prog.plan.Group
	j.groups = min((end-first+each-1)/each*members, end-first)
}

// group computes the features of group i.
func (j *job) group(i, threads int) error {
	x, p := j.prog, j.prog.plan
	lo := (j.first + i*(j.end-j.first)/j.groups) * p.Unit()
	hi := min((j.first+(i+1)*(j.end-j.first)/j.groups)*p.Unit(), j.n)
	per, feature := p.Input.Len()/p.Base, p.Output.Len()/p.Base
	in, out := j.x[lo*per:hi*per], j.y[lo*feature:hi*feature]
	k := hi - lo
	if !p.Batchable {
		k = p.Base
	}
	threads, err := x.cores.enter(j.ctx, threads)
	if err != nil {
		return err
	}
	defer x.cores.leave(threads)
	s, err := x.state(k)
	if err != nil {
		return err
	}
	defer x.release(s)
	s.team.Start(threads)
	defer s.team.Stop()
	if hi-lo == k {
		return s.run(j.ctx, in, out)
	}
	// There are fewer pictures than the network takes: fill up with zeros.
	if s.px == nil {
		s.px, s.py = make([]float32, k*per), make([]float32, k*feature)
	}
	clear(s.px[copy(s.px, in):])
	err = s.run(j.ctx, s.px, s.py)
	copy(out, s.py)
	return err
}

// cores limits the goroutines that run a program at a time, in all its runs, to the
// number of cores: more would only take turns, each with its own buffers. It holds a
// token for each core that is free.
type cores chan struct{}

func newCores() cores {
	c := make(cores, runtime.GOMAXPROCS(0))
	for range cap(c) {
		c <- struct{}{}
	}
	return c
}

// enter waits for a core and returns how many of up to threads it has got.
func (c cores) enter(ctx context.Context, threads int) (n int, err error) {
	for n < threads {
		select {
		case <-c:
			n++
			continue
		default:
		}
		if n > 0 {
			break
		}
		select {
		case <-c:
			n++
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return n, nil
}

func (c cores) leave(threads int) {
	for range threads {
		c <- struct{}{}
	}
}

// A statePool keeps states for later runs, the one used last at the end.
type statePool struct {
	mu   sync.Mutex
	free []*state
}

// state returns one for n pictures, from the pool if it has one.
func (x *Program) state(n int) (*state, error) {
	x.pool.mu.Lock()
	for i := len(x.pool.free) - 1; i >= 0; i-- {
		if s := x.pool.free[i]; s.n == n {
			x.pool.free = slices.Delete(x.pool.free, i, i+1)
			x.pool.mu.Unlock()
			return s, nil
		}
	}
	x.pool.mu.Unlock()
	return x.newState(n)
}

// release hands s back to the pool, which keeps as many as there are cores.
func (x *Program) release(s *state) {
	x.pool.mu.Lock()
	defer x.pool.mu.Unlock()
	if x.pool.free = append(x.pool.free, s); len(x.pool.free) > cap(x.cores) {
		x.pool.free = slices.Delete(x.pool.free, 0, 1)
	}
}
