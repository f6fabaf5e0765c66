package kernels

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A Team is the goroutines that work on an operator together: the caller and
// helpers. Between Start and Stop the helpers stay: operators of a network take
// some tens of microseconds each, and starting a goroutine on another core for
// every one of them takes as long again. Waiting, helpers spin for a moment
// before they sleep.
//
// A nil Team, and one that has not been started, is the caller alone. A Team
// does one operator at a time.
type Team struct {
	size  int       // goroutines at most, the caller's included
	hires bool      // a team of Threads
	spin  bool      // there is a core for everyone: waiting may be busy
	crew  []*helper // all ever started
	fit   int       // helpers that run

	// What there is to do. Each member has a share of the tasks, neighbours
	// that lie together in memory, and the same at every operator, so that
	// much of what it reads is in its own cache. Who is done early takes from
	// the ends of other shares.
	task   func(int)
	shares []share
	limit  atomic.Int32 // members that take part
	jobs   atomic.Int64 // operators so far, negative once there are no more
	left   atomic.Int64 // tasks that are not done
	panics atomic.Pointer[any]

	// For Split.
	part        func(lo, hi int)
	rows, parts int
	partTask    func(int)

	caller sleeper
	gone   sync.WaitGroup
}

// A helper is a goroutine of a team.
type helper struct {
	sleeper
	seen int64 // the last job that it has worked on
	run  func()
}

// A share is the tasks that are left of those lo…hi-1 of a member, as hi<<32|lo.
type share struct {
	atomic.Uint64
	_ [120]byte // of its own cache line, and the one fetched with it
}

// crowd is how many goroutines all started teams may use.
var crowd atomic.Int64

// Start begins a time in which up to threads goroutines, the caller's included,
// work on operators; 0 counts as 1. Stop ends it.
func (t *Team) Start(threads int) {
	t.size = max(threads, 1)
	if t.size == 1 {
		return
	}
	t.spin = crowd.Add(int64(t.size)) <= int64(runtime.GOMAXPROCS(0))
	if len(t.shares) < t.size {
		t.shares = make([]share, t.size)
	}
	if t.caller.bell == nil {
		t.caller.bell = make(chan struct{}, 1)
	}
	t.jobs.Store(0)
}

// Stop ends the helpers, and returns when they have ended.
func (t *Team) Stop() {
	if t.size > 1 {
		crowd.Add(-int64(t.size))
	}
	t.size = 0
	if t.fit == 0 {
		return
	}
	t.jobs.Store(-1)
	for _, h := range t.crew[:t.fit] {
		h.wake()
	}
	t.gone.Wait()
	t.fit = 0
}

// Threads returns a team of up to n goroutines that starts helpers for each
// operator anew. It needs no Start, and any number of goroutines may use it.
func Threads(n int) *Team {
	if n <= 1 {
		return nil
	}
	return &Team{size: n, hires: true}
}

var teams = sync.Pool{New: func() any { return new(Team) }}

// Size returns how many goroutines work on an operator at most.
func (t *Team) Size() int {
	if t == nil {
		return 1
	}
	return max(t.size, 1)
}

// Run has tasks 0…n-1 done by up to limit members of the team. A panic of a task
// is the caller's.
func (t *Team) Run(limit, n int, task func(int)) {
	limit = min(limit, n, t.Size())
	if limit <= 1 {
		for i := range n {
			task(i)
		}
		return
	}
	if t.hires {
		hired := teams.Get().(*Team)
		hired.Start(limit)
		defer teams.Put(hired)
		defer hired.Stop()
		t = hired
	}
	t.task = task
	t.left.Store(int64(n))
	t.limit.Store(int32(limit))
	for i := range limit {
		t.shares[i].Store(uint64((i+1)*n/limit)<<32 | uint64(i*n/limit))
	}
	t.jobs.Add(1)
	t.call(limit - 1)
	t.work(0)
	t.caller.until(t.spin, func() bool { return t.left.Load() == 0 })
	t.task = nil
	if p := t.panics.Swap(nil); p != nil {
		panic(*p)
	}
}

