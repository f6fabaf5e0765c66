package float16

import (
	"math"
	"slices"
	"testing"

	"github.com/onetomany/caption/internal/kernels/kerneltest"
)

// All halves, at every place in a vector, and every length up to some vectors.
func TestDecode(t *testing.T) {
	src := make([]byte, 0, 2<<16)
	for h := range 1 << 16 {
		src = append(src, byte(h), byte(h>>8))
	}
	kerneltest.EachLevel(t, func(t *testing.T) {
		dst := make([]float32, 1<<16)
		Decode(dst, src)
		for h, f := range dst {
			if want := ToFloat32(uint16(h)); f != want && (f == f || want == want) ||
				math.Signbit(float64(f)) != math.Signbit(float64(want)) {
				t.Fatalf("%#04x became %v, not %v", h, f, want)
			}
		}
		for n := range 100 {
			got := make([]float32, n+1)
			got[n] = 7
			Decode(got[:n], src[2*1000:])
			if !slices.Equal(got[:n], dst[1000:1000+n]) || got[n] != 7 {
				t.Fatalf("%d numbers: %v", n, got)
			}
		}
	})
}
