package train

import "sync"

// parallel calls f on parts [lo,hi) of [0,n), each on a goroutine of its own, at most
// threads of them. f must treat each index by itself, so that the result does not
// depend on the number of parts.
func parallel(threads, n int, f func(lo, hi int)) {
	threads = min(threads, n)
	if threads <= 1 {
		f(0, n)
		return
	}
	var wg sync.WaitGroup
	for i := 1; i < threads; i++ {
		wg.Go(func() { f(n*i/threads, n*(i+1)/threads) })
	}
	f(0, n/threads)
	wg.Wait()
}

// grow returns a slice of n elements, in b's memory where that is enough.
func grow(b []float32, n int) []float32 {
	if cap(b) < n {
		return make([]float32, n)
	}
	return b[:n]
}
