package vmath_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/onetomany/caption/internal/kernels/vmath"

	"github.com/onetomany/caption/internal/kernels/kerneltest"
)

// arguments covers the range of float32 where functions change, both zeros,
// tiny values and the specials.
func arguments() []float32 {
	x := []float32{0, float32(math.Copysign(0, -1)), 1e-45, -1e-45, 1e-38, -1e-38, 1e-20, 1e38, -1e38}
	for v := float32(-110); v < 110; v += 0.00513 {
		x = append(x, v)
	}
	for v := float32(1e-6); v < 10; v *= 1.0001 {
		x = append(x, v, -v)
	}
	return x
}

func TestUnary(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	hard := func(x float64) float64 { return min(max(x/6+0.5, 0), 1) }
	relative := func(x, y float64) float64 { return max(math.Abs(y), 1.2e-38) }
	cases := []struct {
		name      string
		f         func(dst, src []float32)
		want      func(x float64) float64
		tolerance float64
		unit      func(x, y float64) float64 // what the tolerance is of
	}{
		{"Exp", Exp, math.Exp, 2e-7, relative},
		{"Tanh", Tanh, math.Tanh, 3e-7, relative},
		{"Sigmoid", Sigmoid, sigmoid, 2e-7, func(x, y float64) float64 { return max(math.Abs(y), 1e-30) }},
		{"SiLU", func(d, s []float32) { ActSiLU.Apply(d, s, 0, 0) }, func(x float64) float64 { return x * sigmoid(x) }, 3e-7, func(x, y float64) float64 { return max(math.Abs(y), 1e-29) }},
		{"Erf", Erf, math.Erf, 5e-7, relative},
		{"GELU", func(d, s []float32) { ActGELU.Apply(d, s, 0, 0) }, func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }, 3e-7, func(x, y float64) float64 { return max(math.Abs(x), 1e-37) }},
		{"HardSwish", func(d, s []float32) { ActHardSwish.Apply(d, s, 0, 0) }, func(x float64) float64 { return x * hard(x) }, 2e-7, func(x, y float64) float64 { return max(math.Abs(x), 1e-37) }},
		{"HardSigmoid", func(d, s []float32) { ActHardSigmoid.Apply(d, s, 1./6, 0.5) }, hard, 2e-7, func(x, y float64) float64 { return 1 }},
		{"LeakyReLU", func(d, s []float32) { ActLeakyReLU.Apply(d, s, 0.01, 0) }, func(x float64) float64 { return max(x, 0) + 0.01*min(x, 0) }, 2e-7, relative},
		{"ReLU", func(d, s []float32) { ActReLU.Apply(d, s, 0, 0) }, func(x float64) float64 { return max(x, 0) }, 0, relative},
		{"Clip", func(d, s []float32) { ActClip.Apply(d, s, -1, 6) }, func(x float64) float64 { return min(max(x, -1), 6) }, 0, relative},
		{"None", func(d, s []float32) { ActNone.Apply(d, s, 0, 0) }, func(x float64) float64 { return x }, 0, relative},
		{"Scale", func(d, s []float32) { Scale(d, 0.3, s) }, func(x float64) float64 { return x * float64(float32(0.3)) }, 1e-7, relative},
	}
	src := arguments()
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, c := range cases {
			dst := make([]float32, len(src))
			c.f(dst, src)
			worst, at := 0., float32(0)
			for i, x := range src {
				y := c.want(float64(x))
				got := float64(dst[i])
				if float64(float32(y)) == got || math.Abs(y) > math.MaxFloat32 && math.IsInf(got, int(y)) {
					continue
				}
				if e := math.Abs(got-y) / c.unit(float64(x), y); e > worst || e != e {
					worst, at = e, x
				}
			}
			t.Logf("%s: error %.2g at %v", c.name, worst, at)
			if !(worst <= c.tolerance) {
				t.Errorf("%s(%v): error %.3g, more than %.1g", c.name, at, worst, c.tolerance)
			}
			testPlaces(t, c.name, c.f)
		}
	})
}