// Split has rows 0…n-1 of something done by part, which does those from lo to
// hi-1, where a row takes as long as so many multiply-adds of a matrix product.
// Members have the same share of rows at every operator.
func (t *Team) Split(n, work int, part func(lo, hi int)) {
	threads := min(threadsFor(t, n*work), n)
	if threads <= 1 || t.hires {
		part(0, n)
		return
	}
	if t.partTask == nil {
		t.partTask = func(i int) { t.part(i*t.rows/t.parts, (i+1)*t.rows/t.parts) }
	}
	t.part, t.rows, t.parts = part, n, min(n, blocksPerThread*threads)
	t.Run(threads, t.parts, t.partTask)
	t.part = nil
}

// call makes sure that n helpers are at work.
func (t *Team) call(n int) {
	for _, h := range t.crew[:min(n, t.fit)] {
		h.wake()
	}
	for ; t.fit < n; t.fit++ {
		if t.fit == len(t.crew) {
			h, member := &helper{sleeper: sleeper{bell: make(chan struct{}, 1)}}, len(t.crew)+1
			h.run = func() { t.help(h, member) }
			t.crew = append(t.crew, h)
		}
		h := t.crew[t.fit]
		h.seen = 0
		t.gone.Add(1)
		go h.run()
	}
}

// help is the life of a helper.
func (t *Team) help(h *helper, member int) {
	defer t.gone.Done()
	for {
		h.until(t.spin, func() bool { return t.jobs.Load() != h.seen })
		if h.seen = t.jobs.Load(); h.seen < 0 {
			return
		}
		if member < int(t.limit.Load()) {
			t.work(member)
		}
	}
}

// work does the tasks of a member, then what is left of others'.
func (t *Team) work(member int) {
	limit := int(t.limit.Load())
	for d := range limit {
		s := &t.shares[(member+d)%limit]
		for {
			i, ok := s.take(d == 0)
			if !ok {
				break
			}
			t.do(i)
		}
	}
}

// take takes a task from the front of a share, or from its end.
func (s *share) take(front bool) (task int, ok bool) {
	for {
		v := s.Load()
		lo, hi := v&(1<<32-1), v>>32
		if lo >= hi {
			return 0, false
		}
		if front {
			if s.CompareAndSwap(v, hi<<32|(lo+1)) {
				return int(lo), true
			}
		} else if s.CompareAndSwap(v, (hi-1)<<32|lo) {
			return int(hi - 1), true
		}
	}
}

// do does task i, which is of the job of now: that is not over before.
func (t *Team) do(i int) {
	defer func() {
		if r := recover(); r != nil {
			p := r
			t.panics.Store(&p)
		}
		if t.left.Add(-1) == 0 {
			t.caller.wake()
		}
	}()
	t.task(i)
}

// spins is how often a goroutine that waits looks again before it sleeps: for
// some 50 µs, longer than most of what a network does on one core alone.
const spins = 3000

// A sleeper is where a goroutine waits for others.
type sleeper struct {
	asleep atomic.Bool
	bell   chan struct{}
}

// until returns when done reports true; wake is called after each change of that.
func (s *sleeper) until(spin bool, done func() bool) {
	for range spins {
		if done() {
			return
		}
		if !spin {
			break
		}
		pause()
	}
	for !done() {
		s.asleep.Store(true)
		if done() && s.asleep.CompareAndSwap(true, false) {
			return
		}
		<-s.bell
	}
}

func (s *sleeper) wake() {
	if s.asleep.Load() && s.asleep.CompareAndSwap(true, false) {
		s.bell <- struct{}{}
	}
}

// grain is the work, in multiply-adds, that is worth a thread: handing it over
// and waiting for it takes about as long. Tests lower it.
var grain = 1 << 16

// threadsFor limits the threads of a team to what work is worth.
func threadsFor(t *Team, work int) int {
	return max(1, min(t.Size(), work/grain))
}
