//go:build linux || darwin

package float16

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/onetomany/caption/internal/kernels/kerneltest"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

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
