package photo

import (
	"bytes"
	"image"
	"image/gif"
)

var gifFormat = format{
	name:       "GIF",
	extensions: []string{".gif"},
	match:      begins("GIF87a", "GIF89a"),
	config:     config(gif.DecodeConfig),
	decode:     decodeGIF,
	memory:     gifMemory,
}

// decodeGIF puts the first frame, which may be smaller, on the whole canvas.
func decodeGIF(in *input) (image.Image, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(in.data))
	if err != nil {
		return nil, err
	}
	img, err := gif.Decode(in)
	if err != nil {
		return nil, err
	}
	canvas := image.Rect(0, 0, c.Width, c.Height)
	if img.Bounds() == canvas {
		return img, nil
	}
	return onCanvas(img, img.Bounds().Min, canvas), nil
}

// gifMemory counts a frame, twice as it may be interlaced, and a canvas, though
// nearly all files need only one of them.
func gifMemory(_ []byte, c image.Config) int64 { return (1 + 1 + 4) * pixels(c) }
