package photo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"iter"

	"golang.org/x/image/webp"
)

var webpFormat = format{
	name:        "WebP",
	extensions:  []string{".webp"},
	match:       isWebP,
	config:      config(webp.DecodeConfig),
	decode:      decodeWebP,
	orientation: webpOrientation,
	memory:      webpMemory,
}

func isWebP(b []byte) bool {
	return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
}

// decodeWebP is webp.Decode that also reads the first frame of animations, and gives
// lossy pictures their full range of colours.
func decodeWebP(in *input) (image.Image, error) {
	frame, at, canvas := firstFrame(in.data)
	if frame == nil {
		return decodeStill(in)
	}
	c, err := webp.DecodeConfig(bytes.NewReader(frame))
	if err != nil {
		return nil, err
	}
	if !image.Rect(0, 0, c.Width, c.Height).Add(at).In(canvas) {
		return nil, fmt.Errorf("webp: a frame of %d×%d pixels at %v leaves the canvas of %d×%d", c.Width, c.Height, at, canvas.Dx(), canvas.Dy())
	}
	img, err := decodeStill(&input{ctx: in.ctx, data: frame})
	if err != nil {
		return nil, err
	}
	if img.Bounds() == canvas {
		return img, nil
	}
	return onCanvas(img, at, canvas), nil
}

func decodeStill(in *input) (image.Image, error) {
	img, err := webp.Decode(in)
	switch m := img.(type) {
	case *image.YCbCr:
		fullRange(m)
	case *image.NYCbCrA:
		fullRange(&m.YCbCr)
	}
	return img, err
}

// fullRange stretches the planes of VP8, luma 16..235 and chroma 16..240 (RFC
// 6386, section 9.2: ITU-R BT.601), to the 0..255 that image.YCbCr stands for.
// Without it the picture is washed out.
func fullRange(m *image.YCbCr) {
	var luma, chroma [256]uint8
	for v := range 256 {
		luma[v] = uint8(min(max(((v-16)*255+109)/219, 0), 255))
		c := (v - 128) * 255 * 2
		if c < 0 {
			c -= 224
		} else {
			c += 224
		}
		chroma[v] = uint8(min(max(128+c/448, 0), 255)) // rounded to nearest
	}
	for i, v := range m.Y {
		m.Y[i] = luma[v]
	}
	for i, v := range m.Cb {
		m.Cb[i] = chroma[v]
	}
	for i, v := range m.Cr {
		m.Cr[i] = chroma[v]
	}
}

// firstFrame makes a still WebP of an animation's first frame and returns its
// place on the canvas; nil if data is no animation (WebP container
// specification, "Animation").
func firstFrame(data []byte) (still []byte, at image.Point, canvas image.Rectangle) {
	if !isWebP(data) {
		return nil, at, canvas
	}
	for id, b := range riffChunks(data[12:]) {
		const animation = 1 << 1
		switch {
		case id == "VP8X" && len(b) >= 10 && b[0]&animation != 0:
			canvas = image.Rect(0, 0, 1+uint24(b[4:]), 1+uint24(b[7:]))
		case canvas.Empty():
			return nil, at, canvas // VP8X is the first chunk
		case id == "ANMF" && len(b) >= 16:
			at = image.Pt(2*uint24(b), 2*uint24(b[3:]))
			still = append(still, "RIFF\x00\x00\x00\x00WEBP"...)
			if bytes.HasPrefix(b[16:], []byte("ALPH")) {
				const alpha = 1 << 4
				still = append(still, "VP8X\x0a\x00\x00\x00"...)
				still = append(still, alpha, 0, 0, 0)
				still = append(still, b[6:12]...) // width and height, less one
			}
			still = append(still, b[16:]...)
			binary.LittleEndian.PutUint32(still[4:], uint32(len(still)-8))
			return still, at, canvas
		}
	}
	return nil, at, canvas
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// riffChunks walks over chunks: name, then body. It ends at the first that is
// cut off.
func riffChunks(b []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(b) >= 8 {
			n := uint64(binary.LittleEndian.Uint32(b[4:]))
			if n > uint64(len(b)-8) || !yield(string(b[:4]), b[8:8+n]) {
				return
			}
			n += n & 1 // padded to even
			b = b[min(8+n, uint64(len(b))):]
		}
	}
}

// webpOrientation finds the RIFF chunk EXIF (WebP container specification,
// "Metadata"); some writers put JPEG's "Exif\0\0" in front.
func webpOrientation(b []byte) Orientation {
	for id, body := range riffChunks(b[12:]) {
		if id == "EXIF" {
			if len(body) >= 6 && string(body[:6]) == "Exif\x00\x00" {
				body = body[6:]
			}
			return exifOrientation(body)
		}
	}
	return Upright
}

// webpMemory: lossless pictures are decoded to 4 bytes a pixel, and once more
// where they have a palette; so is the transparency of lossy ones. An animation
// has a frame, copied out of the file, and a canvas. A chunk counts wherever its
// name stands: decoders need not believe the lengths that the file gives.
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
