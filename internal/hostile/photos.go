// Package hostile makes small files that take much memory or time: the worst photos
// under 2 MB that each format allows. Tests and cmd/internal/soak hold the programs to
// their limits with them.
package hostile

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"hash/crc32"
	mathbits "math/bits"
	"slices"
)

// Photo is a file that unfolds to far more than it has.
type Photo struct {
	Name string
	Make func() []byte
}

// Photos are the worst of each format: the largest that the default limits admit,
// and some that they must refuse; with sides of 1/shrink of that.
func Photos(shrink int) []Photo {
	s := func(side int) int { return max(1, side/shrink) }
	// The most that a strip of these sides may unpack to, for x/image/tiff.
	unpacked := func(w, h int) int64 { return 8 * int64(s(w)) * int64(s(h)) }
	return []Photo{
		{"line.png", func() []byte { return PNG(s(199_999_999), 1, 8, 0, false) }},
		{"gray.png", func() []byte { return PNG(s(9_000), s(8_800), 8, 0, false) }},
		{"bilevel.png", func() []byte { return PNG(s(9_000), s(8_800), 1, 0, false) }},
		{"palette.png", func() []byte { return PNG(s(9_000), s(8_800), 8, 3, false) }},
		{"rgb.png", func() []byte { return PNG(s(9_000), s(8_800), 8, 2, false) }},
		{"rgba16.png", func() []byte { return PNG(s(6_500), s(6_100), 16, 6, false) }},
		{"interlaced.png", func() []byte { return PNG(s(6_500), s(6_100), 8, 6, true) }},
		{"wide.png", func() []byte { return PNG(s(65_535), s(1_050), 8, 2, false) }},
		{"flat.jpg", JPEG{Width: s(16_000), Height: s(12_500), Components: 3, Subsampled: true}.Bytes},
		{"planes.jpg", JPEG{Width: s(9_000), Height: s(9_000), Components: 3, Subsampled: true, Apart: true}.Bytes},
		{"progressive.jpg", JPEG{Width: s(16_000), Height: s(12_500), Components: 3, Subsampled: true, Progressive: true, Scans: 95, Last: 5}.Bytes},
		{"strip.jpg", JPEG{Width: s(65_535), Height: s(3_000), Components: 3, Subsampled: true, Progressive: true, Scans: 95, Last: 5}.Bytes},
		{"cmyk.jpg", JPEG{Width: s(3_900), Height: s(3_400), Components: 4, Progressive: true, Scans: 95, Last: 5}.Bytes},
		{"refined.jpg", JPEG{Width: s(8_000), Height: s(7_500), Components: 1, Progressive: true, Scans: 8, Refine: true, Adobe: true}.Bytes},
		{"refined_on.jpg", JPEG{Width: s(8_000), Height: s(7_500), Components: 1, Progressive: true, Scans: 95, Refine: true, Adobe: true}.Bytes},
		{"decoy.jpg", JPEG{Width: s(9_000), Height: s(9_000), Components: 4, Progressive: true, Scans: 95, Decoy: true}.Bytes},
		{"huge_cmyk.jpg", JPEG{Width: s(16_000), Height: s(12_500), Components: 4, Progressive: true, Scans: 2}.Bytes},
		{"scans.jpg", JPEG{Width: s(3_000), Height: s(2_000), Components: 1, Progressive: true, Scans: 60_000}.Bytes},
		{"tables.jpg", JPEG{Width: s(4_000), Height: s(3_000), Components: 3, Tables: 45_000}.Bytes},
		{"lossless.webp", func() []byte { return VP8L(s(5_400), s(5_400)) }},
		{"groups.webp", func() []byte { return VP8LGroups(1 << 16) }},
		{"cut.webp", func() []byte {
			b := VP8L(s(9_100), s(9_100))
			binary.LittleEndian.PutUint32(b[4:], 0xffff_fff0)
			binary.LittleEndian.PutUint32(b[16:], 0x0fff_ffff)
			return b
		}},
		{"lossy.webp", func() []byte { return VP8(s(9_100), s(9_100), s(1_990_000)) }},
		{"frame.gif", func() []byte { return GIF(s(7_000), s(7_000), s(7_000), s(7_000)) }},
		{"canvas.gif", func() []byte { return GIF(s(7_000), s(7_000), 16, 16) }},
		{"deflate.tif", func() []byte { return TIFF(8, 8, s(3_500), s(3_500), unpacked(3_500, 3_500)) }},
		{"huge.tif", func() []byte { return TIFF(5, 1, s(20_000), s(9_999), unpacked(20_000, 9_999)) }},
		{"lzw.tif", func() []byte { return TIFF(5, 8, s(3_500), s(3_500), unpacked(3_500, 3_500)) }},
		{"fax.tif", func() []byte { return TIFF(4, 1, s(9_000), s(9_000), 0) }},
		{"byte.tif", func() []byte { // the compression is of another type than usual
			b := TIFF(5, 8, s(9_100), s(9_100), unpacked(9_100, 9_100))
			b[8+2+3*12+2] = 1
			return b
		}},
		{"shared.tif", func() []byte { return SharedStrips(65_535, 1_400_000/shrink) }},
		{"half_tiles.tif", func() []byte { return Tiles(s(65_535), s(1_025), s(1_024)) }},
		{"tiles.tif", func() []byte { return SharedTiles(s(7_900), s(7_900)) }},
	}
}

