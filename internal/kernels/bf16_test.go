package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// eachUnit runs f with every unit for BF16 that this processor has, and with
// several threads also where that is not worth while. AMX is among them wherever
// there are the instructions that go with it: what surrounds its micro kernel
// is tested with the plain version of that.
func eachUnit(t *testing.T, f func(t *testing.T)) {
	defer func(u unit, g int) { activeUnit, grain = u, g }(activeUnit, grain)
	grain = 1
	units := []string{"plain"}
	if bestUnit() != plain {
		units = []string{"plain", "avx512_bf16", "amx"}
	}
	for u, name := range units {
		activeUnit = unit(u)
		t.Run(name, f)
	}
}

func randomBF16(n int) []BF16 {
	x := make([]BF16, n)
	ToBF16(x, random(n))
	return x
}

// wide gives x as float32.
func wide(x []BF16) []float32 {
	y := make([]float32, len(x))
	FromBF16(y, x)
	return y
}

// nearBF16 reports whether got is want, a sum of terms of the given size,
// rounded to BF16 once.
func nearBF16(got BF16, want, size float64) bool {
	return math.Abs(float64(got.Float32())-want) <= math.Abs(want)/256+1e-6*size+1e-7
}

// bf16Values are pairs of a float32 and the BF16 that it becomes. They agree
// with PyTorch's x.bfloat16(), but for the subnormal numbers, which processors
// make zeros.
var bf16Values = []struct {
	f uint32
	b BF16
}{
	{0x00000000, 0x0000},
	{0x80000000, 0x8000},
	{0x3f800000, 0x3f80}, // 1
	{0x3f807fff, 0x3f80},
	{0x3f808000, 0x3f80}, // tie, down to even
	{0x3f808001, 0x3f81},
	{0x3f818000, 0x3f82}, // tie, up to even
	{0xbf818000, 0xbf82},
	{0x3fffffff, 0x4000}, // carries into the exponent
	{0x7f7f7fff, 0x7f7f}, // largest
	{0x7f7f8000, 0x7f80}, // tie, to infinity
	{0x7f7fffff, 0x7f80},
	{0xff7fffff, 0xff80},
	{0x7f800000, 0x7f80}, // infinity
	{0xff800000, 0xff80},
	{0x00800000, 0x0080}, // smallest that is normal
	{0x80808000, 0x8080},
	{0x007fffff, 0x0000}, // subnormal
	{0x807fffff, 0x8000},
	{0x00000001, 0x0000},
	{0x7fc00000, 0x7fc0}, // NaN
	{0xffc12345, 0xffc1},
	{0x7f800001, 0x7fc0}, // NaN that signals
	{0x7fffffff, 0x7fff},
}

func TestToBF16(t *testing.T) {
	eachUnit(t, func(t *testing.T) {
		for n := range 100 {
			x, want := make([]float32, n), make([]BF16, n)
			for i := range x {
				v := bf16Values[rand.IntN(len(bf16Values))]
				if x[i], want[i] = math.Float32frombits(v.f), v.b; rand.IntN(2) == 0 {
					x[i] = math.Float32frombits(rand.Uint32())
					want[i] = RoundBF16(x[i])
				}
			}
			got := make([]BF16, n+1)
			ToBF16(got[:n], x)
			for i, w := range want {
				if got[i] != w {
					t.Fatalf("%d of %d: %08x is %04x, want %04x", i, n, math.Float32bits(x[i]), got[i], w)
				}
			}
			if got[n] != 0 {
				t.Fatalf("wrote beyond %d values", n)
			}
			back := make([]float32, n+1)
			FromBF16(back[:n], want)
			for i, w := range want {
				if math.Float32bits(back[i]) != uint32(w)<<16 {
					t.Fatalf("%d of %d: %04x is %08x", i, n, w, math.Float32bits(back[i]))
				}
			}
			if back[n] != 0 {
				t.Fatalf("wrote beyond %d values", n)
			}
		}
	})
	for _, v := range bf16Values {
		if got := RoundBF16(math.Float32frombits(v.f)); got != v.b {
			t.Errorf("%08x is %04x, want %04x", v.f, got, v.b)
		}
	}
}

func TestChooseUnit(t *testing.T) {
	for _, x := range []struct {
		name string
		v    isa
		best unit
		want unit
	}{
		{"", avx512, amx, amx}, {"", avx512, avx512BF16, avx512BF16}, {"", avx512, plain, plain},
		{"avx512", avx512, amx, avx512BF16}, {"avx512", avx512, plain, plain},
		{"avx2", avx2, amx, plain}, {"generic", generic, avx512BF16, plain},
	} {
		if got := chooseUnit(x.name, x.v, x.best); got != x.want {
			t.Errorf("CAPTION_CPU=%s with %d: %d, want %d", x.name, x.best, got, x.want)
		}
	}
}

