package hugepage

import (
	"testing"
	"unsafe"
)

func TestFloats(t *testing.T) {
	for _, n := range []int{0, 1, 1000, size/2 - 1, size / 2, size, 3*size + 5} {
		f := Floats(n)
		if len(f) != n || cap(f) < n {
			t.Fatalf("%d floats asked for, got %d", n, len(f))
		}
		for i, v := range f {
			if v != 0 {
				t.Fatalf("%d floats: number %d is %v", n, i, v)
			}
			f[i] = 1
		}
		if p := uintptr(unsafe.Pointer(unsafe.SliceData(f))); n >= size/2 && p%size != 0 {
			t.Errorf("%d floats begin at %#x, within a huge page", n, p)
		}
	}
}
