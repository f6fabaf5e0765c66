package scaledjpeg

// huffman decodes the codes of a table. Nearly all take one look-up of the next
// bits.
type huffman struct {
	// fast gives a code with the value behind it.
	fast [1 << lookBits]entry

	// skip passes over as many codes, with their values, as fit.
	skip [1 << lookBits]jump

	// Canonical decoding of the long codes, F.2.2.3: those of length l end
	// below limit[l], left-aligned to 16 bits; symbol = symbols[code + offset[l]].
	limit   [18]uint32
	offset  [18]int32
	symbols [256]uint8
}

const lookBits = 10

// entry is what the next bits mean: the bits to drop in the low byte, above it
// how far the place in the block moves on, above that the value, 16 bits.
type entry uint32

// jump is the same for several codes, without values.
type jump uint16

const (
	blockEnd = 63   // place of the last coefficient
	toEnd    = 128  // moves behind the end of the block
	slow     = 0x80 // in the low byte of an entry: a long code, or none
)

func (e entry) bits() uint   { return uint(e & 63) }
func (e entry) advance() int { return int(e >> 8 & 0xff) }
func (e entry) value() int32 { return int32(e) >> 16 }

func (j jump) bits() uint   { return uint(j & 63) }
func (j jump) advance() int { return int(j >> 8) }

// advance is how far an AC symbol, run of zeros and size of value, moves on in
// a block; 0 if there is no such symbol.
func advance(symbol uint8) int {
	switch {
	case symbol == 0:
		return toEnd
	case symbol&15 == 0 && symbol != 0xf0:
		return 0
	}
	return int(symbol>>4) + 1
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
func (t *huffman) build(counts, symbols []byte) bool {
	copy(t.symbols[:], symbols)
	var lengths [1 << lookBits]uint8 // of the code that begins the bits, 0 for a long one
	var first [1 << lookBits]uint8   // its symbol
	code, k := uint32(0), 0
	for l := 1; l <= 16; l++ {
		t.offset[l] = int32(k) - int32(code)
		for range counts[l-1] {
			if code >= 1<<l {
				return false
			}
			if rest := lookBits - l; rest >= 0 {
				for i := code << rest; i < (code+1)<<rest; i++ {
					lengths[i], first[i] = uint8(l), symbols[k]
				}
			}
			code++
			k++
		}
		t.limit[l] = code << (16 - l)
		code <<= 1
	}
	t.limit[17] = 1 << 16 // stops the search
	for i := range t.fast {
		t.fast[i] = whole(uint32(i), int(lengths[i]), first[i])
		t.skip[i] = several(uint32(i), &lengths, &first)
	}
	return true
}

// whole is the entry of bits that begin with a code of length l.
func whole(bits uint32, l int, symbol uint8) entry {
	size := int(symbol & 15)
	rest := lookBits - l - size
	move := advance(symbol)
	if l == 0 || rest < 0 || move == 0 {
		return slow
	}
	value := extend(bits>>rest&(1<<size-1), size)
	return entry(value)<<16 | entry(move)<<8 | entry(l+size)
}

// several is the jump over the codes that bits begin with. The first one's
// value may reach beyond them.
func several(bits uint32, lengths, first *[1 << lookBits]uint8) jump {
	used, moved := 0, 0
	for used < lookBits && moved < 64 {
		at := bits << used & (1<<lookBits - 1)
		l, size, move := int(lengths[at]), int(first[at]&15), advance(first[at])
		if l == 0 || move == 0 || used+l > lookBits || used > 0 && used+l+size > lookBits {
			break
		}
		used += l + size
		moved += move
	}
	return jump(moved)<<8 | jump(used)
}

// extend gives a value of size bits its sign, F.2.2.1.
func extend(v uint32, size int) int32 {
	if size == 0 || v>>(size-1) != 0 {
		return int32(v)
	}
	return int32(v) - 1<<size + 1
}

// long decodes any code from 16 bits or more.
func (t *huffman) long(acc uint64) (symbol uint8, length uint, ok bool) {
	top := uint32(acc >> 48)
	l := 1
	for top >= t.limit[l] {
		l++
	}
	if l > 16 {
		return 0, 0, false
	}
	return t.symbols[uint8(int32(top>>(16-l))+t.offset[l])], uint(l), true
}

// symbol decodes any code with the value behind it.
func (t *huffman) symbol(b reader, buf []byte) (_ reader, symbol uint8, value int32, ok bool) {
	b = b.fill(buf)
	symbol, l, ok := t.long(b.acc)
	b = b.drop(l)
	size := uint(symbol & 15)
	value = extend(uint32(b.acc>>32)>>(32-size), int(size))
	return b.drop(size), symbol, value, ok
}

// single decodes any AC code: how far it moves on, and the value there.
func (t *huffman) single(b reader, buf []byte) (_ reader, move int, value int32, ok bool) {
	b, symbol, value, ok := t.symbol(b, buf)
	move = advance(symbol)
	return b, move, value, ok && move > 0
}
