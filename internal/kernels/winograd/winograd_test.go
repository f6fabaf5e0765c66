package winograd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// directFilters puts filters [n][c][3][3] as PackB takes them for Conv: [3·3·c][n].
func directFilters(c, n int, w []float32) []float32 {
	m := make([]float32, len(w))
	for o := range n {
		for i := range c {
			for t := range taps {
				m[(t*c+i)*n+o] = w[(o*c+i)*taps+t]
			}
		}
	}
	return m
}

// TestWinograd compares with the definition over all edges of tiles.
func TestWinograd(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 3
	}
	kerneltest.EachLevel(t, func(t *testing.T) {
		for h := 1; h <= 10; h++ {
			for w := 1 + h%step; w <= 13; w += step {
				testWinograd(t, h, w)
			}
		}
		for range 30 {
			testWinograd(t, 1+rand.IntN(40), 1+rand.IntN(40))
		}
	})
}

func testWinograd(t *testing.T, h, w int) {
	t.Helper()
	g := kernels.Conv{H: h, W: w, C: 1 + rand.IntN(40), KH: 3, KW: 3, PadTop: rand.IntN(3), PadLeft: rand.IntN(3)}
	g.OH = max(1, h+g.PadTop+rand.IntN(3)-2)
	g.OW = max(1, w+g.PadLeft+rand.IntN(3)-2)
	if rand.IntN(8) == 0 {
		g.C += 250
	}
	g.Ld = g.C + rand.IntN(2)*rand.IntN(20)
	n := 1 + rand.IntN(100)
	batch := 1 + rand.IntN(3)
	x, f := kerneltest.Random(batch*h*w*g.Ld), kerneltest.Random(n*g.C*9)
	scale := kerneltest.Random(n)
	ldy := n + rand.IntN(3)
	start := kerneltest.Random(batch * g.OH * g.OW * ldy)
	ep := kernels.Epilogue{Act: []vmath.Activation{vmath.ActNone, vmath.ActReLU, vmath.ActClip, vmath.ActSiLU}[rand.IntN(4)], Alpha: -1, Beta: 2}
	if rand.IntN(2) == 0 {
		ep.Bias = kerneltest.Random(n)
	}
	mode := rand.IntN(4)
	if mode == 1 || mode == 2 {
		ep.LdRes = n + 2
		ep.Residual = kerneltest.Random(batch * g.OH * g.OW * ep.LdRes)
	}
	run := func(f func(y []float32, ep *kernels.Epilogue)) []float32 {
		y, e := slices.Clone(start), ep
		if mode == 3 { // in place
			e.Residual, e.LdRes = y, ldy
		}
		f(y, &e)
		return y
	}
	p := packWinograd(2+2*rand.IntN(2), g.C, n, f, scale)
	y := run(func(y []float32, ep *kernels.Epilogue) { p.Conv(&g, batch, x, y, ldy, ep, nil) })
	z := run(func(y []float32, ep *kernels.Epilogue) {
		p.Conv(&g, batch, x, y, ldy, ep, workers.Threads(2+rand.IntN(3)))
	})
	if !slices.Equal(y, z) {
		t.Fatalf("%+v: another result with threads", g)
	}
	for i := range f {
		f[i] *= scale[i/(9*g.C)]
	}
	d := matmul.PackB(false, 9*g.C, n, directFilters(g.C, n, f), n)
	want := run(func(y []float32, ep *kernels.Epilogue) { d.Conv(&g, batch, x, y, ldy, ep, nil) })
	for i, v := range want {
		if math.Abs(float64(y[i]-v)) > 2e-5*math.Sqrt(float64(g.C)) || i%ldy >= n && y[i] != start[i] {
			t.Fatalf("%+v, %d channels out, %+v: pixel %d channel %d is %v, want %v", g, n, ep.Act, i/ldy, i%ldy, y[i], v)
		}
	}
}

// TestWinogradError holds the error against float64 at most twice that of direct
// convolution, for layers as they are: normal filters, rectified pictures.
func TestWinogradError(t *testing.T) {
	const h, c, n = 20, 128, 32
	g := kernels.Conv{H: h, W: h, C: c, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: h, OW: h}
	rng := rand.New(rand.NewPCG(1, 2))
	x, f := make([]float32, h*h*c), make([]float32, n*c*9)
	for i := range x {
		x[i] = max(0, float32(rng.NormFloat64()))
	}
	for i := range f {
		f[i] = float32(rng.NormFloat64()) / 24
	}
	m := directFilters(c, n, f)
	exact := make([]float64, h*h*n)
	for i := range exact {
		exact[i], _ = kerneltest.ConvAt(&kernels.Conv{H: h, W: h, C: c, Ld: c, KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilH: 1, DilW: 1, PadTop: 1, PadLeft: 1, OH: h, OW: h}, x, m, n, i/n, i%n)
	}
	kerneltest.EachLevel(t, func(t *testing.T) {
		y := make([]float32, h*h*n)
		rms := func() (e, largest float64) {
			size := 0.
			for i, v := range exact {
				d := float64(y[i]) - v
				e += d * d
				size += v * v
				largest = max(largest, math.Abs(d))
			}
			return math.Sqrt(e / size), largest / math.Sqrt(size/float64(len(exact)))
		}
		matmul.PackB(false, 9*c, n, m, n).Conv(&g, 1, x, y, n, nil, nil)
		direct, directMax := rms()
		for _, rows := range []int{4, 2} {
			packWinograd(rows, c, n, f, nil).Conv(&g, 1, x, y, n, nil, nil)
			wino, winoMax := rms()
			t.Logf("%d rows: relative error %.2g, at most %.2g; direct %.2g, at most %.2g", rows, wino, winoMax, direct, directMax)
			if wino > 6*direct || winoMax > 1e-5 {
				t.Errorf("%d rows: relative error %.2g, at most %.2g; direct %.2g, at most %.2g", rows, wino, winoMax, direct, directMax)
			}
		}
	})
}

// packWinograd transforms all filters of w at once; a nil scale stands for ones.
func packWinograd(rows, c, n int, w, scale []float32) *Filters {
	if scale == nil {
		scale = slices.Repeat([]float32{1}, n)
	}
	p := New(rows, c, n)
	p.SetMemory(make([]float32, p.Size()))
	p.SetFilters(0, w, scale)
	return p
}

// Filters that are transformed some at a time are the same.
func TestWinogradSetFilters(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for _, n := range []int{1, 8, 31, 33, 100} {
			for _, c := range []int{0, 1, 40} {
				w, scale := kerneltest.Random(n*c*9), kerneltest.Random(n)
				rows := 2 + 2*(n%2)
				want := packWinograd(rows, c, n, w, scale)
				got := New(rows, c, n)
				got.SetMemory(make([]float32, got.Size()))
				for j := 0; j < n; j += got.PanelWidth() {
					end := min(j+got.PanelWidth(), n)
					got.SetFilters(j, w[j*c*9:end*c*9], scale[j:end])
				}
				if !slices.EqualFunc(panels(got), panels(want), slices.Equal) {
					t.Fatalf("%d filters of %d channels differ", n, c)
				}
			}
		}
	})
}

// panels returns the transformed filters.
func panels(f *Filters) (p [][]float32) {
	for i := range f.u.Panels() {
		p = append(p, f.u.PanelData(i))
	}
	return p
}