// TestTileBF16 compares every unit's micro kernel with the definition, on every
// size, with segments in any order and outside.
func TestTileBF16(t *testing.T) {
	a := randomBF16(20000)
	eachUnit(t, func(t *testing.T) {
		u := activeUnit
		var heights []int
		for rows := 1; rows <= u.rows(); rows++ {
			heights = append(heights, rows)
		}
		switch u {
		case avx512BF16:
			heights = append(heights, 13, 24, 25, 35, 60)
		case amx:
			heights = []int{1, 2, 15, 16, 17, 31, 32, 33, 48, 49, 64, 70}
		}
		for _, rows := range heights {
			for cols := 1; cols <= u.cols(); cols++ {
				for _, pairs := range []int{1, 2, 17} {
					testTileBF16(t, u, rows, cols, pairs, a)
				}
			}
		}
	})
}

func testTileBF16(t *testing.T, u unit, rows, cols, pairs int, a []BF16) {
	t.Helper()
	width := u.cols()
	if cols <= width/2 {
		width /= 2
	}
	segs, lda, h := 3, 0, u.rows()
	if u == amx {
		// One segment, rows as far apart as they happen to be.
		segs, pairs, h = 1, min(pairs, 4)*u.depth()/2, rows
		lda = 2*pairs + rand.IntN(5)
	}
	off := make([]int, ceil(rows, h)*segs*h)
	for i := range off {
		if off[i] = rand.IntN(len(a) - 2*pairs); i%5 == 0 {
			off[i] = outside
		}
	}
	if u == amx {
		for r := range off {
			off[r] = 100 + r*lda
		}
	}
	ldc, ldd := cols+rand.IntN(5), cols+rand.IntN(5)
	x := tileBF16{
		rows: rows, cols: cols, width: width, segs: segs, pairs: pairs,
		a: a, off: off, zero: make([]BF16, 2*pairs), b: randomBF16(segs * pairs * 2 * width),
		ldc: ldc, ldd: ldd, lda: lda, sum: make([]float32, 32*32),
	}
	if rand.IntN(2) == 0 {
		x.d = randomBF16(rows * ldd)
		x.d[0] = 0x7fc0
	}
	if rand.IntN(2) == 0 {
		x.bias = random(cols)
	}
	if rand.IntN(2) == 0 {
		x.clamp, x.lo, x.hi = true, -0.1, 0.3
	}
	c := randomBF16(rows * ldc)
	if rand.IntN(3) == 0 {
		x.f = wide(c)
	} else {
		x.c = slices.Clone(c)
	}
	x.run(u)
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
			if got := x.f[i]; !near(got, want, size+2) && !(math.IsNaN(want) && got != got) {
				t.Fatalf("%d×%d, segments of %d pairs: float32 [%d,%d] is %v, want %v", rows, cols, pairs, r, j, got, want)
			}
		} else if got := x.c[i]; !nearBF16(got, want, size+2) && !(math.IsNaN(want) && got.Float32() != got.Float32()) {
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
	acts := []Activation{ActNone, ActReLU, ActClip, ActSiLU}
	fs := []func(float64) float64{
		func(x float64) float64 { return x },
		func(x float64) float64 { return max(x, 0) },
		func(x float64) float64 { return min(max(x, -0.5), 0.7) },
		func(x float64) float64 { return x / (1 + math.Exp(-x)) },
	}
	eachUnit(t, func(t *testing.T) {
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
			a, b := randomBF16(m*lda), wide(randomBF16(max(k, n)*ldb))
			mode := rand.IntN(16)
			ep := &EpilogueBF16{Act: acts[mode%4], Lo: -0.5, Hi: 0.7}
			if mode&4 != 0 {
				ep.Bias = random(n)
			}
			if mode&8 != 0 {
				ep.Residual, ep.LdRes = randomBF16(m*(n+1)), n+1
			}
			start := randomBF16(m * ldc)
			x := wide(a)
			p := PackBF16(transB, k, n, b, ldb)
			c, c2, f, f2 := slices.Clone(start), slices.Clone(start), wide(start), wide(start)
			p.Mul(m, a, lda, c, ldc, ep, nil)
			p.Mul(m, a, lda, c2, ldc, ep, Threads(2+m%4))
			p.MulFloat32(m, a, lda, f, ldc, ep, nil)
			p.MulFloat32(m, a, lda, f2, ldc, ep, Threads(2+m%4))
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
					if !nearBF16(got, want, size+2) || !near(got32, want, size+2) {
						t.Fatalf("mode %d %d×%d×%d: [%d,%d] is %v and %v, want %v", mode, m, n, k, i, j, got.Float32(), got32, want)
					}
				}
			}
		}
	})
}
