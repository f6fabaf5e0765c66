package features

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"

	"golang.org/x/image/tiff"

	"github.com/onetomany/caption/internal/scaledjpeg"
)

// What decoding takes, by format, told from the header. The figures follow from
// how the decoders allocate; TestMemory holds them to what decoding does take.

// perPixel is the number of bytes of a pixel in memory.
func perPixel(m color.Model) int64 {
	switch m {
	case color.GrayModel, color.AlphaModel:
		return 1
	case color.Gray16Model, color.Alpha16Model:
		return 2
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	return 4
}

func pixels(c image.Config) int64 { return int64(c.Width) * int64(c.Height) }

// pngMemory: an interlaced picture is decoded in passes, each a picture of its
// own, that together are as large as it is. Grey may become RGB by a chunk for
// transparency that the header does not tell of.
func pngMemory(data []byte, c image.Config) int64 {
	n := pixels(c) * perPixel(c.ColorModel)
	if n < 4*pixels(c) && bytes.Contains(data, []byte("tRNS")) {
		n *= 4
	}
	const interlace = 8 + 8 + 12 // behind the signature, in IHDR
	if len(data) > interlace && data[interlace] != 0 {
		n *= 2
	}
	return n
}

// gifMemory counts a frame, once more as it is interlaced, and a canvas; nearly
// always there is but one of them.
func gifMemory(_ []byte, c image.Config) int64 { return (1 + 1 + 4) * pixels(c) }

func bmpMemory(_ []byte, c image.Config) int64 { return pixels(c) * perPixel(c.ColorModel) }

// webpMemory: lossless pictures are decoded to 4 bytes a pixel, and once more
// where they have a palette; so is the transparency of lossy ones. An animation
// has a frame, copied out of the file, and a canvas. A chunk counts wherever its
// name stands: what the file says of lengths, decoders need not believe.
func webpMemory(data []byte, c image.Config) int64 {
	var perPixel int64 = 2 // 1.5 and what is kept of each block of 16×16
	if _, _, canvas := firstFrame(data); !canvas.Empty() {
		perPixel += 4
	}
	if c.ColorModel != color.YCbCrModel || bytes.Contains(data, []byte("VP8L")) || bytes.Contains(data, []byte("ALPH")) {
		perPixel += 9
	}
	return perPixel*pixels(c) + int64(len(data)) + groupMemory(data)
}

// groupMemory is what the groups of Huffman codes of a lossless WebP take, or of the
// transparency of a lossy one: a table each, and the trees, of as many nodes as the
// symbols have, or as their code lengths in the file can make.
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

// blocks is how a TIFF is stored: strips or tiles of w×h pixels, each of which is
// unpacked whole.
type blocks struct {
	w, h, n     int64
	compression int64
	bytes       int64 // in the file, of all together
}

// readBlocks reads the directory as x/image/tiff does.
func readBlocks(data []byte, c image.Config) (blocks, error) {
	const (
		compression     = 259
		rowsPerStrip    = 278
		stripByteCounts = 279
		tileWidth       = 322
		tileLength      = 323
		tileByteCounts  = 325
		planar          = 284
	)
	tags := map[uint16]tiffEntry{}
	for e := range tiffEntries(data) {
		tags[e.tag] = e
	}
	first := func(tag uint16) int64 {
		if v := tags[tag].numbers(data, 1); len(v) > 0 {
			return v[0]
		}
		return 0
	}
	if first(planar) == 2 {
		return blocks{}, tiff.UnsupportedError("colours in planes of their own")
	}
	b := blocks{w: int64(c.Width), h: int64(c.Height), compression: first(compression)}
	counts := tags[stripByteCounts]
	if w := first(tileWidth); w > 0 {
		b.w, b.h, counts = w, first(tileLength), tags[tileByteCounts]
	} else if rows := first(rowsPerStrip); rows > 0 && rows < b.h {
		b.h = rows
	}
	if b.h <= 0 || b.w > DefaultMaxPixels || b.h > DefaultMaxPixels {
		return b, fmt.Errorf("%w: TIFF with tiles of %d×%d pixels", ErrCorrupt, b.w, b.h)
	}
	b.n = ((int64(c.Width) + b.w - 1) / b.w) * ((int64(c.Height) + b.h - 1) / b.h)
	// Opening a block takes microseconds, and a strip a row is the most that makes
	// sense.
	if b.n > DefaultMaxSide {
		return b, fmt.Errorf("%w: a TIFF of %d strips or tiles, above the limit of %d; save it again", ErrTooLarge, b.n, DefaultMaxSide)
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

// unpacked is what a byte of the file can become, at most.
func (b blocks) unpacked() int64 {
	switch b.compression {
	case 0, 1:
		return 1
	case 5: // LZW
		return 1600
	case 32773: // PackBits
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
	if b.compression >= 2 && b.compression <= 4 { // CCITT: as many bits as pixels
		return picture + 3*(b.w*b.h/8+b.h)
	}
	// The decoder allows 8 bytes a pixel, whatever a pixel has.
	return picture + 3*min(8*b.w*b.h, b.unpacked()*int64(len(data)))
}

// frame is what the header of a JPEG tells of its decoding.
type frame struct {
	progressive bool
	restarts    bool  // it may have restart intervals
	blocks      int64 // of 8×8 samples, in all components
	components  int
}

// readFrame finds the frame header, ITU-T T.81, B.2.2, of a picture that has the
// given size. Where it is not found, the frame is the worst that there can be.
func readFrame(data []byte, c image.Config) frame {
	const sof0, sof2, dri = 0xc0, 0xc2, 0xdd
	worst := frame{true, true, (pixels(c)/64 + int64(c.Width+c.Height)/8 + 1) * 4 * 4, 4} // sampled as strangely as can be
	for marker, body := range jpegSegments(data) {
		if marker == sos {
			break
		}
		if marker < sof0 || marker > sof2 || len(body) < 6 || len(body) != 6+3*int(body[5]) {
			continue
		}
		f := frame{progressive: marker == sof2, components: int(body[5])}
		h, w := int64(binary.BigEndian.Uint16(body[1:])), int64(binary.BigEndian.Uint16(body[3:]))
		var across, down, unit int64 // the largest factors, and blocks of a unit (MCU)
		for c := body[6:]; len(c) > 0; c = c[3:] {
			x, y := int64(c[1]>>4), int64(c[1]&15)
			across, down, unit = max(across, x), max(down, y), unit+x*y
		}
		if f.components == 1 {
			across, down, unit = 1, 1, 1
		}
		if across == 0 || down == 0 || w != int64(c.Width) || h != int64(c.Height) || (f.components == 1) != (c.ColorModel == color.GrayModel) {
			break
		}
		f.blocks = unit * ((w + 8*across - 1) / (8 * across)) * ((h + 8*down - 1) / (8 * down))
		f.restarts = f.progressive && bytes.Contains(data, []byte{0xff, dri})
		return f
	}
	return worst
}

// Encoders write 10 scans, or up to 20 where they look for the smallest file, which
// go two or three times over the coefficients of a component, for one more bit of
// each. A scan takes as long as any other where a few bytes are all that it has.
const (
	maxScans  = 100
	maxPasses = 8
)

// jpegConfig refuses pictures that take their time.
func jpegConfig(data []byte) (image.Config, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return c, err
	}
	f := readFrame(data, c)
	scans, coefficients := 0, 0
	for marker, body := range jpegSegments(data) {
		if marker != sos {
			continue
		}
		scans++
		// B.2.3: the components with two bytes each, the first and the last
		// coefficient.
		if len(body) == 0 {
			continue
		}
		if n := 2 * int(body[0]); len(body) >= 3+n {
			coefficients += n / 2 * max(0, min(int(body[2+n]), 63)-int(body[1+n])+1)
		}
	}
	most, passes := maxScans, (coefficients+64*f.components-1)/(64*f.components)
	switch {
	case !f.progressive:
		most, passes = f.components, 0
	case f.restarts: // tried by two decoders
		most, passes = most/2, 2*passes
	}
	if scans > most || passes > maxPasses {
		err = fmt.Errorf("%w: a JPEG of %d scans that go %d times over the picture; %d and %d are the limits; save it again", ErrTooLarge, scans, passes, most, maxPasses)
	}
	return c, err
}

// jpegMemory: image/jpeg keeps the coefficients of progressive pictures in 4
// bytes each, and makes another picture of CMYK and RGB.
func jpegMemory(data []byte, c image.Config) int64 {
	f := readFrame(data, c)
	n := 64 * f.blocks
	if f.progressive {
		n += 4 * 64 * f.blocks
		if f.restarts { // decoded here first, and left to image/jpeg where that fails
			n += scaledjpeg.Memory(int64(len(data)), f.blocks, true, 1)
		}
	}
	if perPixel := int64(4); f.components == 4 || c.ColorModel == color.RGBAModel {
		n += perPixel * pixels(c)
	}
	return n
}

func scaledMemory(data []byte, c image.Config, denom int) int64 {
	f := readFrame(data, c)
	return scaledjpeg.Memory(int64(len(data)), f.blocks, f.progressive, denom)
}
