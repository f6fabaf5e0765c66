package matmul

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/cpu"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// TestTileBF16 compares every unit's micro kernel with the definition, on every
// size, with segments in any order and outside.
func TestTileBF16(t *testing.T) {
	a := kerneltest.RandomBF16(20000)
	kerneltest.EachUnit(t, func(t *testing.T) {
		u := &units[cpu.ActiveUnit]
		var heights []int
		for rows := 1; rows <= u.rows; rows++ {
			heights = append(heights, rows)
		}
		switch cpu.ActiveUnit {
		case cpu.AVX512BF16:
			heights = append(heights, 13, 24, 25, 35, 60)
		case cpu.AMX:
			heights = []int{1, 2, 15, 16, 17, 31, 32, 33, 48, 49, 64, 70}
		}
		for _, rows := range heights {
			for cols := 1; cols <= u.cols; cols++ {
				for _, pairs := range []int{1, 2, 17} {
					testTileBF16(t, u, rows, cols, pairs, a)
				}
			}
		}
	})
}

func testTileBF16(t *testing.T, u *kernelBF16, rows, cols, pairs int, a []vmath.BF16) {
	t.Helper()
	width := u.cols
	if cols <= width/2 {
		width /= 2
	}
	segs, lda, h := 3, 0, u.rows
	if u.inLine {
		// One segment, rows as far apart as they happen to be.
		segs, pairs, h = 1, min(pairs, 4)*u.depth/2, rows
		lda = 2*pairs + rand.IntN(5)
	}
	off := make([]int, kernels.Ceil(rows, h)*segs*h)
	for i := range off {
		if off[i] = rand.IntN(len(a) - 2*pairs); i%5 == 0 {
			off[i] = kernels.Outside
		}
	}
	if u.inLine {
		for r := range off {
			off[r] = 100 + r*lda
		}
	}
	ldc, ldd := cols+rand.IntN(5), cols+rand.IntN(5)
	x := tileBF16{
		rows: rows, cols: cols, width: width, segs: segs, pairs: pairs,
		a: a, off: off, zero: make([]vmath.BF16, 2*pairs), b: kerneltest.RandomBF16(segs * pairs * 2 * width),
		ldc: ldc, ldd: ldd, lda: lda, sum: make([]float32, 32*32),
	}
	if rand.IntN(2) == 0 {
		x.d = kerneltest.RandomBF16(rows * ldd)
		x.d[0] = 0x7fc0
	}
	if rand.IntN(2) == 0 {
		x.bias = kerneltest.Random(cols)
	}
	if rand.IntN(2) == 0 {
		x.clamp, x.lo, x.hi = true, -0.1, 0.3
	}
	c := kerneltest.RandomBF16(rows * ldc)
	if rand.IntN(3) == 0 {
		x.f = kerneltest.Wide(c)
	} else {
		x.c = slices.Clone(c)
	}
	u.run(&x)
	for i := range c {
		r, j := i/ldc, i%ldc
		want, size := float64(c[i].Float32()), 0.
		if j < cols {
			want = 0
			for s := range segs {
				for l := range 2 * pairs {
					if o := off[(r/h*segs+s)*h+r%h]; o >= 0 {
						p := float64(a[o+l].Float32()) * float64(x.b[(s*pairs+l/2)*2*width+2*j+l%2].Float32())
						want += p
						size += math.Abs(p)
					}
				}
			}
			if x.bias != nil {
				want += float64(x.bias[j])
			}
			if x.d != nil {
				want += float64(x.d[r*ldd+j].Float32())
			}
			if x.clamp {
				want = min(max(want, float64(x.lo)), float64(x.hi))
			}
		}
		if x.f != nil {
			if got := x.f[i]; !kerneltest.Near(got, want, size+2) && !(math.IsNaN(want) && got != got) {
				t.Fatalf("%d×%d, segments of %d pairs: float32 [%d,%d] is %v, want %v", rows, cols, pairs, r, j, got, want)
			}
		} else if got := x.c[i]; !kerneltest.NearBF16(got, want, size+2) && !(math.IsNaN(want) && got.Float32() != got.Float32()) {
			t.Fatalf("%d×%d, segments of %d pairs: [%d,%d] is %v, want %v", rows, cols, pairs, r, j, got.Float32(), want)
		}
	}
}

