package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"iter"

	"github.com/onetomany/caption/internal/scaledjpeg"
)

var jpegFormat = format{
	name:         "JPEG",
	extensions:   []string{".jpg", ".jpeg", ".jpe", ".jfif"},
	match:        begins("\xff\xd8\xff"),
	config:       jpegConfig,
	decode:       decodeJPEG,
	orientation:  jpegOrientation,
	memory:       jpegMemory,
	scaled:       (*scaledjpeg.Decoder).Decode,
	scaledMemory: scaledMemory,
	truncated:    jpeg.FormatError("short Huffman data"),
	unsupported:  is[jpeg.UnsupportedError],
}

// decodeJPEG reads progressive pictures with restart intervals by itself:
// image/jpeg counts the units of their scans wrongly.
func decodeJPEG(in *input) (image.Image, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(in.data))
	if err == nil && readFrame(in.data, c).restarts {
		img, err := new(scaledjpeg.Decoder).Decode(in.ctx, in.data, 1)
		if !errors.Is(err, scaledjpeg.ErrOther) {
			return img, err
		}
	}
	return jpeg.Decode(in)
}

// jpegOrientation finds the EXIF block in an APP1 segment before the scan data
// (EXIF 2.32, section 4.5.4).
func jpegOrientation(b []byte) Orientation {
	const app1, head = 0xe1, "Exif\x00\x00"
	for marker, body := range jpegSegments(b) {
		if marker == sos {
			break
		}
		if marker == app1 && len(body) >= len(head) && string(body[:len(head)]) == head {
			return exifOrientation(body[len(head):])
		}
	}
	return Upright
}

// sos is the marker of a scan, whose data follow its header.
const sos = 0xda

// jpegSegments walks over the segments of a JPEG up to its end: marker, and what
// follows its length. Like image/jpeg it skips bytes that belong to no segment, the
// data of scans among them.
func jpegSegments(b []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		const rst0, rst7, eoi = 0xd0, 0xd7, 0xd9
		for b = b[2:]; ; {
			at := bytes.IndexByte(b, 0xff)
			if at < 0 || len(b) < at+4 {
				return
			}
			b = b[at:]
			marker := b[1]
			switch {
			case marker == 0xff: // fill byte
				b = b[1:]
				continue
			case marker == 0, marker >= rst0 && marker <= rst7: // without a length
				b = b[2:]
				continue
			}
			n := int(binary.BigEndian.Uint16(b[2:])) // with its own two bytes
			if marker == eoi || n < 2 || len(b) < 2+n || !yield(marker, b[4:2+n]) {
				return
			}
			b = b[2+n:]
		}
	}
}

// frame is what a JPEG's header says about decoding it.
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
	worst := frame{true, true, (pixels(c)/64 + int64(c.Width+c.Height)/8 + 1) * 4 * 4, 4} // with the most samples that the format allows
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

// Encoders write 10 scans, or up to 20 where they search for the smallest file. These
// go over the coefficients of a component two or three times, each for one more bit. A
// scan of few bytes takes as long as any other.
const (
	maxScans  = 100
	maxPasses = 8
)

// jpegConfig refuses pictures that take too long to decode.
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
// bytes each, and copies CMYK and RGB into another picture.
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
