package matmul

import (
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/kernels/kerneltest"
)

func emptyPackedB(k, n int) *PackedB {
	b := NewPackedB(k, n)
	b.SetMemory(make([]float32, b.Size()))
	return b
}

// A matrix filled by parts is the one that PackB makes of the whole.
func TestSetFilters(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 7, 16, 17, 24, 32, 33, 48, 49, 64, 100} {
			for _, f := range [][2]int{{0, 9}, {1, 1}, {3, 49}, {8, 9}, {20, 9}, {33, 4}, {300, 1}} {
				c, taps := f[0], f[1]
				k := c * taps
				w, scale := kerneltest.Random(n*k), kerneltest.Random(n)
				m := make([]float32, n*k) // [n][taps][c]
				for i := range n {
					for ch := range c {
						for tap := range taps {
							m[i*k+tap*c+ch] = w[i*k+ch*taps+tap] * scale[i]
						}
					}
				}
				want := PackB(true, k, n, m, k)
				got := emptyPackedB(k, n)
				step := 2 * got.PanelWidth()
				for j := 0; j < n; j += step {
					end := min(j+step, n)
					got.SetFilters(j, w[j*k:end*k], c, taps, scale[j:end])
				}
				if !slices.Equal(got.data, want.data) {
					t.Fatalf("%d filters of %d×%d differ", n, c, taps)
				}
			}
		}
	})
}

func TestSetRows(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 7, 16, 17, 24, 32, 33, 48, 49, 64, 100} {
			for _, k := range []int{0, 1, 2, 7, 30} {
				w, scale := kerneltest.Random(k*n), kerneltest.Random(n)
				m := make([]float32, k*n)
				for i := range m {
					m[i] = w[i] * scale[i%n]
				}
				want := PackB(false, k, n, m, n)
				got := emptyPackedB(k, n)
				for l := 0; l < k; l += 3 {
					got.SetRows(l, w[l*n:min(l+3, k)*n], scale)
				}
				if !slices.Equal(got.data, want.data) {
					t.Fatalf("%d×%d differ", k, n)
				}
			}
		}
	})
}

func TestSetPanics(t *testing.T) {
	b := emptyPackedB(18, 40)
	for name, f := range map[string]func(){
		"size":        func() { NewPackedB(-1, 2) },
		"shape":       func() { b.SetFilters(0, make([]float32, 40*18), 3, 5, make([]float32, 40)) },
		"short":       func() { b.SetFilters(0, make([]float32, 39*18), 2, 9, make([]float32, 40)) },
		"odd panel":   func() { b.SetFilters(1, make([]float32, 18), 2, 9, make([]float32, 1)) },
		"too many":    func() { b.SetFilters(32, make([]float32, 9*18), 2, 9, make([]float32, 9)) },
		"part row":    func() { b.SetRows(0, make([]float32, 41), make([]float32, 40)) },
		"row beyond":  func() { b.SetRows(18, make([]float32, 40), make([]float32, 40)) },
		"few factors": func() { b.SetRows(0, make([]float32, 40), make([]float32, 39)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
