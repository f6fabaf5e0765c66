package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
)

var pngFormat = format{
	name:        "PNG",
	extensions:  []string{".png"},
	match:       begins("\x89PNG\r\n\x1a\n"),
	config:      pngConfig,
	decode:      from(png.Decode),
	orientation: pngOrientation,
	memory:      pngMemory,
	truncated:   png.FormatError("not enough pixel data"),
	unsupported: is[png.UnsupportedError],
}

// pngConfig also returns the size of pictures with more pixels than an int of 32 bits
// can count: it is the limits that refuse them.
func pngConfig(data []byte) (image.Config, error) {
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if errors.Is(err, png.UnsupportedError("dimension overflow")) {
		c.Width, c.Height, err = int(binary.BigEndian.Uint32(data[16:])), int(binary.BigEndian.Uint32(data[20:])), nil
	}
	return c, err
}

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

// pngOrientation finds the chunk eXIf (PNG, third edition, 11.3.4.5).
func pngOrientation(b []byte) Orientation {
	for b = b[8:]; len(b) >= 12; {
		n := uint64(binary.BigEndian.Uint32(b))
		if n > uint64(len(b)-12) {
			break
		}
		if string(b[4:8]) == "eXIf" {
			return exifOrientation(b[8 : 8+n])
		}
		b = b[12+n:]
	}
	return Upright
}
