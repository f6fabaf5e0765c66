package kernels

import (
	"sync"
	"sync/atomic"
)

// A crew runs numbered tasks on a few goroutines, which end before run
// returns. It is part of a pooled value, so that nothing is allocated.
type crew struct {
	task  func(int)
	tasks int
	next  atomic.Int64
	wg    sync.WaitGroup
	fn    func() // work and Done, made once
}

func (c *crew) init() {
	c.fn = func() {
		defer c.wg.Done()
		c.work()
	}
}

// run has tasks 0…n-1 done by up to threads goroutines, the caller's included.
func (c *crew) run(threads, n int, task func(int)) {
	c.task, c.tasks = task, n
	c.next.Store(0)
	threads = min(threads, n)
	for range threads - 1 {
		c.wg.Add(1)
		go c.fn()
	}
	c.work()
	c.wg.Wait()
}

func (c *crew) work() {
	for {
		i := int(c.next.Add(1)) - 1
		if i >= c.tasks {
			return
		}
		c.task(i)
	}
}

// grain is the work, in multiply-adds, that is worth a thread: starting a
// goroutine and waiting for it takes about as long. Tests lower it.
var grain = 1 << 17

// threadsFor limits threads to what work is worth.
func threadsFor(threads, work int) int {
	return max(1, min(threads, work/grain))
}
