package features

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"

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

// gifMemory counts a frame and a canvas, which are nearly always the same.
func gifMemory(_ []byte, c image.Config) int64 { return (1 + 4) * pixels(c) }

func bmpMemory(_ []byte, c image.Config) int64 { return pixels(c) * perPixel(c.ColorModel) }

// webpMemory: lossless pictures are decoded to 4 bytes a pixel, and once more
// where they have a palette; so is the transparency of lossy ones. An animation
// has a frame, copied out of the file, and a canvas.
func webpMemory(data []byte, c image.Config) int64 {
	var perPixel int64 = 2 // 1.5 and what is kept of each block of 16×16
	walk := data[12:]
	if still, _, canvas := firstFrame(data); still != nil {
		perPixel += 4
		walk = still[12:]
		c.Width, c.Height = canvas.Dx(), canvas.Dy()
	}
	for id := range riffChunks(walk) {
		switch id {
		case "ALPH", "VP8L":
			perPixel += 9
		}
	}
	return perPixel*pixels(c) + int64(len(data))
}

// tiffMemory: each strip or tile is unpacked whole, into a buffer that grows by
// doubling.
func tiffMemory(data []byte, c image.Config) int64 {
	const (
		compression  = 259
		rowsPerStrip = 278
		tileWidth    = 322
		tileLength   = 323
	)
	tags := tiffTags(data)
	w, h := int64(c.Width), int64(c.Height)
	if rows := tags[rowsPerStrip]; rows > 0 && rows < h {
		h = rows
	}
	if tw, tl := tags[tileWidth], tags[tileLength]; tw > 0 && tl > 0 {
		w, h = tw, tl
	}
	// What a byte of the file can unpack to, at most.
	var ratio int64
	switch tags[compression] {
	case 0, 1:
		ratio = 1
	case 2, 3, 4: // CCITT: as many bits as pixels
		return pixels(c)*perPixel(c.ColorModel) + 3*(w*h/8+h)
	case 5: // LZW
		ratio = 1600
	case 32773: // PackBits
		ratio = 64
	default: // Deflate
		ratio = 1032
	}
	// The decoder allows 8 bytes a pixel, whatever a pixel has.
	return pixels(c)*perPixel(c.ColorModel) + 3*min(8*w*h, ratio*int64(len(data)))
}

// tiffTags returns the numbers of the first directory of a TIFF structure, of
// types SHORT and LONG; of several under one tag, none.
func tiffTags(b []byte) map[uint16]int64 {
	const short, long = 3, 4
	tags := map[uint16]int64{}
	for e := range tiffEntries(b) {
		switch {
		case e.count != 1:
		case e.kind == short:
			tags[e.tag] = int64(e.order.Uint16(e.value))
		case e.kind == long:
			tags[e.tag] = int64(e.order.Uint32(e.value))
		}
	}
	return tags
}

// frame is what the header of a JPEG tells of its decoding.
type frame struct {
	progressive bool
	restarts    bool  // it may have restart intervals
	blocks      int64 // of 8×8 samples, in all components
	components  int
	scans       int // as far as they matter: of a progressive picture
}

// readFrame looks for the frame header, ITU-T T.81, B.2.2. Where it is not found
// as image/jpeg finds it, which reads over rubbish, the frame is the worst there
// is for the given size.
func readFrame(data []byte) frame {
	const sof0, sof2, dri = 0xc0, 0xc2, 0xdd
	for marker, body := range jpegSegments(data) {
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
		if across == 0 || down == 0 {
			break
		}
		f.blocks = unit * ((w + 8*across - 1) / (8 * across)) * ((h + 8*down - 1) / (8 * down))
		if f.progressive {
			f.scans = bytes.Count(data, []byte{0xff, 0xda})
			f.restarts = bytes.Contains(data, []byte{0xff, dri})
		}
		return f
	}
	return frame{progressive: true, restarts: true, components: 4, scans: bytes.Count(data, []byte{0xff, 0xda})}
}

// jpegMemory: image/jpeg keeps the coefficients of progressive pictures in 4
// bytes each, and makes another picture of CMYK and RGB.
func jpegMemory(data []byte, c image.Config) int64 {
	f := readFrame(data)
	if f.blocks == 0 {
		f.blocks = (pixels(c)/64 + 1) * 4 * 4 // sampled as strangely as can be
	}
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

func scaledMemory(data []byte, denom int) int64 {
	f := readFrame(data)
	return scaledjpeg.Memory(int64(len(data)), f.blocks, f.progressive, denom)
}
