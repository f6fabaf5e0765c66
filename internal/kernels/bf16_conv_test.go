package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestConvBF16(t *testing.T) {
	eachUnit(t, func(t *testing.T) {
		for i, g := range convCases {
			for _, n := range []int{5, 40, 130} {
				const batch = 2
				q := g.defaults()
				k := q.KH * q.KW * q.C
				x, w, bias := randomBF16(batch*q.H*q.W*q.Ld), wide(randomBF16(k*n)), random(n)
				b := PackBF16(false, k, n, w, n)
				ldy := n + rand.IntN(2)
				y, f := make([]BF16, batch*q.OH*q.OW*ldy), make([]float32, batch*q.OH*q.OW*ldy)
				ep := &EpilogueBF16{Bias: bias, Act: ActClip, Lo: -1, Hi: 2}
				b.Conv(&g, batch, x, y, ldy, ep, nil)
				b.ConvFloat32(&g, batch, x, f, ldy, ep, nil)
				x32 := wide(x)
				for p := range batch * q.OH * q.OW {
					for j := 0; j < n; j += 1 + rand.IntN(7) {
						want, size := convAt(&q, x32, w, n, p, j)
						want = min(max(want+float64(bias[j]), -1), 2)
						if got, got32 := y[p*ldy+j], f[p*ldy+j]; !nearBF16(got, want, size+2) || !near(got32, want, size+2) {
							t.Fatalf("case %d, %d channels out: pixel %d channel %d is %v and %v, want %v", i, n, p, j, got.Float32(), got32, want)
						}
					}
				}
				z := make([]BF16, len(y))
				b.Conv(&g, batch, x, z, ldy, ep, Threads(3))
				if !slices.Equal(y, z) {
					t.Fatalf("case %d: another result with 3 threads", i)
				}
			}
		}
	})
}

func eachWindowBF16(t *testing.T, f func(t *testing.T, g Conv, x []BF16, batch, ldy int)) {
	eachUnit(t, func(t *testing.T) {
		for _, g := range windows {
			for _, c := range []int{1, 7, 8, 9, 16, 23, 24, 32, 45, 72} {
				g.C, g.Ld = c, c+rand.IntN(3)
				const batch = 2
				f(t, g.defaults(), randomBF16(batch*g.H*g.W*g.Ld), batch, c+rand.IntN(3))
			}
		}
	})
}

func TestDepthwiseBF16(t *testing.T) {
	mode := 0
	eachWindowBF16(t, func(t *testing.T, g Conv, x []BF16, batch, ldy int) {
		mode++
		checkDepthwise(t, mode, g, x, batch, ldy, randomBF16, g.DepthwiseBF16, nearBF16)
	})
}

func TestPoolBF16(t *testing.T) {
	eachWindowBF16(t, func(t *testing.T, g Conv, x []BF16, batch, ldy int) {
		pixels := batch * g.OH * g.OW
		largest, mean, meanPad := randomBF16(pixels*ldy), randomBF16(pixels*ldy), randomBF16(pixels*ldy)
		before := slices.Clone(largest)
		g.MaxPoolBF16(batch, x, largest, ldy, Threads(2))
		g.AveragePoolBF16(batch, false, x, mean, ldy, Threads(2))
		g.AveragePoolBF16(batch, true, x, meanPad, ldy, nil)
		exact := make([]float32, len(mean))
		g.AveragePoolFloat32(batch, false, x, exact, ldy, Threads(2))
		for i, v := range exact {
			if RoundBF16(v) != mean[i] && i%ldy < g.C {
				t.Fatalf("%+v: value %d is %v, rounded %v", g, i, v, mean[i].Float32())
			}
		}
		for p := range pixels {
			for c := range g.C {
				top, sum, n := math.Inf(-1), 0., 0.
				eachTap(&g, p, c, func(_, at int) {
					v := float64(x[at].Float32())
					top = max(top, v)
					sum += v
					n++
				})
				if got := largest[p*ldy+c]; float64(got.Float32()) != top {
					t.Fatalf("%+v: pixel %d channel %d: largest is %v, want %v", g, p, c, got.Float32(), top)
				}
				if got := mean[p*ldy+c]; !nearBF16(got, sum/max(n, 1), 1) {
					t.Fatalf("%+v: pixel %d channel %d: mean is %v, want %v", g, p, c, got.Float32(), sum/n)
				}
				if got, want := meanPad[p*ldy+c], sum/float64(g.KH*g.KW); !nearBF16(got, want, 1) {
					t.Fatalf("%+v: pixel %d channel %d: mean with pads is %v, want %v", g, p, c, got.Float32(), want)
				}
			}
			for c := g.C; c < ldy; c++ {
				if largest[p*ldy+c] != before[p*ldy+c] {
					t.Fatalf("%+v: wrote beyond the channels", g)
				}
			}
		}
	})
}

func TestVectorsBF16(t *testing.T) {
	eachUnit(t, func(t *testing.T) {
		for n := range 70 {
			a, b := randomBF16(n), randomBF16(n)
			check := func(name string, i int, got BF16, want float64) {
				t.Helper()
				if !nearBF16(got, want, 0) {
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