func TestMulBF16(t *testing.T) {
	sizes := [][3]int{{0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {1, 1, 1}, {250, 20, 300}, {243, 33, 512}, {26, 70, 1030}, {1, 200, 700}, {40, 130, 2048}, {100, 40, 1024}}
	for m := 1; m <= 34; m += 3 {
		for n := 1; n <= 66; n += 7 {
			sizes = append(sizes, [3]int{m, n, 1 + (m*n)%75})
		}
	}
	acts := []vmath.Activation{vmath.ActNone, vmath.ActReLU, vmath.ActClip, vmath.ActSiLU}
	fs := []func(float64) float64{
		func(x float64) float64 { return x },
		func(x float64) float64 { return max(x, 0) },
		func(x float64) float64 { return min(max(x, -0.5), 0.7) },
		func(x float64) float64 { return x / (1 + math.Exp(-x)) },
	}
	kerneltest.EachUnit(t, func(t *testing.T) {
		for i, z := range sizes {
			m, n, k := z[0], z[1], z[2]
			lda, ldb, ldc := k+rand.IntN(4), n+rand.IntN(4), n+3
			transB := i%2 == 1
			if transB {
				ldb = k + rand.IntN(4)
			}
			if k >= 1024 {
				lda = k // rows on the same cache sets
			}
			a, b := kerneltest.RandomBF16(m*lda), kerneltest.Wide(kerneltest.RandomBF16(max(k, n)*ldb))
			mode := rand.IntN(16)
			ep := &kernels.EpilogueBF16{Act: acts[mode%4], Alpha: -0.5, Beta: 0.7}
			if mode&4 != 0 {
				ep.Bias = kerneltest.Random(n)
			}
			if mode&8 != 0 {
				ep.Residual, ep.LdRes = kerneltest.RandomBF16(m*(n+1)), n+1
			}
			start := kerneltest.RandomBF16(m * ldc)
			x := kerneltest.Wide(a)
			p := PackBF16(transB, k, n, b, ldb)
			c, c2, f, f2 := slices.Clone(start), slices.Clone(start), kerneltest.Wide(start), kerneltest.Wide(start)
			p.Mul(m, a, lda, c, ldc, ep, nil)
			p.Mul(m, a, lda, c2, ldc, ep, workers.Threads(2+m%4))
			p.MulFloat32(m, a, lda, f, ldc, ep, nil)
			p.MulFloat32(m, a, lda, f2, ldc, ep, workers.Threads(2+m%4))
			if !slices.Equal(c, c2) || !slices.Equal(f, f2) {
				t.Fatalf("%d×%d×%d: another result with %d threads", m, n, k, 2+m%4)
			}
			for i := range m {
				for j := range ldc {
					got, got32 := c[i*ldc+j], f[i*ldc+j]
					if j >= n {
						if got != start[i*ldc+j] || got32 != got.Float32() {
							t.Fatalf("%d×%d×%d: wrote beyond the columns", m, n, k)
						}
						continue
					}
					want, size := naive(false, transB, k, x, lda, b, ldb, i, j)
					if ep.Bias != nil {
						want += float64(ep.Bias[j])
					}
					if ep.Residual != nil {
						want += float64(ep.Residual[i*(n+1)+j].Float32())
					}
					want = fs[mode%4](want)
					if !kerneltest.NearBF16(got, want, size+2) || !kerneltest.Near(got32, want, size+2) {
						t.Fatalf("mode %d %d×%d×%d: [%d,%d] is %v and %v, want %v", mode, m, n, k, i, j, got.Float32(), got32, want)
					}
				}
			}
		}
	})
}

func TestConvBF16(t *testing.T) {
	kerneltest.EachUnit(t, func(t *testing.T) {
		for i, g := range convCases {
			for _, n := range []int{5, 40, 130} {
				const batch = 2
				q := g.Defaults()
				k := q.KH * q.KW * q.C
				x, w, bias := kerneltest.RandomBF16(batch*q.H*q.W*q.Ld), kerneltest.Wide(kerneltest.RandomBF16(k*n)), kerneltest.Random(n)
				b := PackBF16(false, k, n, w, n)
				ldy := n + rand.IntN(2)
				y, f := make([]vmath.BF16, batch*q.OH*q.OW*ldy), make([]float32, batch*q.OH*q.OW*ldy)
				ep := &kernels.EpilogueBF16{Bias: bias, Act: vmath.ActClip, Alpha: -1, Beta: 2}
				b.Conv(&g, batch, x, y, ldy, ep, nil)
				b.ConvFloat32(&g, batch, x, f, ldy, ep, nil)
				x32 := kerneltest.Wide(x)
				for p := range batch * q.OH * q.OW {
					for j := 0; j < n; j += 1 + rand.IntN(7) {
						want, size := kerneltest.ConvAt(&q, x32, w, n, p, j)
						want = min(max(want+float64(bias[j]), -1), 2)
						if got, got32 := y[p*ldy+j], f[p*ldy+j]; !kerneltest.NearBF16(got, want, size+2) || !kerneltest.Near(got32, want, size+2) {
							t.Fatalf("case %d, %d channels out: pixel %d channel %d is %v and %v, want %v", i, n, p, j, got.Float32(), got32, want)
						}
					}
				}
				z := make([]vmath.BF16, len(y))
				b.Conv(&g, batch, x, z, ldy, ep, workers.Threads(3))
				if !slices.Equal(y, z) {
					t.Fatalf("case %d: another result with 3 threads", i)
				}
			}
		}
	})
}
