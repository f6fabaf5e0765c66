//go:build linux || darwin

package kerneltest

import (
	"os"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"

	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A field is memory between pages that must not be touched.
type field []byte

// fieldPages is how many pages of it can be touched.
const fieldPages = 32

func newField(t *testing.T) field {
	t.Helper()
	page := os.Getpagesize()
	m, err := syscall.Mmap(-1, 0, (fieldPages+2)*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip("no memory mapping here:", err)
	}
	t.Cleanup(func() { syscall.Munmap(m) })
	for _, fence := range [][]byte{m[:page], m[(fieldPages+1)*page:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Skip("no memory protection here:", err)
		}
	}
	return field(m[page : (fieldPages+1)*page])
}

// fenced moves x to one edge of f.
func fenced[T any](f field, x []T, atEnd bool) []T {
	y := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(f))), len(f)/int(unsafe.Sizeof(*new(T))))
	if atEnd {
		y = y[len(y)-len(x):]
	}
	return y[:copy(y, x):len(x)]
}

// EachEdge runs f with every version. The functions mem and half give f memory
// at the end, then at the start, of field i; a job that touches what is beyond
// fails the test.
func EachEdge(t *testing.T, f func(t *testing.T, do func(name string, job func()), mem func(i, n int) []float32, half func(i, n int) []vmath.BF16)) {
	fields := make([]field, 6)
	for i := range fields {
		fields[i] = newField(t)
	}
	EachLevel(t, func(t *testing.T) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		for _, atEnd := range []bool{true, false} {
			f(t, func(name string, job func()) {
				defer func() {
					if e := recover(); e != nil {
						t.Fatalf("%s, data at the end of a page %v: %v", name, atEnd, e)
					}
				}()
				job()
			}, func(i, n int) []float32 { return fenced(fields[i], Random(n), atEnd) },
				func(i, n int) []vmath.BF16 { return fenced(fields[i], RandomBF16(n), atEnd) })
		}
	})
}
