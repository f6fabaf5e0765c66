package float16

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
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

// Nothing beyond the slices is touched.
func TestDecodeBounds(t *testing.T) {
	kerneltest.EachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, half func(i, n int) []vmath.BF16) {
		for n := range 71 {
			do(fmt.Sprintf("%d values", n), func() {
				b := half(1, n) // as wide
				Decode(mem(0, n), unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(b))), 2*n))
			})
		}
	})
}
