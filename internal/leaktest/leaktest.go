// Package leaktest finds goroutines that outlive the call that started them.
package leaktest

import (
	"runtime"
	"testing"
	"time"
)

// Start counts the goroutines. The function that it returns fails the test
// if there are more, after a second of waiting: a goroutine that has said that
// it is done takes a moment to end.
func Start(t testing.TB) (check func()) {
	before := runtime.NumGoroutine()
	return func() {
		t.Helper()
		for deadline := time.Now().Add(time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
				return
			}
		}
	}
}
