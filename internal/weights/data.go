// Package weights holds the numbers of models: as slices, or where they lie in the
// bytes of a file.
package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"unsafe"

	"github.com/onetomany/caption/internal/float16"
)

// Data are numbers: those of a slice, or as a file holds them. The zero value
// has none.
type Data struct {
	f    []float32
	b    []byte // little-endian; where f is nil
	half bool   // b is binary16, not binary32
}

// Of returns the numbers of f.
func Of(f []float32) Data { return Data{f: f} }

// Stored returns the numbers in the bytes of a file, little-endian, binary16
// where half is set, else binary32.
func Stored(b []byte, half bool) Data { return Data{b: b, half: half} }

// Len returns how many there are.
func (d Data) Len() int {
	switch {
	case d.half:
		return len(d.b) / 2
	case d.f == nil:
		return len(d.b) / 4
	}
	return len(d.f)
}

// Part returns the numbers lo…hi-1.
func (d Data) Part(lo, hi int) Data {
	switch {
	case d.half:
		d.b = d.b[2*lo : 2*hi]
	case d.f == nil:
		d.b = d.b[4*lo : 4*hi]
	default:
		d.f = d.f[lo:hi]
	}
	return d
}

// Floats returns all of d: the slice that it is made of, or new memory.
func (d Data) Floats() []float32 {
	if d.f != nil {
		return d.f
	}
	f := make([]float32, d.Len())
	d.decode(f, 0)
	return f
}

// View returns the numbers lo…hi-1 to read: in place where that can be done, else
// in scratch, until its next use.
func (d Data) View(lo, hi int, scratch *Scratch) []float32 {
	switch {
	case d.f != nil:
		return d.f[lo:hi]
	case !d.half && inPlace && lo < hi:
		b := d.b[4*lo : 4*hi]
		return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), hi-lo)
	}
	f := scratch.floats(hi - lo)
	d.decode(f, lo)
	return f
}

// Halves returns the bytes of d if it is of binary16 numbers in a file.
func (d Data) Halves() (b []byte, ok bool) { return d.b, d.half }

// Read fills dst with the numbers from lo on.
func (d Data) Read(dst []float32, lo int) {
	if d.f != nil {
		copy(dst, d.f[lo:lo+len(dst)])
		return
	}
	d.decode(dst, lo)
}

// Clone returns d in memory of its own.
func (d Data) Clone() Data {
	return Data{f: slices.Clone(d.f), b: bytes.Clone(d.b), half: d.half}
}

// NotFinite returns the index of the first number that is infinite or NaN, -1 where
// there is none.
func (d Data) NotFinite() int {
	at := 0
	if d.half {
		// The largest exponent plus one carries into the sign's bit. Eight times
		// four halves are looked at together.
		const exponents, one, carry = 0x7c00_7c00_7c00_7c00, 0x0400_0400_0400_0400, 0x8000_8000_8000_8000
		for b := d.b; len(b) >= 64; b = b[64:] {
			var found uint64
			for i := 0; i < 64; i += 8 {
				found |= binary.LittleEndian.Uint64(b[i:])&exponents + one
			}
			if found&carry != 0 {
				break
			}
			at += 32
		}
	}
	var f [256]float32
	for n := d.Len(); at < n; {
		part := f[:min(len(f), n-at)]
		d.Read(part, at)
		for i, x := range part {
			if x-x != 0 {
				return at + i
			}
		}
		at += len(part)
	}
	return -1
}

// inPlace tells whether the numbers of a file can be read as float32 wherever
// they begin: other processors may need them aligned, or the other way round.
const inPlace = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"

// decode fills dst with the numbers from lo on.
func (d Data) decode(dst []float32, lo int) {
	if d.half {
		float16.Decode(dst, d.b[2*lo:])
		return
	}
	b := d.b[4*lo:][:4*len(dst)]
	if inPlace && len(dst) > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(dst))), len(b)), b)
		return
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}

// Scratch is memory for the numbers of one View at a time.
type Scratch struct{ f []float32 }

func (s *Scratch) floats(n int) []float32 {
	if cap(s.f) < n {
		s.f = make([]float32, n)
	}
	return s.f[:n]
}
