package matmul

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// convCases are geometries for convolutions by matrix products.
var convCases = []kernels.Conv{
	{H: 7, W: 7, C: 20, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 7, OW: 7},
	{H: 9, W: 8, C: 3, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1, OH: 5, OW: 4},
	{H: 15, W: 40, C: 3, KH: 7, KW: 7, StrideH: 2, StrideW: 2, PadTop: 3, PadLeft: 3, OH: 8, OW: 20},
	{H: 9, W: 8, C: 3, KH: 3, KW: 2, StrideH: 1, StrideW: 2, PadTop: 0, PadLeft: 1, OH: 8, OW: 5},
	{H: 11, W: 12, C: 17, KH: 3, KW: 3, DilH: 2, DilW: 3, PadTop: 2, PadLeft: 3, OH: 11, OW: 12},
	{H: 11, W: 12, C: 4, KH: 3, KW: 3, DilH: 2, DilW: 3, PadTop: 2, PadLeft: 3, OH: 11, OW: 12},
	{H: 6, W: 6, C: 5, Ld: 12, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 6, OW: 6},
	{H: 6, W: 6, C: 300, Ld: 301, KH: 2, KW: 2, PadLeft: 1, OH: 6, OW: 6},
	{H: 6, W: 6, C: 512, KH: 3, KW: 3, PadTop: 1, PadLeft: 1, OH: 6, OW: 6},
	{H: 6, W: 5, C: 32, KH: 1, KW: 1, StrideH: 2, StrideW: 2, OH: 3, OW: 3},
	{H: 3, W: 300, C: 1, KH: 1, KW: 270, PadLeft: 20, OH: 3, OW: 60},
	{H: 2, W: 2, C: 16, KH: 5, KW: 5, PadTop: 4, PadLeft: 4, OH: 6, OW: 6},
}

func TestConv(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for i, g := range convCases {
			for _, n := range []int{5, 40, 130} {
				const batch = 2
				q := g.Defaults()
				k := q.KH * q.KW * q.C
				x, w, bias := kerneltest.Random(batch*q.H*q.W*q.Ld), kerneltest.Random(k*n), kerneltest.Random(n)
				b := PackB(false, k, n, w, n)
				ldy := n + rand.IntN(2)
				y := make([]float32, batch*q.OH*q.OW*ldy)
				ep := &kernels.Epilogue{Bias: bias, Act: vmath.ActClip, Alpha: -1, Beta: 2}
				b.Conv(&g, batch, x, y, ldy, ep, nil)
				for p := range batch * q.OH * q.OW {
					for j := 0; j < n; j += 1 + rand.IntN(7) {
						want, size := kerneltest.ConvAt(&q, x, w, n, p, j)
						want = min(max(want+float64(bias[j]), -1), 2)
						if got := y[p*ldy+j]; !kerneltest.Near(got, want, size+2) {
							t.Fatalf("case %d, %d channels out: pixel %d channel %d is %v, want %v", i, n, p, j, got, want)
						}
					}
				}
				z := make([]float32, len(y))
				b.Conv(&g, batch, x, z, ldy, ep, workers.Threads(3))
				if !slices.Equal(y, z) {
					t.Fatalf("case %d: another result with 3 threads", i)
				}
			}
		}
	})
}

// TestConvGroups compares with a convolution of each group alone.
func TestConvGroups(t *testing.T) {
	kerneltest.EachLevel(t, func(t *testing.T) {
		for i, g := range convCases {
			if g.C > 40 {
				continue
			}
			for _, n := range []int{1, 8, 13, 40} {
				const batch, groups = 2, 5
				q := g.Defaults()
				q.Ld = groups*q.C + rand.IntN(2)
				x := kerneltest.Random(batch * q.H * q.W * q.Ld)
				k, ldy, pixels := q.KH*q.KW*q.C, groups*n+rand.IntN(2), batch*q.OH*q.OW
				var bs []*PackedB
				var ws [][]float32
				for range groups {
					ws = append(ws, kerneltest.Random(k*n))
					bs = append(bs, PackB(false, k, n, ws[len(ws)-1], n))
				}
				ep := &kernels.Epilogue{Bias: kerneltest.Random(groups * n), Act: []vmath.Activation{vmath.ActNone, vmath.ActClip, vmath.ActSiLU}[i%3], Alpha: -0.5, Beta: 1}
				if i%2 == 0 {
					ep.Residual, ep.LdRes = kerneltest.Random(pixels*groups*n), groups*n
				}
				y, z := kerneltest.Random(pixels*ldy), kerneltest.Random(pixels*ldy)
				before := slices.Clone(y)
				ConvGroups(bs, &q, batch, x, y, ldy, ep, nil)
				for j, w := range ws {
					e := *ep
					e.Bias = ep.Bias[j*n:][:n]
					if e.Residual != nil {
						e.Residual = ep.Residual[j*n:]
					}
					PackB(false, k, n, w, n).Conv(&q, batch, x[j*q.C:], z[j*n:], ldy, &e, nil)
				}
				for p := range pixels {
					for j := range ldy {
						got, want := y[p*ldy+j], z[p*ldy+j]
						if j >= groups*n {
							want = before[p*ldy+j]
						}
						if !kerneltest.Near(got, float64(want), 3) {
							t.Fatalf("case %d, %d channels out: pixel %d channel %d is %v, want %v", i, n, p, j, got, want)
						}
					}
				}
				copy(z, before)
				ConvGroups(bs, &q, batch, x, z, ldy, ep, workers.Threads(3))
				if !slices.Equal(y, z) {
					t.Fatalf("case %d: another result with 3 threads", i)
				}
			}
		}
	})
}
