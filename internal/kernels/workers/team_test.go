package workers

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onetomany/caption/internal/leaktest"
)

// TestTeam checks that each task is done once, by no more goroutines than may
// take part, for teams that spin and teams that sleep.
func TestTeam(t *testing.T) {
	ended := leaktest.Start(t)
	for _, procs := range []int{1, 2, 4} {
		saved := runtime.GOMAXPROCS(procs)
		for threads := range 6 {
			var team Team
			team.Start(threads)
			for n := range 40 {
				limit := n%5 + 1
				done := make([]atomic.Int32, n)
				var now, most atomic.Int32
				team.Run(limit, n, func(i int) {
					most.Store(max(most.Load(), now.Add(1)))
					done[i].Add(1)
					if i%7 == 3 {
						runtime.Gosched()
					}
					now.Add(-1)
				})
				for i := range done {
					if done[i].Load() != 1 {
						t.Fatalf("%d threads: task %d of %d done %d times", threads, i, n, done[i].Load())
					}
				}
				if m := int(most.Load()); m > max(threads, 1) {
					t.Fatalf("%d threads: %d tasks at a time", threads, m)
				}
				if n%16 == 15 { // longer than helpers spin
					time.Sleep(time.Millisecond)
				}
			}
			team.Stop()
			ended()
		}
		runtime.GOMAXPROCS(saved)
	}
	if n := started.Load(); n != 0 {
		t.Errorf("%d members of teams are left", n)
	}
}

// TestTeamAlone checks teams without helpers: none, one not started, one stopped.
func TestTeamAlone(t *testing.T) {
	var stopped Team
	stopped.Start(3)
	stopped.Stop()
	for _, team := range []*Team{nil, {}, &stopped, Threads(0), Threads(1)} {
		sum := 0
		team.Run(5, 4, func(i int) { sum += i })
		if sum != 6 || team.Size() != 1 {
			t.Errorf("sum %d, size %d", sum, team.Size())
		}
	}
}

// TestThreadsShared uses one team of Threads on many goroutines.
func TestThreadsShared(t *testing.T) {
	ended := leaktest.Start(t)
	team := Threads(3)
	var wg sync.WaitGroup
	var sum atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 50 {
				team.Run(3, 10, func(i int) { sum.Add(int64(i)) })
			}
		})
	}
	wg.Wait()
	if sum.Load() != 8*50*45 {
		t.Errorf("sum %d", sum.Load())
	}
	ended()
}

// TestTeamPanic checks that the caller gets the panic of a task, whoever did it,
// after all tasks, and that the team works on.
func TestTeamPanic(t *testing.T) {
	var team Team
	team.Start(3)
	defer team.Stop()
	for bad := range 12 {
		var done atomic.Int32
		func() {
			defer func() {
				if r := recover(); r != bad {
					t.Errorf("recovered %v, want %d", r, bad)
				}
			}()
			team.Run(3, 12, func(i int) {
				done.Add(1)
				if i == bad {
					panic(i)
				}
			})
		}()
		if done.Load() != 12 {
			t.Errorf("%d tasks done", done.Load())
		}
	}
	team.Run(3, 12, func(int) {})
}

// BenchmarkTeam times an operator that does nothing, on two goroutines.
func BenchmarkTeam(b *testing.B) {
	var team Team
	team.Start(2)
	defer team.Stop()
	for b.Loop() {
		team.Run(2, 8, func(int) {})
	}
}

// TestTeamSplit checks that the parts are all rows, each once.
func TestTeamSplit(t *testing.T) {
	defer func(g int) { Grain = g }(Grain)
	Grain = 1
	var team, alone Team
	team.Start(3)
	defer team.Stop()
	for _, team := range []*Team{nil, &alone, &team, Threads(3)} {
		for n := range 70 {
			done := make([]atomic.Int32, n)
			team.Split(n, 1, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					done[i].Add(1)
				}
			})
			for i := range done {
				if done[i].Load() != 1 {
					t.Fatalf("team of %d: row %d of %d done %d times", team.Size(), i, n, done[i].Load())
				}
			}
		}
	}
}