// testPlaces checks that values do not depend on their place, that nothing
// beyond dst is written, and that dst may be src.
func testPlaces(t *testing.T, name string, f func(dst, src []float32)) {
	t.Helper()
	src := kerneltest.Random(40)
	whole := make([]float32, 40)
	f(whole, src)
	for n := range 34 {
		part := kerneltest.Random(40)
		last := part[n]
		f(part[:n], src[3:])
		for i := range n {
			if part[i] != whole[3+i] {
				t.Fatalf("%s: value %d of %d is %v, in another place %v", name, i, n, part[i], whole[3+i])
			}
		}
		if part[n] != last {
			t.Fatalf("%s: wrote beyond %d values", name, n)
		}
	}
	f(src, src)
	for i := range src {
		if src[i] != whole[i] {
			t.Fatalf("%s in place: value %d is %v, want %v", name, i, src[i], whole[i])
		}
	}
}

func TestSpecials(t *testing.T) {
	nan, neg := float32(math.NaN()), -Inf
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, c := range []struct {
			name     string
			f        func(dst, src []float32)
			low, top float32 // at −Inf and +Inf
		}{
			{"Exp", Exp, 0, Inf},
			{"Tanh", Tanh, -1, 1},
			{"Sigmoid", Sigmoid, 0, 1},
			{"SiLU", func(d, s []float32) { ActSiLU.Apply(d, s, 0, 0) }, nan, Inf},
			{"Erf", Erf, -1, 1},
			{"GELU", func(d, s []float32) { ActGELU.Apply(d, s, 0, 0) }, nan, Inf},
			{"ReLU", func(d, s []float32) { ActReLU.Apply(d, s, 0, 0) }, 0, Inf},
			{"LeakyReLU", func(d, s []float32) { ActLeakyReLU.Apply(d, s, 0.1, 0) }, neg, Inf},
			{"HardSigmoid", func(d, s []float32) { ActHardSigmoid.Apply(d, s, 0.2, 0.5) }, 0, 1},
		} {
			for n := 1; n <= 9; n += 4 { // whole vectors and what is left over
				x := make([]float32, 3*n)
				for i := range n {
					x[i], x[n+i], x[2*n+i] = nan, neg, Inf
				}
				c.f(x, x)
				for i, v := range x {
					want := [3]float32{nan, c.low, c.top}[i/n]
					if v != want && (v == v || want == want) {
						t.Errorf("%s of special %d is %v, want %v", c.name, i/n, v, want)
					}
				}
			}
		}
		for n := 1; n < 40; n++ {
			x := kerneltest.Random(n)
			x[rand.IntN(n)] = nan
			if m := Max(x); m == m {
				t.Errorf("Max of %d values with a NaN is %v", n, m)
			}
			x = kerneltest.Random(n)
			i := rand.IntN(n)
			x[i] = 3
			if m := Max(x); m != 3 {
				t.Errorf("Max of %d values is %v, want 3", n, m)
			}
		}
		if Max(nil) != neg || Sum(nil) != 0 {
			t.Error("wrong results for no values")
		}
	})
}

func TestBinaryAndSums(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for n := range 100 {
			a, b, c := kerneltest.Random(n), kerneltest.Random(n+3), kerneltest.Random(n)
			check := func(name string, got float32, want, size float64) {
				t.Helper()
				if !kerneltest.Near(got, want, size) {
					t.Fatalf("%s of %d values: %v, want %v", name, n, got, want)
				}
			}
			add, sub, mul := make([]float32, n), make([]float32, n), make([]float32, n)
			mulAdd, axpy := append([]float32(nil), c...), append([]float32(nil), c...)
			Add(add, a, b)
			Sub(sub, a, b)
			Mul(mul, a, b)
			MulAdd(mulAdd, a, b)
			Axpy(axpy, 0.7, a)
			var product, sum, exps, size float64
			for i := range n {
				x, y, z := float64(a[i]), float64(b[i]), float64(c[i])
				check("Add", add[i], x+y, 1)
				check("Sub", sub[i], x-y, 1)
				check("Mul", mul[i], x*y, 0)
				check("MulAdd", mulAdd[i], z+x*y, 1)
				check("Axpy", axpy[i], z+0.7*x, 1)
				product += x * y
				sum += x
				exps += math.Exp(x)
				size += math.Abs(x)
			}
			check("dot", Dot(a, b), product, size)
			check("Sum", Sum(a), sum, size)
			rows := kerneltest.Random(4*n + 9)
			for i, got := range Dot4(a, rows, n+3) {
				want := 0.
				for l, x := range a {
					want += float64(x) * float64(rows[i*(n+3)+l])
				}
				check("dot4", got, want, size)
			}
			if n == 0 {
				continue
			}
			LogSoftmax(add, a)
			Softmax(mul, a)
			for i := range n {
				check("LogSoftmax", add[i], float64(a[i])-math.Log(exps), 1+math.Log(exps))
				check("Softmax", mul[i], math.Exp(float64(a[i]))/exps, 1)
			}
		}
	})
}

