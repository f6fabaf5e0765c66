package leaktest

import (
	"testing"
	"time"
)

// recorder is a test that fails without failing this one.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

func TestStart(t *testing.T) {
	for _, test := range []struct {
		name  string
		lives time.Duration
		leaks bool
	}{
		{"ends", 0, false},
		{"soon", 50 * time.Millisecond, false},
		{"outlives", time.Hour, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &recorder{TB: t}
			check := Start(r)
			over := make(chan bool)
			for range 10 { // more than a test before may have left to end
				go func() {
					select {
					case <-over:
					case <-time.After(test.lives):
					}
				}()
			}
			check()
			close(over)
			if r.failed != test.leaks {
				t.Errorf("failed: %v, want %v", r.failed, test.leaks)
			}
		})
	}
}
