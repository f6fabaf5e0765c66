package photo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"iter"
	"math"

	"golang.org/x/image/tiff"
)

var tiffFormat = format{
	name:        "TIFF",
	extensions:  []string{".tif", ".tiff"},
	match:       begins("II*\x00", "MM\x00*"),
	config:      tiffConfig,
	decode:      decodeTIFF,
	orientation: exifOrientation,
	memory:      tiffMemory,
	work:        tiffWork,
	unsupported: is[tiff.UnsupportedError],
}

// decodeTIFF inverts fax pictures with black as zero, which tiff.Decode returns as
// negatives of what libtiff reads.
func decodeTIFF(in *input) (image.Image, error) {
	img, err := tiff.Decode(in)
	d := readDirectory(in.data)
	c := d.first(tagCompression)
	if m, ok := img.(*image.Gray); ok && (c == ccittGroup3 || c == ccittGroup4) && d.first(tagPhotometric) == blackIsZero {
		for i, v := range m.Pix {
			m.Pix[i] = ^v
		}
	}
	return img, err
}

// The tags of TIFF 6.0 that matter here, and values of them.
const (
	tagCompression     = 259
	tagPhotometric     = 262
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileByteCounts  = 325

	ccittHuffman = 2 // of tagCompression, and so on
	ccittGroup3  = 3
	ccittGroup4  = 4
	lzwPacked    = 5
	packBits     = 32773
	blackIsZero  = 1 // of tagPhotometric
	planesApart  = 2 // of tagPlanar
)

// directory is the first directory of a TIFF file, by tag.
type directory struct {
	file    []byte
	entries map[uint16]tiffEntry
}

func readDirectory(file []byte) directory {
	d := directory{file, map[uint16]tiffEntry{}}
	for e := range tiffEntries(file) {
		d.entries[e.tag] = e
	}
	return d
}

// first is the first number of a tag, 0 where there is none.
func (d directory) first(tag uint16) int64 {
	if v := d.entries[tag].numbers(d.file, 1); len(v) > 0 {
		return v[0]
	}
	return 0
}

// blocks is how a TIFF is stored: strips or tiles of w×h pixels, each of which is
// unpacked whole.
type blocks struct {
	w, h, n     int64
	compression int64
	bytes       int64 // in the file, of all together
}

// readBlocks reads the directory as x/image/tiff does.
func readBlocks(data []byte, c image.Config) (blocks, error) {
	d := readDirectory(data)
	if d.first(tagPlanar) == planesApart {
		return blocks{}, tiff.UnsupportedError("colours in planes of their own")
	}
	b := blocks{w: int64(c.Width), h: int64(c.Height), compression: d.first(tagCompression)}
	counts := d.entries[tagStripByteCounts]
	if w := d.first(tagTileWidth); w > 0 {
		b.w, b.h, counts = w, d.first(tagTileLength), d.entries[tagTileByteCounts]
	} else if rows := d.first(tagRowsPerStrip); rows > 0 && rows < b.h {
		b.h = rows
	}
	const maxSide = 200_000_000 // whose products fit in 64 bits
	if b.h <= 0 || b.w > maxSide || b.h > maxSide {
		return b, fmt.Errorf("%w: TIFF with tiles of %d×%d pixels", ErrCorrupt, b.w, b.h)
	}
	b.n = ((int64(c.Width) + b.w - 1) / b.w) * ((int64(c.Height) + b.h - 1) / b.h)
	// Opening a block takes microseconds, and a strip a row is the most that makes
	// sense.
	const most = 1<<16 - 1
	if b.n > most {
		return b, fmt.Errorf("%w: a TIFF of %d strips or tiles, above the limit of %d; save it again", ErrTooLarge, b.n, most)
	}
	for _, n := range counts.numbers(data, int(b.n)) {
		b.bytes += n
	}
	return b, nil
}

// tiffConfig refuses files whose strips share their data, to be unpacked again and
// again.
func tiffConfig(data []byte) (image.Config, error) {
	c, err := tiff.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width <= 0 || c.Height <= 0 {
		return c, err
	}
	b, err := readBlocks(data, c)
	if err == nil && b.bytes > 2*int64(len(data)) {
		err = fmt.Errorf("%w: TIFF whose strips have %d bytes, in a file of %d", ErrCorrupt, b.bytes, len(data))
	}
	return c, err
}

// unpacked is the most bytes that a byte of the file can unpack to.
func (b blocks) unpacked() int64 {
	switch b.compression {
	case 0, 1:
		return 1
	case lzwPacked:
		return 1600
	case packBits:
		return 64
	}
	return 1032 // Deflate
}

// tiffWork is what all strips and tiles unpack to: 8 bytes a pixel, those that fill
// up tiles included, are what the decoder allows.
func tiffWork(data []byte, c image.Config) int64 {
	b, err := readBlocks(data, c)
	if err != nil {
		return math.MaxInt64
	}
	return min(8*b.w*b.h*b.n, b.unpacked()*int64(len(data)))
}

// tiffMemory: strips and tiles are unpacked into a buffer that grows by doubling.
func tiffMemory(data []byte, c image.Config) int64 {
	picture := pixels(c) * perPixel(c.ColorModel)
	b, err := readBlocks(data, c)
	if err != nil {
		return math.MaxInt64
	}
	if b.compression >= ccittHuffman && b.compression <= ccittGroup4 { // as many bits as pixels
		return picture + 3*(b.w*b.h/8+b.h)
	}
	// The decoder allows 8 bytes a pixel, whatever a pixel has.
	return picture + 3*min(8*b.w*b.h, b.unpacked()*int64(len(data)))
}

// tiffEntry is an entry of a directory: count values of a kind, or where they are.
type tiffEntry struct {
	tag, kind uint16
	count     uint32
	value     []byte // 4 bytes
	order     binary.ByteOrder
}

// numbers returns up to most of the entry's values, of the types that x/image/tiff
// reads: BYTE, SHORT and LONG; nil where they are not in the file.
func (e tiffEntry) numbers(file []byte, most int) []int64 {
	size := int64(map[uint16]int{1: 1, 3: 2, 4: 4}[e.kind])
	if size == 0 {
		return nil
	}
	b := e.value
	if size*int64(e.count) > 4 {
		b = file[min(int64(e.order.Uint32(e.value)), int64(len(file))):]
	}
	n := min(int64(e.count), int64(most))
	if size*n > int64(len(b)) {
		return nil
	}
	out := make([]int64, n)
	for i := range out {
		switch v := b[int64(i)*size:]; size {
		case 1:
			out[i] = int64(v[0])
		case 2:
			out[i] = int64(e.order.Uint16(v))
		case 4:
			out[i] = int64(e.order.Uint32(v))
		}
	}
	return out
}

// tiffEntries walks over the first directory of a TIFF structure.
func tiffEntries(b []byte) iter.Seq[tiffEntry] {
	return func(yield func(tiffEntry) bool) {
		if len(b) < 8 {
			return
		}
		var order binary.ByteOrder
		switch string(b[:4]) {
		case "II*\x00":
			order = binary.LittleEndian
		case "MM\x00*":
			order = binary.BigEndian
		default:
			return
		}
		at := uint64(order.Uint32(b[4:]))
		if at+2 > uint64(len(b)) {
			return
		}
		n := order.Uint16(b[at:])
		for dir := b[at+2:]; n > 0 && len(dir) >= 12; n, dir = n-1, dir[12:] {
			if !yield(tiffEntry{order.Uint16(dir), order.Uint16(dir[2:]), order.Uint32(dir[4:]), dir[8:12], order}) {
				return
			}
		}
	}
}