func TestSoftmaxRange(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		// Values far from 0, and words ruled out.
		x := []float32{1000, 1001, -Inf, 999, -Inf, 1000, 1000, 1000, 1000, 1000, -Inf}
		var y [11]float32
		LogSoftmax(y[:], x)
		s := 0.
		for i, v := range y {
			if (x[i] == -Inf) != (v == -Inf) {
				t.Errorf("value %d: %v of %v", i, v, x[i])
			}
			s += math.Exp(float64(v))
		}
		if math.Abs(s-1) > 1e-6 {
			t.Errorf("probabilities add up to %v", s)
		}
		Softmax(y[:], x)
		if s := Sum(y[:]); math.Abs(float64(s)-1) > 1e-6 || y[2] != 0 {
			t.Errorf("%v", y)
		}
	})
}

func TestAffine(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for c := 1; c < 40; c++ {
			for rows := range 4 {
				n := rows * c
				x, scale, shift := kerneltest.Random(n+2), kerneltest.Random(c), kerneltest.Random(c)
				y := kerneltest.Random(n + 1)
				last := y[n]
				lo, hi := -Inf, Inf
				if c%3 == 0 {
					lo, hi = -0.2, 0.4
				}
				if c%4 == 0 {
					shift = nil
				}
				Affine(y[:n], x, scale, shift, lo, hi)
				for i, got := range y[:n] {
					want := float64(x[i]) * float64(scale[i%c])
					if shift != nil {
						want = min(max(want+float64(shift[i%c]), float64(lo)), float64(hi))
					}
					if !kerneltest.Near(got, want, 2) {
						t.Fatalf("%d rows of %d: value %d is %v, want %v", rows, c, i, got, want)
					}
				}
				if y[n] != last {
					t.Fatalf("%d rows of %d: wrote beyond", rows, c)
				}
				Affine(x[:n], x, scale, shift, lo, hi)
				for i := range n {
					if x[i] != y[i] {
						t.Fatalf("%d rows of %d, in place: value %d is %v, want %v", rows, c, i, x[i], y[i])
					}
				}
			}
		}
	})
}

func TestNormalise(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, n := range []int{1, 7, 8, 9, 40, 768, 2000} {
			for _, offset := range []float32{0, 100} {
				x, scale, shift := kerneltest.Random(n), kerneltest.Random(n), kerneltest.Random(n)
				for i := range x {
					x[i] += offset
				}
				if n%2 == 0 {
					shift = nil
				}
				var mean, variance float64
				for _, v := range x {
					mean += float64(v) / float64(n)
				}
				for _, v := range x {
					variance += (float64(v) - mean) * (float64(v) - mean) / float64(n)
				}
				y := make([]float32, n)
				Normalise(y, x, scale, shift, 1e-3)
				for i, got := range y {
					want := (float64(x[i]) - mean) / math.Sqrt(variance+1e-3) * float64(scale[i])
					if shift != nil {
						want += float64(shift[i])
					}
					if math.Abs(float64(got)-want) > 3e-6+2e-6*float64(offset) {
						t.Fatalf("%d values about %v: value %d is %v, want %v", n, offset, i, got, want)
					}
				}
			}
		}
	})
}
