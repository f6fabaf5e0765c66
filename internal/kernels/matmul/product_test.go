package matmul

import (
	"fmt"
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

// naive computes a·b in float64, also the sum of the terms' sizes.
func naive(transA, transB bool, k int, a []float32, lda int, b []float32, ldb, i, j int) (s, size float64) {
	for l := range k {
		x, y := i*lda+l, l*ldb+j
		if transA {
			x = l*lda + i
		}
		if transB {
			y = j*ldb + l
		}
		p := float64(a[x]) * float64(b[y])
		s += p
		size += math.Abs(p)
	}
	return s, size
}

func TestMul(t *testing.T) {
	sizes := [][3]int{{0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {1, 1, 1}, {250, 20, 300}, {243, 33, 512}, {25, 64, 513}, {26, 70, 1030}, {1, 200, 700}, {5, 310, 20}}
	for m := 1; m <= 26; m += 3 {
		for n := 1; n <= 66; n += 7 {
			sizes = append(sizes, [3]int{m, n, 1 + (m*n)%37})
		}
	}
	for m := 1; m <= 13; m++ {
		for _, n := range []int{8, 16, 24, 32, 48, 64} {
			sizes = append(sizes, [3]int{m, n, 9})
		}
	}
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, z := range sizes {
			for mode := range 8 {
				testMul(t, mode&1 != 0, mode&2 != 0, mode&4 != 0, z[0], z[1], z[2])
			}
		}
	})
}

func testMul(t *testing.T, transA, transB, accumulate bool, m, n, k int) {
	t.Helper()
	ra, ca, rb, cb := m, k, k, n
	if transA {
		ra, ca = k, m
	}
	if transB {
		rb, cb = n, k
	}
	lda, ldb, ldc := ca+rand.IntN(4), cb+rand.IntN(4), n+3
	a, b := kerneltest.Random(ra*lda), kerneltest.Random(rb*ldb)
	start := kerneltest.Random(m * ldc)
	c := slices.Clone(start)
	Mul(transA, transB, m, n, k, a, lda, b, ldb, accumulate, c, ldc, nil)
	for i := range m {
		for j := range ldc {
			want, size := float64(start[i*ldc+j]), 1.0
			if j < n {
				want, size = naive(transA, transB, k, a, lda, b, ldb, i, j)
				if accumulate {
					want += float64(start[i*ldc+j])
					size++
				}
			}
			if got := c[i*ldc+j]; !kerneltest.Near(got, want, size) {
				t.Fatalf("transA %v transB %v accumulate %v %d×%d×%d: [%d,%d] is %v, want %v", transA, transB, accumulate, m, n, k, i, j, got, want)
			}
		}
	}
	d := slices.Clone(start)
	Mul(transA, transB, m, n, k, a, lda, b, ldb, accumulate, d, ldc, workers.Threads(2+m%4))
	if !slices.Equal(c, d) {
		t.Fatalf("%d×%d×%d: another result with %d threads", m, n, k, 2+m%4)
	}
}

// TestTile compares every version's micro kernel with the plain one, on every
// size, with segments in any order and outside.
func TestTile(t *testing.T) {
	a := kerneltest.Random(5000)
	for _, v := range cpu.Available() {
		k := &levels[v]
		for _, rows := range tileRows(k) {
			for cols := 1; cols <= k.cols; cols++ {
				for width := kernels.Ceil(cols, 8) * 8; width <= k.cols; width += 8 {
					for _, segLen := range []int{1, 2, 7, 17} {
						testTile(t, k, rows, cols, width, segLen, a)
					}
				}
			}
		}
	}
}

// tileRows lists numbers of rows that the micro kernel takes: all that a tile has
// and, where it can, more.
func tileRows(k *kernel) (list []int) {
	for n := 1; n <= k.rows; n++ {
		list = append(list, n)
	}
	if k.anyRows {
		list = append(list, 13, 24, 31)
	}
	return list
}

func testTile(t *testing.T, k *kernel, rows, cols, width, segLen int, a []float32) {
	t.Helper()
	const segs = 3
	off := make([]int, kernels.Ceil(rows, k.rows)*segs*k.rows)
	for i := range off {
		if off[i] = rand.IntN(len(a) - segLen - 200); i%5 == 0 {
			off[i] = kernels.Outside
		}
	}
	step := 0
	if rows > k.rows && rand.IntN(2) == 0 {
		step = 1 + rand.IntN(100)
		for i := range off {
			off[i] = off[i%(segs*k.rows)] + i/(segs*k.rows)*step
		}
	}
	ldc, ldd := cols+rand.IntN(5), cols+rand.IntN(5)
	x := tile{
		rows: rows, cols: cols, width: width, segs: segs, segLen: segLen,
		a: a, off: off, step: step, zero: zeros[:], b: kerneltest.Random(segs * segLen * (width + 2)), ldb: width + 2,
		ldc: ldc, ldd: ldd,
	}
	if rand.IntN(2) == 0 {
		x.d = kerneltest.Random(rows * ldd)
		x.d[0] = float32(math.NaN())
	}
	if rand.IntN(2) == 0 {
		x.bias = kerneltest.Random(cols)
	}
	if rand.IntN(2) == 0 {
		x.clamp, x.lo, x.hi = true, -0.1, 0.3
	}
	c := kerneltest.Random(rows * ldc)
	x.c = slices.Clone(c)
	k.run(&x)
	for i := range c {
		r, j := i/ldc, i%ldc
		want, size := float64(c[i]), 0.
		if j < cols {
			want = 0
			for s := range segs {
				for l := range segLen {
					if o := off[(r/k.rows*segs+s)*k.rows+r%k.rows]; o >= 0 {
						p := float64(a[o+l]) * float64(x.b[(s*segLen+l)*x.ldb+j])
						want += p
						size += math.Abs(p)
					}
				}
			}
			if x.bias != nil {
				want += float64(x.bias[j])
			}
			if x.d != nil {
				want += float64(x.d[r*ldd+j])
			}
			if x.clamp {
				want = min(max(want, float64(x.lo)), float64(x.hi))
			}
		}
		got := x.c[i]
		if math.IsNaN(want) && got != got {
			continue
		}
		if !kerneltest.Near(got, want, size+2) {
			t.Fatalf("%d×%d, segments of %d: [%d,%d] is %v, want %v", rows, cols, segLen, r, j, got, want)
		}
	}
}