// zeros is a zlib stream of n zero bytes.
func zeros(n int64) []byte {
	// A block of fixed Huffman codes (RFC 1951, 3.2.6): one literal, and then
	// matches of 258 bytes at distance 1, each 8 + 5 bits that are all the same.
	w := &bits{out: []byte{0x78, 0x9c}}
	w.low(1, 1) // the last block
	w.low(1, 2) // fixed codes
	w.high(0x30, 8)
	rest := n - 1
	for ; rest >= 258; rest -= 258 {
		w.high(0xc5, 8) // length 258
		w.high(0, 5)    // distance 1
	}
	for ; rest > 0; rest-- {
		w.high(0x30, 8)
	}
	w.high(0, 7) // end of the block
	w.flush()
	return binary.BigEndian.AppendUint32(w.out, uint32(n%65521)<<16|1) // Adler-32
}

// bits writes bits, the first one lowest in its byte.
type bits struct {
	out []byte
	acc uint64
	n   uint
}

// low writes a number of n bits, its lowest bit first.
func (w *bits) low(v uint64, n uint) {
	w.acc |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

// high writes a number of n bits, its highest bit first.
func (w *bits) high(v uint64, n uint) {
	for n > 0 {
		n--
		w.low(v>>n&1, 1)
	}
}

// flush fills up the last byte with zeros.
func (w *bits) flush() {
	if w.n > 0 {
		w.low(0, 8-w.n)
	}
}

// reversed turns the bytes around, so that the first bit is the highest of its byte.
func (w *bits) reversed() []byte {
	for i, b := range w.out {
		w.out[i] = mathbits.Reverse8(b)
	}
	return w.out
}

// PNG is a black picture. Kind is the colour type: 0 grey, 2 RGB, 3 palette, 6
// RGBA.
func PNG(width, height, depth, kind int, interlaced bool) []byte {
	channels := map[int]int{0: 1, 2: 3, 3: 1, 6: 4}[kind]
	rows := func(w, h int) int64 {
		if w == 0 || h == 0 {
			return 0
		}
		return int64(h) * (1 + (int64(w)*int64(channels*depth)+7)/8)
	}
	size := rows(width, height)
	head := binary.BigEndian.AppendUint32(nil, uint32(width))
	head = binary.BigEndian.AppendUint32(head, uint32(height))
	head = append(head, byte(depth), byte(kind), 0, 0, 0)
	if interlaced {
		head[12] = 1
		size = 0
		for _, p := range [][4]int{{8, 0, 8, 0}, {8, 4, 8, 0}, {4, 0, 8, 4}, {4, 2, 4, 0}, {2, 0, 4, 2}, {2, 1, 2, 0}, {1, 0, 2, 1}} {
			size += rows((width-p[1]+p[0]-1)/p[0], (height-p[3]+p[2]-1)/p[2])
		}
	}
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(name string, body []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
		at := len(b)
		b = append(append(b, name...), body...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[at:]))
	}
	chunk("IHDR", head)
	if kind == 3 {
		chunk("PLTE", []byte{1, 2, 3, 4, 5, 6})
	}
	chunk("IDAT", zeros(size))
	chunk("IEND", nil)
	return b
}

