//go:build !race

// Under the race detector sync.Pool drops values at random.

package cnn

import "testing"

// TestAllocations checks that running allocates the result and little else.
func TestAllocations(t *testing.T) {
	for _, name := range mini(t) {
		net := openMini(t, name, nil)
		x := picture(2, 24, 24)
		run(t, net, x)
		if n := testing.AllocsPerRun(20, func() { run(t, net, x) }); n > 8 {
			t.Errorf("%s: %.0f allocations a run", name, n)
		}
	}
}
