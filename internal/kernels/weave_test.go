package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/float16"
)

// Every size up to some squares and beyond, the columns in any order: the same
// numbers as by the definition, and nothing else touched.
func TestWeave(t *testing.T) {
	eachVersion(t, func(t *testing.T) {
		const ldd, lds = 37, 45
		for rows := range 35 {
			for _, cols := range []int{0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 33, 41} {
				src, scale := random(rows*lds+cols), random(rows)
				off := rand.Perm(cols)
				want := make([]float32, ldd*cols+rows)
				for c := range off {
					off[c] *= ldd
					for r := range rows {
						want[off[c]+r] = src[r*lds+c] * scale[r]
					}
				}
				got := make([]float32, len(want))
				weave(got, off, src, lds, scale, rows, cols)
				if !slices.Equal(got, want) {
					t.Fatalf("%d×%d differ", rows, cols)
				}
			}
		}
	})
}

// All halves, at every place in a vector, and every length up to some vectors.
func TestFromHalf(t *testing.T) {
	src := make([]byte, 0, 2<<16)
	for h := range 1 << 16 {
		src = append(src, byte(h), byte(h>>8))
	}
	eachVersion(t, func(t *testing.T) {
		dst := make([]float32, 1<<16)
		FromHalf(dst, src)
		for h, f := range dst {
			if want := float16.ToFloat32(uint16(h)); f != want && (f == f || want == want) ||
				math.Signbit(float64(f)) != math.Signbit(float64(want)) {
				t.Fatalf("%#04x became %v, not %v", h, f, want)
			}
		}
		for n := range 100 {
			got := make([]float32, n+1)
			got[n] = 7
			FromHalf(got[:n], src[2*1000:])
			if !slices.Equal(got[:n], dst[1000:1000+n]) || got[n] != 7 {
				t.Fatalf("%d numbers: %v", n, got)
			}
		}
	})
}
