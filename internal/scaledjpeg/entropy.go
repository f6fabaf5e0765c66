package scaledjpeg

import (
	"bytes"
	"encoding/binary"
)

// entropy is the entropy-coded data of a scan, taken out of the file: without
// the zero byte stuffed behind each ff, so that reading bits need not look for
// it, and with padding behind, so that it need not look for the end either.
type entropy struct {
	buf      []byte
	segments []segment
	marker   uint8 // behind the scan
}

// segment is what lies between restart markers: buf[start:end].
type segment struct{ start, end int }

// padding bounds how far a unit of ten blocks may read behind its segment: 64
// codes of 16 bits with values of 15 a block, and what is loaded at once.
const padding = 10*64*31/8 + 16

// load takes the scan out of data, from pos to the marker that ends it, and returns the
// position of that. A scan may have up to most restart intervals.
func (e *entropy) load(data []byte, pos, most int) (int, error) {
	if n := len(data) - pos + padding; cap(e.buf) < n {
		e.buf = make([]byte, 0, n)
	}
	buf := e.buf[:0]
	e.segments = e.segments[:0]
	start, next := 0, uint8(rst0)
	for {
		n := bytes.IndexByte(data[pos:], 0xff)
		if n < 0 {
			return 0, other("the data end early")
		}
		buf = append(buf, data[pos:pos+n+1]...)
		pos += n + 1
		if pos < len(data) && data[pos] == 0 {
			pos++
			continue
		}
		buf = buf[:len(buf)-1] // it begins a marker
		if len(e.segments) == most {
			return 0, other("more than %d restart intervals", most)
		}
		e.segments = append(e.segments, segment{start, len(buf)})
		start = len(buf)
		for pos < len(data) && data[pos] == 0xff {
			pos++ // fill byte
		}
		if pos == len(data) || data[pos] == 0 {
			return 0, other("no marker")
		}
		if m := data[pos]; m&^7 != rst0 {
			e.marker = m
			e.buf = append(buf, make([]byte, padding)...)
			return pos - 1, nil
		} else if m != next {
			return 0, other("restart marker %#x", m)
		}
		pos++
		next = rst0 | (next+1)&7
	}
}

// reader reads the bits of entropy-coded data.
type reader struct {
	acc uint64 // loaded bits, the next one on top
	n   uint   // valid bits of acc; those below are right too, or zero
	pos int    // in the data, of the next byte to load
}

// fill loads until 56 bits or more are there. (F. Giesen, Reading bits in far
// too many ways, part 2, variant 4.)
func (b reader) fill(buf []byte) reader {
	b.acc |= binary.BigEndian.Uint64(buf[b.pos:]) >> (b.n & 63)
	b.pos += int(63-b.n) >> 3
	b.n |= 56
	return b
}

// drop takes away n bits, at most 63.
func (b reader) drop(n uint) reader {
	b.acc <<= n & 63
	b.n -= n
	return b
}

// used is the number of bits read from the start of the data.
func (b reader) used() int { return 8*b.pos - int(b.n) }

// overran reports whether more bits were read than s has.
func (b reader) overran(s segment) bool { return b.used() > 8*s.end }

// finished reports whether all of s was read, but for bits that fill a byte.
func (b reader) finished(s segment) bool { return (b.used()+7)/8 == s.end }