// JPEG is a grey picture whose blocks take two bits each, or less where it is
// progressive.
type JPEG struct {
	Width, Height int
	Components    int  // 1, 3 or 4
	Subsampled    bool // 4:2:0
	Progressive   bool
	Apart         bool // a scan for each component
	Scans         int  // of a progressive one, of no coefficients at all
	Last          int  // coefficient of these scans; 0 means 63
	Refine        bool // these scans bring one more bit of what is not there
	Adobe         bool // RGB or CMYK by Adobe's marker, which fewer decoders read
	Tables        int  // Huffman tables before the first scan
	Decoy         bool // a small picture where careless readers look for the frame
}

// Bytes makes the file.
func (j JPEG) Bytes() []byte {
	b := []byte{0xff, 0xd8}
	segment := func(marker byte, body ...byte) {
		b = append(b, 0xff, marker)
		b = binary.BigEndian.AppendUint16(b, uint16(len(body)+2))
		b = append(b, body...)
	}
	if j.Decoy {
		b = append(b, 0xff, 0xd0) // a restart marker, which has no length
	}
	if j.Components == 4 || j.Adobe {
		segment(0xee, append([]byte("Adobe"), 0, 100, 0, 0, 0, 0, 0)...)
	} else {
		segment(0xe0, append([]byte("JFIF\x00"), 1, 1, 0, 0, 1, 0, 1, 0, 0)...)
	}
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	frame := []byte{8}
	frame = binary.BigEndian.AppendUint16(frame, uint16(j.Height))
	frame = binary.BigEndian.AppendUint16(frame, uint16(j.Width))
	frame = append(frame, byte(j.Components))
	for c := range j.Components {
		sampling := byte(0x11)
		if j.Subsampled && c == 0 {
			sampling = 0x22
		}
		frame = append(frame, byte(c+1), sampling, 0)
	}
	sof := byte(0xc0)
	if j.Progressive {
		sof = 0xc2
	}
	segment(sof, frame...)
	if j.Decoy {
		// As a length, the marker behind the restart marker leads to a comment.
		const at = 4 + 0xffee
		for len(b) < at {
			segment(0xfe, make([]byte, min(at-len(b), 60_000))...)
		}
		decoy := bytes.Repeat([]byte{0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xff, 0xda, 0, 2}, 200)
		segment(0xfe, decoy...)
	}
	// One code of one bit: no difference for DC; end of block, or of 32,767
	// blocks, for AC.
	lengths := append([]byte{1}, make([]byte, 15)...)
	end := byte(0)
	if j.Progressive {
		end = 0xe0
	}
	for range 1 + j.Tables {
		segment(0xc4, slices.Concat([]byte{0x00}, lengths, []byte{0}, []byte{0x10}, lengths, []byte{end})...)
	}
	scan := func(components []int, from, to, bits byte) {
		head := []byte{byte(len(components))}
		for _, c := range components {
			head = append(head, byte(c+1), 0)
		}
		segment(0xda, append(head, from, to, bits)...)
	}
	blocks := func(c, align int) int { // in the picture, aligned to units
		share := 1
		if j.Subsampled && c > 0 {
			share = 2
		}
		side := func(n int) int { return ((n+8*align-1)/(8*align)*align + share - 1) / share }
		return side(j.Width) * side(j.Height)
	}
	// The first scans, of bits each block: in a progressive picture of the first
	// coefficients alone.
	all := []int{0, 1, 2, 3}[:j.Components]
	groups, align := [][]int{all}, 1
	if j.Subsampled {
		align = 2
	}
	if j.Apart {
		groups, align = slices.Collect(slices.Chunk(all, 1)), 1
	}
	last, perBlock := byte(63), 2
	if j.Progressive {
		last, perBlock = 0, 1
	}
	for _, g := range groups {
		n := 0
		for _, c := range g {
			n += blocks(c, align)
		}
		scan(g, 0, last, 0)
		b = append(b, make([]byte, (perBlock*n+7)/8)...)
	}
	if last = 63; j.Last > 0 {
		last = byte(j.Last)
	}
	successive := byte(0)
	if j.Refine {
		successive = 0x10
	}
	for i := range j.Scans {
		c := i % j.Components
		// Runs of as many blocks as a code can end; no image needs all bits of
		// the last one.
		scan([]int{c}, 1, last, successive)
		w := new(bits)
		for n := blocks(c, 1); n > 0; n -= 1<<15 - 1 {
			w.high(0, 1)
			w.high(uint64(min(n, 1<<15-1))&(1<<14-1), 14)
			if n < 1<<14 { // too few for this code: the run goes beyond the picture
				break
			}
		}
		if w.n > 0 {
			w.low(0xff, 8-w.n)
		}
		b = append(b, bytes.ReplaceAll(w.reversed(), []byte{0xff}, []byte{0xff, 0})...)
	}
	return append(b, 0xff, 0xd9)
}

