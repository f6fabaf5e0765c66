package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The number of groups of Huffman codes of a lossless WebP is the largest number in an
// image of its own, behind those of its transforms. x/image allocates some kilobytes
// for each group before it can find out that they are missing. So this reads the
// stream up to that image: RFC 9649, sections 4 to 6, whose terms it uses.

var errVP8L = errors.New("not a lossless WebP that is understood")

// groupMemory is what the groups of Huffman codes of a lossless WebP take, or of the
// transparency of a lossy one: a table each, and trees, with as many nodes as there
// can be symbols, or code lengths in the file.
func groupMemory(data []byte) int64 {
	const table, trees, perByte = 2_700, 57_000, 420
	if still, _, _ := firstFrame(data); still != nil {
		data = still
	}
	groups, most := 0, 1<<16
	count := func(stream []byte, w, h int) {
		n, err := vp8lGroups(stream, w, h)
		if err != nil {
			n = most
		}
		groups = max(groups, n)
	}
	if at := bytes.Index(data, []byte("VP8L")); at >= 0 && len(data) >= at+13 {
		size := binary.LittleEndian.Uint32(data[at+9:])
		count(data[at+13:], int(size&0x3fff)+1, int(size>>14&0x3fff)+1)
	}
	at, canvas := bytes.Index(data, []byte("ALPH")), bytes.Index(data, []byte("VP8X"))
	if at >= 0 && len(data) > at+8 && data[at+8]&3 == 1 && canvas >= 0 && len(data) >= canvas+18 {
		count(data[at+9:], 1+uint24(data[canvas+12:]), 1+uint24(data[canvas+15:]))
	}
	n := int64(groups)
	return min(n*(table+trees), n*table+perByte*int64(len(data)))
}

// vp8lGroups returns the number of groups of codes of a VP8L bit stream of w×h pixels,
// without its header of five bytes.
func vp8lGroups(data []byte, w, h int) (groups int, err error) {
	defer func() {
		if recover() != nil { // data, or a code, that ends early
			groups, err = 0, errVP8L
		}
	}()
	const most = 1 << 14 // of the format; of transparency, the file may say more
	if w > most || h > most {
		return 0, errVP8L
	}
	r := &vp8lReader{data: data}
	for seen := 0; r.bits(1) == 1; {
		kind := r.bits(2)
		if seen>>kind&1 != 0 {
			return 0, errVP8L
		}
		seen |= 1 << kind
		switch kind {
		case 0, 1: // prediction and colour, by blocks
			size := 2 + r.bits(3)
			r.image(blocksOf(w, size), blocksOf(h, size))
		case 3: // a palette, of which several indices share a pixel
			n := 1 + r.bits(8)
			r.image(n, 1)
			switch {
			case n <= 2:
				w = blocksOf(w, 3)
			case n <= 4:
				w = blocksOf(w, 2)
			case n <= 16:
				w = blocksOf(w, 1)
			}
		}
	}
	r.cacheBits()
	if r.bits(1) == 0 {
		return 1, nil
	}
	size := 2 + r.bits(3)
	for _, argb := range r.image(blocksOf(w, size), blocksOf(h, size)) {
		groups = max(groups, int(argb>>8&0xffff)+1)
	}
	return groups, nil
}

// blocksOf is how many blocks of 1<<bits pixels a side has.
func blocksOf(side, bits int) int { return (side + 1<<bits - 1) >> bits }

// vp8lReader reads bits, the lowest of a byte first. It panics at the end.
type vp8lReader struct {
	data []byte
	at   int // in bits
}

func (r *vp8lReader) bits(n int) (v int) {
	for i := range n {
		v |= int(r.data[r.at>>3]>>(r.at&7)&1) << i
		r.at++
	}
	return v
}

// cacheBits reads the size of the colour cache, 0 for none.
func (r *vp8lReader) cacheBits() int {
	if r.bits(1) == 0 {
		return 0
	}
	n := r.bits(4)
	if n < 1 || n > 11 {
		panic(errVP8L)
	}
	return n
}

// image reads an entropy-coded image: section 5, with one group of codes.
func (r *vp8lReader) image(w, h int) []uint32 {
	const lengths, distances = 24, 40
	cacheBits := r.cacheBits()
	cache := make([]uint32, 1<<cacheBits)
	var codes [5]prefixCode
	for i, n := range []int{256 + lengths, 256, 256, 256, distances} {
		if i == 0 && cacheBits > 0 {
			n += 1 << cacheBits
		}
		codes[i] = r.code(n)
	}
	pix := make([]uint32, 0, min(w*h, 1<<16))
	put := func(argb uint32) {
		pix = append(pix, argb)
		if cacheBits > 0 {
			cache[argb*0x1e35a7bd>>(32-cacheBits)] = argb
		}
	}
	for len(pix) < w*h {
		switch s := r.symbol(&codes[0]); {
		case s < 256:
			red, blue, alpha := r.symbol(&codes[1]), r.symbol(&codes[2]), r.symbol(&codes[3])
			put(uint32(alpha)<<24 | uint32(red)<<16 | uint32(s)<<8 | uint32(blue))
		case s < 256+lengths:
			n := r.number(s - 256)
			d := r.number(r.symbol(&codes[4]))
			if d > len(near) {
				d -= len(near)
			} else {
				d = max(1, int(near[d-1]>>4)*w+8-int(near[d-1]&15))
			}
			for range n {
				put(pix[len(pix)-d])
			}
		default:
			put(cache[s-256-lengths])
		}
	}
	return pix
}

