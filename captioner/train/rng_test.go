package train

import (
	"math"
	"slices"
	"testing"
)

func TestDropMask(t *testing.T) {
	const width, rows = 510, 400
	for _, p := range []float64{0.1, 0.5, 0.75} {
		all := make([]float32, width*rows)
		for r := range rows {
			dropMask(all[r*width:][:width], 42, r*width, p)
		}
		dropped, pairs, lanes := 0, 0, [4]int{}
		for i, m := range all {
			switch m {
			case 0:
				dropped++
				lanes[i%width%4]++
				if i >= width && all[i-width] == 0 {
					pairs++
				}
			case float32(1 / (1 - p)):
			default:
				t.Fatalf("mask has %v", m)
			}
		}
		// Each count is binomial; five standard deviations.
		near := func(what string, got int, n, p float64) {
			if math.Abs(float64(got)-n*p) > 5*math.Sqrt(n*p*(1-p)) {
				t.Errorf("p %v: %s %d times of %.0f, want about %.0f", p, what, got, n, n*p)
			}
		}
		n := float64(len(all))
		near("dropped", dropped, n, p)
		near("dropped in two rows running", pairs, n-width, p*p)
		for i, l := range lanes {
			near("dropped in a lane", l, math.Ceil(float64(width-i)/4)*rows, p)
		}
	}
	a, b := make([]float32, 64), make([]float32, 64)
	dropMask(a, 1, 0, 0.5)
	dropMask(b, 2, 0, 0.5)
	if slices.Equal(a, b) {
		t.Error("two keys give one mask")
	}
}

func TestKeys(t *testing.T) {
	seen := map[uint64]bool{}
	for _, seed := range []int64{-1, 0, 1, 2} {
		for stream := range uint64(4) {
			for pos := range uint64(100) {
				seen[keyOf(seed, stream, pos)] = true
			}
		}
	}
	if len(seen) != 4*4*100 {
		t.Errorf("%d different keys of %d", len(seen), 4*4*100)
	}
}