func TestMulEpilogue(t *testing.T) {
	acts := []struct {
		act         vmath.Activation
		alpha, beta float32
		f           func(float64) float64
	}{
		{vmath.ActNone, 0, 0, func(x float64) float64 { return x }},
		{vmath.ActReLU, 0, 0, func(x float64) float64 { return max(x, 0) }},
		{vmath.ActClip, -0.5, 0.7, func(x float64) float64 { return min(max(x, -0.5), 0.7) }},
		{vmath.ActLeakyReLU, 0.1, 0, func(x float64) float64 { return max(x, 0) + 0.1*min(x, 0) }},
		{vmath.ActSigmoid, 0, 0, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		{vmath.ActSiLU, 0, 0, func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
		{vmath.ActHardSigmoid, 0.2, 0.5, func(x float64) float64 { return min(max(0.2*x+0.5, 0), 1) }},
		{vmath.ActHardSwish, 0, 0, func(x float64) float64 { return x * min(max(x/6+0.5, 0), 1) }},
		{vmath.ActTanh, 0, 0, math.Tanh},
		{vmath.ActGELU, 0, 0, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }},
	}
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, x := range acts {
			for mode := range 4 {
				m, n, k := 1+rand.IntN(30), 1+rand.IntN(70), 1+rand.IntN(600)
				a, b := kerneltest.Random(m*k), kerneltest.Random(k*n)
				ep := &kernels.Epilogue{Act: x.act, Alpha: x.alpha, Beta: x.beta}
				ldc := n + 2
				if mode&1 != 0 {
					ep.Bias = kerneltest.Random(n)
				}
				if mode&2 != 0 {
					ep.Residual, ep.LdRes = kerneltest.Random(m*(n+1)), n+1
				}
				c := make([]float32, m*ldc)
				PackB(false, k, n, b, n).Mul(m, a, k, c, ldc, ep, workers.Threads(2))
				for i := range m {
					for j := range n {
						want, size := naive(false, false, k, a, k, b, n, i, j)
						if ep.Bias != nil {
							want += float64(ep.Bias[j])
						}
						if ep.Residual != nil {
							want += float64(ep.Residual[i*(n+1)+j])
						}
						want = x.f(want)
						if got := c[i*ldc+j]; !kerneltest.Near(got, want, size+2+math.Abs(want)) {
							t.Fatalf("activation %d mode %d %d×%d×%d: [%d,%d] is %v, want %v", x.act, mode, m, n, k, i, j, got, want)
						}
					}
				}
			}
		}
	})
}

func TestChecks(t *testing.T) {
	x := make([]float32, 12)
	for name, f := range map[string]func(){
		"short A":    func() { Mul(false, false, 4, 3, 4, x, 4, x, 3, false, x, 3, nil) },
		"short B":    func() { Mul(false, true, 3, 4, 4, x, 4, x, 4, false, x, 4, nil) },
		"narrow ldc": func() { Mul(false, false, 3, 4, 3, x, 3, x, 4, false, x, 3, nil) },
		"geometry": func() {
			PackB(false, 1, 3, x, 3).Conv(&kernels.Conv{H: -1, W: -1, C: 1, KH: 1, KW: 1, OH: 1, OW: 1}, 1, x, x, 3, nil, nil)
		},
		"negative": func() { PackB(false, -1, 3, x, 3) },
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

func ExamplePackedB_Mul() {
	weights := PackB(true, 2, 3, []float32{1, 0, 0, 1, 1, 1}, 2) // three outputs of two inputs
	c := make([]float32, 3)
	weights.Mul(1, []float32{2, -5}, 2, c, 3, &kernels.Epilogue{Act: vmath.ActReLU, Bias: []float32{0, 1, 0}}, nil)
	fmt.Println(c)
	// Output: [2 0 0]
}

func TestMulScaled(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for m := range 30 {
			n, k := 1+rand.IntN(70), rand.IntN(40)
			a, b, scale := kerneltest.Random(m*k), kerneltest.Random(k*n), kerneltest.Random(k)
			p := PackB(false, k, n, b, n)
			ep := &kernels.Epilogue{Bias: kerneltest.Random(n), Act: vmath.ActReLU}
			c, d := kerneltest.Random(m*n), kerneltest.Random(m*n)
			p.MulScaled(m, a, k, scale, c, n, ep, nil)
			for i := range b {
				b[i] *= scale[i/n]
			}
			PackB(false, k, n, b, n).Mul(m, a, k, d, n, ep, nil)
			if !slices.Equal(c, d) {
				t.Fatalf("%d×%d×%d: another product", m, n, k)
			}
			p.MulScaled(m, a, k, scale, d, n, ep, workers.Threads(3))
			if !slices.Equal(c, d) {
				t.Fatalf("%d×%d×%d: another product with 3 threads", m, n, k)
			}
		}
	})
}
