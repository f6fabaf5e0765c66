// Package workers divides the work of one operator among goroutines.
package workers

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A Team is the goroutines that work on an operator together: the caller and
// helpers. Between Start and Stop the helpers stay: operators of a network take
// some tens of microseconds each, and starting a goroutine on another core for
// every one of them takes as long again. An idle helper spins for a moment before
// it sleeps.
//
// A nil Team, and one that has not been started, is the caller alone. A Team
// works on one operator at a time.
type Team struct {
	size      int       // goroutines at most, the caller's included
	perRun    bool      // made by Threads: helpers live for one Run
	spin      bool      // there is a core for everyone: waiting may be busy
	helpers   []*helper // all ever started
	running   int       // how many of them run
	caller    waiter
	helperEnd sync.WaitGroup

	// The operator. Each worker has a share of the tasks, neighbours that lie
	// together in memory, and the same at every operator, so that much of what it
	// reads is in its own cache. A worker that is done early takes tasks from the
	// ends of other shares.
	task    func(int)
	shares  []share
	limit   atomic.Int32 // workers that take part
	runs    atomic.Int64 // operators so far, negative after the last
	pending atomic.Int64 // tasks that are not done
	panics  atomic.Pointer[any]

	// For Split.
	part        func(lo, hi int)
	rows, parts int
	partTask    func(int)
}

// A helper is a goroutine of a team.
type helper struct {
	waiter
	seen int64 // the last of Team.runs that it has worked on
	main func()
}

// A share is the tasks lo…hi-1 of a worker that nobody has taken, as hi<<32|lo.
type share struct {
	atomic.Uint64
	_ [120]byte // a cache line of its own, and the one that is fetched with it
}

// started is how many goroutines all started teams may use.
var started atomic.Int64

// Start begins a time in which up to threads goroutines, the caller's included,
// work on operators; 0 counts as 1. Stop ends it.
func (t *Team) Start(threads int) {
	t.size = max(threads, 1)
	if t.size == 1 {
		return
	}
	t.spin = started.Add(int64(t.size)) <= int64(runtime.GOMAXPROCS(0))
	if len(t.shares) < t.size {
		t.shares = make([]share, t.size)
	}
	if t.caller.bell == nil {
		t.caller.bell = make(chan struct{}, 1)
	}
	t.runs.Store(0)
}

// Stop ends the helpers, and returns when they have ended.
func (t *Team) Stop() {
	if t.size > 1 {
		started.Add(-int64(t.size))
	}
	t.size = 0
	if t.running == 0 {
		return
	}
	t.runs.Store(-1)
	for _, h := range t.helpers[:t.running] {
		h.wake()
	}
	t.helperEnd.Wait()
	t.running = 0
}

// Threads returns a team of up to n goroutines that starts new helpers for each
// operator. It needs no Start, and any number of goroutines may use it.
func Threads(n int) *Team {
	if n <= 1 {
		return nil
	}
	return &Team{size: n, perRun: true}
}

var teams = sync.Pool{New: func() any { return new(Team) }}

// Size returns how many goroutines work on an operator at most.
func (t *Team) Size() int {
	if t == nil {
		return 1
	}
	return max(t.size, 1)
}

// Run calls task with each of 0…n-1, on up to limit goroutines of the team. A panic
// of a task is passed on to the caller.
func (t *Team) Run(limit, n int, task func(int)) {
	limit = min(limit, n, t.Size())
	if limit <= 1 {
		for i := range n {
			task(i)
		}
		return
	}
	if t.perRun {
		t = teams.Get().(*Team)
		t.Start(limit)
		defer teams.Put(t)
		defer t.Stop()
	}
	t.task = task
	t.pending.Store(int64(n))
	t.limit.Store(int32(limit))
	for i := range limit {
		t.shares[i].Store(uint64((i+1)*n/limit)<<32 | uint64(i*n/limit))
	}
	t.runs.Add(1)
	t.wakeHelpers(limit - 1)
	t.work(0)
	t.caller.wait(t.spin, func() bool { return t.pending.Load() == 0 })
	t.task = nil
	if p := t.panics.Swap(nil); p != nil {
		panic(*p)
	}
}

// Split calls part for ranges lo…hi-1 that make up the rows 0…n-1, where a row takes
// as long as so many multiply-adds of a matrix product. Workers have the same share
// of the rows at every operator.
func (t *Team) Split(n, work int, part func(lo, hi int)) {
	threads := min(t.For(n*work), n)
	if threads <= 1 || t.perRun {
		part(0, n)
		return
	}
	if t.partTask == nil {
		t.partTask = func(i int) { t.part(i*t.rows/t.parts, (i+1)*t.rows/t.parts) }
	}
	t.part, t.rows, t.parts = part, n, min(n, TasksPerThread*threads)
	t.Run(threads, t.parts, t.partTask)
	t.part = nil
}

// wakeHelpers makes n helpers work, and starts those that are missing.
func (t *Team) wakeHelpers(n int) {
	for _, h := range t.helpers[:min(n, t.running)] {
		h.wake()
	}
	for ; t.running < n; t.running++ {
		if t.running == len(t.helpers) {
			h, worker := &helper{waiter: waiter{bell: make(chan struct{}, 1)}}, len(t.helpers)+1
			h.main = func() { t.help(h, worker) }
			t.helpers = append(t.helpers, h)
		}
		h := t.helpers[t.running]
		h.seen = 0
		t.helperEnd.Add(1)
		go h.main()
	}
}

// help is what the goroutine of a helper runs.
func (t *Team) help(h *helper, worker int) {
	defer t.helperEnd.Done()
	for {
		h.wait(t.spin, func() bool { return t.runs.Load() != h.seen })
		if h.seen = t.runs.Load(); h.seen < 0 {
			return
		}
		if worker < int(t.limit.Load()) {
			t.work(worker)
		}
	}
}

// work does the tasks of a worker's own share, then those left of other shares.
func (t *Team) work(worker int) {
	limit := int(t.limit.Load())
	for d := range limit {
		s := &t.shares[(worker+d)%limit]
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

// do runs task i. The operator is not over before do returns, so that t.task stays
// as it is.
func (t *Team) do(i int) {
	defer func() {
		if r := recover(); r != nil {
			p := r
			t.panics.Store(&p)
		}
		if t.pending.Add(-1) == 0 {
			t.caller.wake()
		}
	}()
	t.task(i)
}

// spins is how often an idle goroutine looks again before it sleeps: for some
// 50 µs, longer than most of what a network does on one core alone.
const spins = 3000

// pause makes a spinning goroutine wait for some nanoseconds.
var pause = func() {}

// A waiter is where a goroutine waits for others.
type waiter struct {
	asleep atomic.Bool
	bell   chan struct{}
}

// wait returns when done reports true; wake is called after each change of that.
func (w *waiter) wait(spin bool, done func() bool) {
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
		w.asleep.Store(true)
		if done() && w.asleep.CompareAndSwap(true, false) {
			return
		}
		<-w.bell
	}
}

func (w *waiter) wake() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		w.bell <- struct{}{}
	}
}

// Grain is the work, in multiply-adds, that is worth a thread: handing it over
// and waiting for it takes about as long. Tests lower it.
var Grain = 1 << 16

// For returns how many threads of the team so much work is worth.
func (t *Team) For(work int) int { return max(1, min(t.Size(), work/Grain)) }

// TasksPerThread is how many tasks there should be for each of several threads, so
// that none waits long for another.
const TasksPerThread = 8
