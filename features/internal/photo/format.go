package photo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"slices"

	"github.com/onetomany/caption/internal/message"
	"github.com/onetomany/caption/internal/scaledjpeg"
)

// format is a picture format. The functions get the whole file.
type format struct {
	name       string
	extensions []string // of its files, in lower case
	match      func(data []byte) bool

	// config reads the header. It refuses only what is above limits of this format's
	// own, such as scans of a JPEG; Parse and Admit hold what it returns to the Limits.
	config func(data []byte) (image.Config, error)
	decode func(in *input) (image.Image, error)

	// orientation finds the EXIF orientation; nil if the format has none.
	orientation func(data []byte) Orientation

	// memory is what decode takes at most, in bytes, beside the file: the
	// picture, and all that is made on the way, what waits for the garbage
	// collector included. The figures follow from how the decoders allocate;
	// TestMemory holds them to what decoding does take.
	memory func(data []byte, c image.Config) int64

	// work is how many bytes pass through decode, at most; nil if that is no more
	// than the pixels.
	work func(data []byte, c image.Config) int64

	// scaled decodes at 1/denom of the size, rounded up, a picture valid until
	// the next one, and scaledMemory is what that takes; nil, or an error that
	// wraps scaledjpeg.ErrOther, if it cannot.
	scaled       func(d *scaledjpeg.Decoder, ctx context.Context, data []byte, denom int) (image.Image, error)
	scaledMemory func(data []byte, c image.Config, denom int) int64

	// What decode's errors mean.
	truncated   error                // that the file ends early, beside io.EOF and io.ErrUnexpectedEOF
	unsupported func(err error) bool // that the decoder lacks something; nil if none does
}

// formats are all that can be read, in the order in which messages name them.
var formats = []format{jpegFormat, pngFormat, gifFormat, webpFormat, bmpFormat, tiffFormat}

// formatOf tells the format of a file by its content.
func formatOf(data []byte) (*format, error) {
	for i := range formats {
		if formats[i].match(data) {
			return &formats[i], nil
		}
	}
	return nil, fmt.Errorf("%w: %s; %s are", ErrNotImage, looksLike(data), message.List("and", Formats()))
}

// Formats are the names of all that can be read.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// Extensions are those of the files that are pictures, in lower case. Formats that
// cannot be read are among them, to be reported rather than passed over.
func Extensions() []string {
	var all []string
	for _, f := range formats {
		all = append(all, f.extensions...)
	}
	return append(all, ".heic", ".heif", ".avif")
}

// begins matches files that begin with one of the magics.
func begins(magics ...string) func(data []byte) bool {
	return func(data []byte) bool {
		return slices.ContainsFunc(magics, func(m string) bool { return bytes.HasPrefix(data, []byte(m)) })
	}
}

func config(read func(io.Reader) (image.Config, error)) func([]byte) (image.Config, error) {
	return func(data []byte) (image.Config, error) { return read(bytes.NewReader(data)) }
}

func from(decode func(io.Reader) (image.Image, error)) func(*input) (image.Image, error) {
	return func(in *input) (image.Image, error) { return decode(in) }
}

// is reports whether err is, or wraps, an E.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// rescue turns a panic of a decoder into an error: hostile files are expected,
// and not all decoders are hardened.
func (f *format) rescue(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: the %s decoder gave up: %v", ErrCorrupt, f.name, r)
	}
}

// wrap classifies a decoder's error.
func (f *format) wrap(err error) error {
	kind := ErrCorrupt
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrCorrupt):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), f.truncated != nil && errors.Is(err, f.truncated):
		return fmt.Errorf("%w: the %s data ends early; copy or download it again", ErrTruncated, f.name)
	case f.unsupported != nil && f.unsupported(err):
		kind = ErrUnsupported
	}
	return fmt.Errorf("%w: %s: %w", kind, f.name, err)
}

func pixels(c image.Config) int64 { return int64(c.Width) * int64(c.Height) }

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

// onCanvas draws img over white, its first pixel at a point of the canvas.
func onCanvas(img image.Image, at image.Point, canvas image.Rectangle) *image.RGBA {
	dst := image.NewRGBA(canvas)
	draw.Draw(dst, canvas, image.White, image.Point{}, draw.Src)
	draw.Draw(dst, img.Bounds().Sub(img.Bounds().Min).Add(at), img, img.Bounds().Min, draw.Over)
	return dst
}