// number reads a length or a distance by its prefix, section 5.2.2.
func (r *vp8lReader) number(prefix int) int {
	if prefix < 4 {
		return prefix + 1
	}
	extra := (prefix - 2) >> 1
	return (2+prefix&1)<<extra + r.bits(extra) + 1
}

// near are the short distances: rows up in the high four bits, columns left in the
// low four, from 8.
var near = [120]uint8{
	0x18, 0x07, 0x17, 0x19, 0x28, 0x06, 0x27, 0x29, 0x16, 0x1a, 0x26, 0x2a, 0x38, 0x05, 0x37, 0x39, 0x15, 0x1b, 0x36, 0x3a,
	0x25, 0x2b, 0x48, 0x04, 0x47, 0x49, 0x14, 0x1c, 0x35, 0x3b, 0x46, 0x4a, 0x24, 0x2c, 0x58, 0x45, 0x4b, 0x34, 0x3c, 0x03,
	0x57, 0x59, 0x13, 0x1d, 0x56, 0x5a, 0x23, 0x2d, 0x44, 0x4c, 0x55, 0x5b, 0x33, 0x3d, 0x68, 0x02, 0x67, 0x69, 0x12, 0x1e,
	0x66, 0x6a, 0x22, 0x2e, 0x54, 0x5c, 0x43, 0x4d, 0x65, 0x6b, 0x32, 0x3e, 0x78, 0x01, 0x77, 0x79, 0x53, 0x5d, 0x11, 0x1f,
	0x64, 0x6c, 0x42, 0x4e, 0x76, 0x7a, 0x21, 0x2f, 0x75, 0x7b, 0x31, 0x3f, 0x63, 0x6d, 0x52, 0x5e, 0x00, 0x74, 0x7c, 0x41,
	0x4f, 0x10, 0x20, 0x62, 0x6e, 0x30, 0x73, 0x7d, 0x51, 0x5f, 0x40, 0x72, 0x7e, 0x61, 0x6f, 0x50, 0x71, 0x7f, 0x60, 0x70,
}

// prefixCode is a canonical Huffman code: how many codes there are of each length,
// and their symbols in order.
type prefixCode struct {
	counts  [16]int
	symbols []int
}

func newPrefixCode(lengths []int) (c prefixCode) {
	for length := 1; length < len(c.counts); length++ {
		for s, l := range lengths {
			if l == length {
				c.counts[length]++
				c.symbols = append(c.symbols, s)
			}
		}
	}
	return c
}

// symbol reads a symbol. One that is alone takes no bits.
func (r *vp8lReader) symbol(c *prefixCode) int {
	if len(c.symbols) == 1 {
		return c.symbols[0]
	}
	code, first, at := 0, 0, 0
	for length := 1; length < len(c.counts); length++ {
		code |= r.bits(1)
		n := c.counts[length]
		if code-first < n {
			return c.symbols[at+code-first]
		}
		at += n
		first = (first + n) << 1
		code <<= 1
	}
	panic(errVP8L)
}

// code reads a prefix code of an alphabet, section 6.2.1.
func (r *vp8lReader) code(alphabet int) prefixCode {
	if r.bits(1) == 1 {
		n := 1 + r.bits(1)
		symbols := []int{r.bits(1 + 7*r.bits(1))}
		if n == 2 {
			symbols = append(symbols, r.bits(8))
		}
		lengths := make([]int, max(alphabet, 256))
		for _, s := range symbols {
			lengths[s] = 1
		}
		return newPrefixCode(lengths)
	}
	order := [...]int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	first := make([]int, len(order))
	for _, s := range order[:4+r.bits(4)] {
		first[s] = r.bits(3)
	}
	code := newPrefixCode(first)
	most := alphabet
	if r.bits(1) == 1 {
		most = 2 + r.bits(2+2*r.bits(3))
	}
	lengths := make([]int, 0, alphabet)
	for last := 8; len(lengths) < alphabet && most > 0; most-- {
		s := r.symbol(&code)
		n, length := 1, s
		switch s {
		case 16:
			n, length = 3+r.bits(2), last
		case 17:
			n, length = 3+r.bits(3), 0
		case 18:
			n, length = 11+r.bits(7), 0
		default:
			if s > 0 {
				last = s
			}
		}
		for range n {
			lengths = append(lengths, length)
		}
	}
	if len(lengths) > alphabet {
		panic(errVP8L)
	}
	return newPrefixCode(lengths)
}