// riff wraps a chunk as a WebP.
func riff(name string, body []byte) []byte {
	if len(body)%2 == 1 {
		body = append(body, 0)
	}
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(12+len(body)))
	b = append(append(b, "WEBP"...), name...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	return append(b, body...)
}

// VP8L is a lossless WebP of one colour: its pixels take no bits at all.
func VP8L(width, height int) []byte {
	w := &bits{out: []byte{0x2f}}
	w.low(uint64(width-1), 14)
	w.low(uint64(height-1), 14)
	w.low(0, 1+3) // no transparency, version 0
	w.low(1, 1)
	w.low(2, 2) // the transform that subtracts green
	w.low(0, 1) // no more transforms
	w.low(0, 1) // no colour cache
	w.low(0, 1) // one group of codes
	for range 5 {
		w.low(1, 1) // a simple code
		w.low(0, 1) // of one symbol
		w.low(0, 1) // of one bit
		w.low(0, 1) // which is 0
	}
	w.flush()
	return riff("VP8L", append(w.out, make([]byte, 16)...))
}

// VP8LGroups is a lossless WebP of a single block of pixels and as many groups of
// Huffman codes, up to 65,536, as are given.
func VP8LGroups(groups int) []byte {
	w := &bits{out: []byte{0x2f}}
	w.low(511, 14)
	w.low(511, 14)
	w.low(0, 1+3+1+1) // no transparency, version 0, no transforms, no colour cache
	w.low(1, 1)
	w.low(7, 3) // blocks of 512×512
	w.low(0, 1)
	for _, symbol := range []int{(groups - 1) & 255, (groups - 1) >> 8} {
		w.low(0b101, 3) // a simple code of one symbol of 8 bits
		w.low(uint64(symbol), 8)
	}
	for range 3 + 5*groups {
		w.low(1, 4) // of one bit, which is 0
	}
	w.flush()
	return riff("VP8L", append(w.out, make([]byte, 16)...))
}

// VP8 is a lossy WebP whose macroblocks are noise, smoothed by the strongest
// filter, of size bytes.
func VP8(width, height, size int) []byte {
	const first = 1 << 18 // bytes of the first partition
	b := make([]byte, size)
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = byte(state >> 24)
	}
	// The frame header of RFC 6386, section 9.2 and on, as the boolean coder writes it:
	// the normal filter with level 63, one partition, quantiser 20, and zeros.
	copy(b, "\x0f\xc0\x28\x00\x00")
	tag := uint32(1<<4 | first<<5) // a key frame, shown
	head := []byte{byte(tag), byte(tag >> 8), byte(tag >> 16), 0x9d, 0x01, 0x2a}
	head = binary.LittleEndian.AppendUint16(head, uint16(width))
	head = binary.LittleEndian.AppendUint16(head, uint16(height))
	return riff("VP8 ", append(head, b...))
}

// GIF is a canvas with a frame of one colour.
func GIF(width, height, frameWidth, frameHeight int) []byte {
	b := []byte("GIF89a")
	for _, v := range []int{width, height} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	b = append(b, 0x80, 0, 0, 1, 2, 3, 4, 5, 6) // a palette of two colours
	b = append(b, 0x2c, 0, 0, 0, 0)
	for _, v := range []int{frameWidth, frameHeight} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	b = append(b, 0, 2)
	var packed bytes.Buffer
	w := lzw.NewWriter(&packed, lzw.LSB, 2)
	for row := make([]byte, frameWidth); frameHeight > 0; frameHeight-- {
		w.Write(row)
	}
	w.Close()
	for data := packed.Bytes(); len(data) > 0; {
		n := min(len(data), 255)
		b = append(append(b, byte(n)), data[:n]...)
		data = data[n:]
	}
	return append(b, 0, 0x3b)
}

// TIFF is a grey picture of depth bits a pixel in one strip, which unpacks to as
// many bytes as are given: by compression 8, Deflate, or 5, LZW. With 4, CCITT
// group 4, it unpacks to the picture.
func TIFF(compression, depth, width, height int, unpacked int64) []byte {
	var strip []byte
	switch compression {
	case 4:
		strip = bytes.Repeat([]byte{0xff}, height/8+16) // each bit a row like the one above
	case 5:
		strip = lzwZeros(unpacked)
	default:
		strip = zeros(unpacked)
	}
	return tiff(compression, depth, width, height, strip, []tag{{273, long, 1, 0}, {278, long, 1, height}, {279, long, 1, len(strip)}})
}

