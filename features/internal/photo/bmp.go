package photo

import (
	"encoding/binary"
	"errors"
	"image"

	"golang.org/x/image/bmp"
)

var bmpFormat = format{
	name:        "BMP",
	extensions:  []string{".bmp", ".dib"},
	match:       isBMP,
	config:      config(bmp.DecodeConfig),
	decode:      from(bmp.Decode),
	memory:      func(_ []byte, c image.Config) int64 { return pixels(c) * perPixel(c.ColorModel) },
	unsupported: func(err error) bool { return errors.Is(err, bmp.ErrUnsupported) },
}

// isBMP looks at the size of the second header too: plain text may begin with BM.
func isBMP(b []byte) bool {
	if len(b) < 18 || string(b[:2]) != "BM" {
		return false
	}
	n := binary.LittleEndian.Uint32(b[14:])
	return n >= 12 && n <= 124
}
