package matmul

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/float16"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Against the definition, at every number of rows and columns up to some tiles;
// the same on several goroutines and for each row alone.
func TestHalfMatrix(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, k := range []int{0, 1, 7, 8, 9, 16, 40, 61, 512} {
			for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 130} {
				for _, m := range []int{0, 1, 2, 3, 4, 5, 6, 7, 48} {
					testHalfMatrix(t, m, n, k)
				}
			}
		}
	})
}

func testHalfMatrix(t *testing.T, m, n, k int) {
	t.Helper()
	raw, w := []byte{0}, make([]float32, n*k) // at an odd address
	for i := range w {
		h := float16.FromFloat32(rand.Float32()*2 - 1)
		w[i] = float16.ToFloat32(h)
		raw = append(raw, byte(h), byte(h>>8))
	}
	b := NewHalfMatrix(k, n, raw[1:])
	lda, ldc := k+3, n+2
	a, start, bias := kerneltest.Random(m*lda), kerneltest.Random(m*ldc), kerneltest.Random(n)
	for _, accumulate := range []bool{false, true} {
		c := slices.Clone(start)
		b.Mul(m, a, lda, c, ldc, bias, accumulate, nil)
		for i := range m {
			for j := range ldc {
				if j >= n {
					if c[i*ldc+j] != start[i*ldc+j] {
						t.Fatalf("%d×%d×%d: wrote beyond row %d", m, n, k, i)
					}
					continue
				}
				want, size := naive(false, true, k, a, lda, w, k, i, j)
				want += float64(bias[j])
				if accumulate {
					want += float64(start[i*ldc+j])
				}
				if !kerneltest.Near(c[i*ldc+j], want, size+2) {
					t.Fatalf("%d×%d×%d: %v at %d, %d, want %v", m, n, k, c[i*ldc+j], i, j, want)
				}
			}
		}
		d := slices.Clone(start)
		b.Mul(m, a, lda, d, ldc, bias, accumulate, workers.Threads(3))
		if !slices.Equal(c, d) {
			t.Fatalf("%d×%d×%d: another result on three goroutines", m, n, k)
		}
		d = slices.Clone(start)
		for i := range m {
			b.Mul(1, a[i*lda:], lda, d[i*ldc:], ldc, bias, accumulate, nil)
		}
		if !slices.Equal(c, d) {
			t.Fatalf("%d×%d×%d: another result row by row", m, n, k)
		}
	}
}

func BenchmarkHalfMatrix(b *testing.B) {
	const k, n = 512, 2048
	raw := make([]byte, 2*k*n)
	h, p := NewHalfMatrix(k, n, raw), PackB(true, k, n, make([]float32, k*n), k)
	for _, m := range []int{1, 3, 48} {
		a, c := kerneltest.Random(m*k), make([]float32, m*n)
		for name, f := range map[string]func(){
			"half":   func() { h.Mul(m, a, k, c, n, nil, false, nil) },
			"packed": func() { p.Mul(m, a, k, c, n, nil, nil) },
		} {
			b.Run(fmt.Sprintf("%d/%s", m, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(2*m*n*k)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
			})
		}
	}
}