// SharedStrips is a picture one pixel wide whose strips, of a row each, are all the
// same bytes of the file: nearly all of them say nothing (PackBits).
func SharedStrips(height, size int) []byte {
	strip := append([]byte{0, 7}, bytes.Repeat([]byte{0x80}, size)...)
	tags := []tag{{273, long, height, len(strip)}, {278, long, 1, 1}, {279, long, height, len(strip) + 4*height}}
	data := slices.Concat(strip, longs(height, start(tags), 0), longs(height, len(strip), 0))
	return tiff(32773, 8, 1, height, data, tags)
}

// SharedTiles is a picture of tiles of 8×8 pixels that are all the same bytes of the
// file, near its beginning (Deflate).
func SharedTiles(width, height int) []byte {
	n := ((width + 7) / 8) * ((height + 7) / 8)
	tile := zeros(64)
	tags := []tag{{322, short, 1, 8}, {323, short, 1, 8}, {324, octet, n, len(tile)}, {325, octet, n, len(tile) + n}}
	data := slices.Concat(tile, bytes.Repeat([]byte{byte(start(tags))}, n), bytes.Repeat([]byte{byte(len(tile))}, n))
	return tiff(8, 8, width, height, data, tags)
}

// Tiles is a picture of square tiles, nearly half of them beyond its edge if it is a
// little too high for one row, that unpack to 8 bytes a pixel (LZW).
func Tiles(width, height, side int) []byte {
	n := ((width + side - 1) / side) * ((height + side - 1) / side)
	tile := lzwZeros(8 * int64(side) * int64(side))
	tags := []tag{{322, short, 1, side}, {323, short, 1, side}, {324, long, n, n * len(tile)}, {325, long, n, n*len(tile) + 4*n}}
	data := slices.Concat(bytes.Repeat(tile, n), longs(n, start(tags), len(tile)), longs(n, len(tile), 0))
	return tiff(5, 8, width, height, data, tags)
}

// longs are n numbers, from first on by step.
func longs(n, first, step int) (b []byte) {
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, uint32(first+i*step))
	}
	return b
}

// tag is an entry of a TIFF's directory: a number, or where in the data behind the
// directory several are; as tag 273, where one strip is.
type tag struct{ id, kind, count, value int }

const octet, short, long = 1, 3, 4 // kinds

const commonTags = 5 // that tiff adds

// start is where data begins behind a directory with more tags than the common ones.
func start(more []tag) int { return 8 + 2 + 12*(commonTags+len(more)) + 4 }

// tiff is a grey picture whose directory has more tags.
func tiff(compression, depth, width, height int, data []byte, more []tag) []byte {
	common := [commonTags]tag{{256, long, 1, width}, {257, long, 1, height}, {258, short, 1, depth}, {259, short, 1, compression}, {262, short, 1, 1}}
	b := []byte("II*\x00\x08\x00\x00\x00")
	b = binary.LittleEndian.AppendUint16(b, uint16(commonTags+len(more)))
	for _, t := range append(common[:], more...) {
		if t.count > 1 || t.id == 273 {
			t.value += start(more)
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(t.id))
		b = binary.LittleEndian.AppendUint16(b, uint16(t.kind))
		b = binary.LittleEndian.AppendUint32(b, uint32(t.count))
		b = binary.LittleEndian.AppendUint32(b, uint32(t.value))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, data...)
}

// lzwZeros packs n zero bytes, and a few more (TIFF 6.0, section 13): each code is
// the newest of the table, which is one byte longer than the one before.
func lzwZeros(n int64) []byte {
	const clear, end, most = 256, 257, 12
	w := new(bits)
	w.high(clear, 9)
	for n > 0 {
		w.high(0, 9)
		n--
		for newest, width, length := uint64(end+1), uint(9), int64(2); n > 0; length++ {
			w.high(newest, width)
			n -= length
			newest++
			if newest+1 >= 1<<width {
				if width == most {
					w.high(clear, width)
					break
				}
				width++
			}
		}
	}
	w.high(end, 12)
	w.flush()
	return w.reversed()
}
