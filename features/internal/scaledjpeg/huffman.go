package scaledjpeg

import (
	"encoding/binary"
)

// bits reads entropy-coded data: bytes, 0xff written as ff 00, up to a marker.
type bits struct {
	data []byte
	pos  int    // of the next byte to load
	acc  uint64 // loaded bits, the next one on top
	n    int    // valid bits of acc
	pad  int    // zero bits put in after the end of the data
}

// reset drops what is loaded.
func (b *bits) reset() { b.acc, b.n, b.pad = 0, 0, 0 }

// fill loads until at least 48 bits are there, zeros after the end.
func (b *bits) fill() {
	if b.pos+8 <= len(b.data) {
		v := binary.BigEndian.Uint64(b.data[b.pos:])
		inv := ^v
		if (inv-0x0101010101010101)&^inv&0x8080808080808080 == 0 { // no byte is ff
			// What is put in beyond whole bytes is put in again, equal, next time.
			b.acc |= v >> b.n
			whole := (64 - b.n) >> 3
			b.pos += whole
			b.n += whole << 3
			return
		}
	}
	for b.n <= 56 {
		var c byte
		switch {
		case b.pos < len(b.data) && b.data[b.pos] != 0xff:
			c = b.data[b.pos]
			b.pos++
		case b.pos+1 < len(b.data) && b.data[b.pos+1] == 0:
			c = 0xff
			b.pos += 2
		default: // a marker, or the end
			b.pad += 8
		}
		// Bits that the fast path put in beyond the valid ones are equal to these.
		b.acc |= uint64(c) << (56 - b.n)
		b.n += 8
	}
}

// skip drops n loaded bits.
func (b *bits) skip(n int) {
	b.acc <<= n
	b.n -= n
}

// overrun reports whether bits after the end of the data were used.
func (b *bits) overrun() bool { return b.n < b.pad }

// toMarker goes to where the entropy-coded data end: the last bits of a byte
// are padding. Loaded bytes are given back; there are none before a marker but
// those of a file that has more data than it needs, which is refused there.
func (b *bits) toMarker() {
	for loaded := (b.n - b.pad) / 8; loaded > 0; loaded-- {
		b.pos--
		if b.data[b.pos] == 0 && b.pos > 0 && b.data[b.pos-1] == 0xff {
			b.pos--
		}
	}
	b.reset()
}

// huffman decodes the codes of a table: short ones by one look-up, with the
// value behind the code if that is short too.
type huffman struct {
	fast [1 << fastBits]entry
	// Canonical decoding of the long codes, F.2.2.3: those of length l end
	// below limit[l], left-aligned to 16 bits; value = values[code + offset[l]].
	limit  [18]uint32
	offset [18]int32
	values [256]uint8
}

const fastBits = 10

// entry is what the next bits mean. Its symbol has the run of zeros in the
// upper half and the size of the value in the lower one.
type entry struct {
	value  int16 // if whole
	symbol uint8
	bits   uint8 // to drop: of the code, and of the value if whole; 0: not a short code
	whole  bool
}

// huffmanTables reads tables, B.2.4.2.
func (d *decoder) huffmanTables(b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 {
			return other("Huffman table")
		}
		class, to, counts := b[0]>>4, b[0]&15, b[1:17]
		n := 0
		for _, c := range counts {
			n += int(c)
		}
		if class > 1 || to > 3 || n > 256 || len(b) < 17+n {
			return other("Huffman table")
		}
		t := new(huffman)
		if !t.build(counts, b[17:17+n]) {
			return other("Huffman table")
		}
		d.tables[class][to] = t
		b = b[17+n:]
	}
	return nil
}

// build makes the codes, annex C; false if there are more than fit.
func (t *huffman) build(counts, values []byte) bool {
	copy(t.values[:], values)
	code, k := uint32(0), 0
	for l := 1; l <= 16; l++ {
		t.offset[l] = int32(k) - int32(code)
		for range counts[l-1] {
			if code >= 1<<l {
				return false
			}
			if l <= fastBits {
				t.enter(code, l, values[k])
			}
			code++
			k++
		}
		t.limit[l] = code << (16 - l)
		code <<= 1
	}
	t.limit[17] = 1 << 16 // stops the search
	return true
}

// enter fills the look-ups that begin with a code of length l.
func (t *huffman) enter(code uint32, l int, symbol uint8) {
	size := int(symbol & 15)
	rest := fastBits - l
	for tail := range 1 << rest {
		e := entry{symbol: symbol, bits: uint8(l)}
		if size <= rest {
			e.whole = true
			e.bits += uint8(size)
			e.value = int16(extend(uint32(tail)>>(rest-size), size))
		}
		t.fast[int(code)<<rest|tail] = e
	}
}

// extend gives a value of size bits its sign, F.2.2.1.
func extend(v uint32, size int) int32 {
	if size == 0 || v>>(size-1) != 0 {
		return int32(v)
	}
	return int32(v) - 1<<size + 1
}

// next decodes a symbol and its value; false if there is no such code. At most
// 16+15 bits are used.
func (d *decoder) next(t *huffman) (symbol uint8, value int32, ok bool) {
	if d.n < 32 {
		d.fill()
	}
	e := t.fast[d.acc>>(64-fastBits)]
	if e.whole {
		d.skip(int(e.bits))
		return e.symbol, int32(e.value), true
	}
	symbol = e.symbol
	l := int(e.bits)
	if l == 0 {
		top := uint32(d.acc >> 48)
		for l = fastBits + 1; top >= t.limit[l]; l++ {
		}
		if l > 16 {
			return 0, 0, false
		}
		symbol = t.values[uint8(int32(top>>(16-l))+t.offset[l])]
	}
	d.skip(l)
	size := int(symbol & 15)
	value = extend(uint32(d.acc>>32)>>(32-size), size)
	d.skip(size)
	return symbol, value, true
}
