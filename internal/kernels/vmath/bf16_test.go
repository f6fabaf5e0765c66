package vmath_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/onetomany/caption/internal/kernels/vmath"

	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// bf16Values are pairs of a float32 and the BF16 that it becomes. They agree
// with PyTorch's x.bfloat16(), but for the subnormal numbers, which processors
// make zeros.
var bf16Values = []struct {
	f uint32
	b vmath.BF16
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
	kerneltest.EachUnit(t, func(t *testing.T) {
		for n := range 100 {
			x, want := make([]float32, n), make([]vmath.BF16, n)
			for i := range x {
				v := bf16Values[rand.IntN(len(bf16Values))]
				if x[i], want[i] = math.Float32frombits(v.f), v.b; rand.IntN(2) == 0 {
					x[i] = math.Float32frombits(rand.Uint32())
					want[i] = RoundBF16(x[i])
				}
			}
			got := make([]vmath.BF16, n+1)
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

func TestVectorsBF16(t *testing.T) {
	kerneltest.EachUnit(t, func(t *testing.T) {
		for n := range 70 {
			a, b := kerneltest.RandomBF16(n), kerneltest.RandomBF16(n)
			check := func(name string, i int, got BF16, want float64) {
				t.Helper()
				if !kerneltest.NearBF16(got, want, 0) {
					t.Fatalf("%s: %d of %d is %v, want %v", name, i, n, got.Float32(), want)
				}
			}
			add, mul, silu := make([]BF16, n), make([]BF16, n), make([]BF16, n)
			AddBF16(add, a, b)
			MulBF16(mul, a, b)
			ActSiLU.ApplyBF16(silu, a, 0, 0)
			for i := range n {
				x, y := float64(a[i].Float32()), float64(b[i].Float32())
				check("Add", i, add[i], x+y)
				check("Mul", i, mul[i], x*y)
				check("SiLU", i, silu[i], x/(1+math.Exp(-x)))
			}
		}
	})
}
