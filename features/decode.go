package features

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"sync"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/onetomany/caption/internal/scaledjpeg"
)

// Limits bounds what one photo may take. They are checked before the picture
// is decoded. Zero fields, and a nil *Limits, mean the defaults.
type Limits struct {
	// MaxBytes is the largest file. 0 means DefaultMaxBytes.
	MaxBytes int64

	// MaxPixels is the largest width·height. 0 means DefaultMaxPixels.
	MaxPixels int64

	// MaxMemory is the most that decoding may take, in bytes. 0 means
	// DefaultMaxMemory.
	MaxMemory int64
}

const (
	// DefaultMaxBytes admits an uncompressed photo of 64 megapixels and every
	// JPEG that a camera writes; a photo is in memory whole while it is decoded.
	DefaultMaxBytes = 256 << 20

	// DefaultMaxPixels is what the largest phone sensors give (16,320×12,240).
	// Decoded it takes 0.3 to 1.6 GB, by format.
	DefaultMaxPixels = 200_000_000

	// DefaultMaxMemory is the memory that photos may take while they are
	// decoded, in bytes.
	DefaultMaxMemory = 1 << 30
)

func (l *Limits) withDefaults() Limits {
	var out Limits
	if l != nil {
		out = *l
	}
	if out.MaxBytes <= 0 {
		out.MaxBytes = DefaultMaxBytes
	}
	if out.MaxPixels <= 0 {
		out.MaxPixels = DefaultMaxPixels
	}
	return out
}

// Errors about one photo. They come wrapped, with what was found.
var (
	// ErrNotImage: the content is none of the formats that Decode reads.
	ErrNotImage = errors.New("not a picture that can be read")

	// ErrTooLarge: the file or the picture is above a limit.
	ErrTooLarge = errors.New("picture too large")

	// ErrTruncated: the file ends before the picture does.
	ErrTruncated = errors.New("picture cut off")

	// ErrCorrupt: the content breaks the rules of its format.
	ErrCorrupt = errors.New("picture damaged")

	// ErrUnsupported: a rare variant of a format that the decoder lacks.
	ErrUnsupported = errors.New("picture of an unsupported kind")
)

// Decode reads a picture and turns it upright by its EXIF orientation. Pixels
// keep the file's colour model; transparency is left to Preprocessing. The
// error wraps one of the Err variables above, or is r's own.
func Decode(r io.Reader, lim *Limits) (image.Image, error) {
	l := lim.withDefaults()
	data, err := readAll(context.Background(), r, l, nil)
	if err != nil {
		return nil, err
	}
	h, err := readHeader(data, l)
	if err != nil {
		return nil, err
	}
	p, err := h.decode(data, 1, nil)
	if err != nil {
		return nil, err
	}
	return p.upright(), nil
}

// photo is a decoded picture that is not turned yet: the resized picture is
// turned, which is cheaper.
type photo struct {
	image.Image
	orient  orientation
	reduced bool // smaller than in the file
}

func (p photo) upright() image.Image {
	if p.orient == upright {
		return p.Image
	}
	return p.orient.apply(smooth(p.Image)) // turning makes RGB of it
}

// memory is what it takes to read a photo, used again for the next: the kernel
// takes as long to give out fresh memory as some photos take to be decoded.
type memory struct {
	file bytes.Buffer
	jpeg scaledjpeg.Decoder
}

var memories = sync.Pool{New: func() any { return new(memory) }}

// readAll reads a whole photo, at most l.MaxBytes; into buf, if that is not nil
// and r is a file.
func readAll(ctx context.Context, r io.Reader, l Limits, buf *bytes.Buffer) ([]byte, error) {
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
			if fi.Size() > l.MaxBytes {
				return nil, tooManyBytes(fi.Size(), l)
			}
			return readTo(ctx, r, l, buf, fi.Size())
		}
	}
	// A pipe or a terminal may keep a Read waiting for ever; ctx must end it.
	var data []byte
	var err error
	done := make(chan struct{})
	go func() {
		data, err = readTo(ctx, r, l, nil, 0) // which may go on when buf is another's
		close(done)
	}()
	select {
	case <-done:
		return data, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func readTo(ctx context.Context, r io.Reader, l Limits, buf *bytes.Buffer, size int64) ([]byte, error) {
	if buf == nil {
		buf = new(bytes.Buffer)
	}
	buf.Reset()
	buf.Grow(int(size) + bytes.MinRead) // ReadFrom wants spare room to see the end
	n, err := buf.ReadFrom(io.LimitReader(ctxReader{ctx, r}, l.MaxBytes+1))
	switch {
	case err != nil:
		return nil, err
	case n > l.MaxBytes:
		return nil, tooManyBytes(n, l)
	}
	return buf.Bytes(), nil
}

func tooManyBytes(n int64, l Limits) error {
	return fmt.Errorf("%w: %d bytes or more, above the limit of %d; make it smaller", ErrTooLarge, n, l.MaxBytes)
}

// ctxReader stops between two reads when its context is done.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// format is a picture format: how its header and its pixels are read.
type format struct {
	name   string
	match  func(data []byte) bool
	config func(r io.Reader) (image.Config, error)
	decode func(r io.Reader) (image.Image, error)
	orient func(data []byte) orientation // nil if the format has none

	// scaled decodes at 1/denom of the size, rounded up, a picture valid until
	// the next one; nil, or an error, if it cannot.
	scaled func(d *scaledjpeg.Decoder, data []byte, denom int) (image.Image, error)
}

var formats = []format{
	{"JPEG", isJPEG, jpeg.DecodeConfig, jpeg.Decode, jpegOrientation, (*scaledjpeg.Decoder).Decode},
	{"PNG", isPNG, png.DecodeConfig, png.Decode, pngOrientation, nil},
	{"GIF", isGIF, gif.DecodeConfig, decodeGIF, nil, nil},
	{"WebP", isWebP, webp.DecodeConfig, decodeWebP, webpOrientation, nil},
	{"BMP", isBMP, bmp.DecodeConfig, bmp.Decode, nil, nil},
	{"TIFF", isTIFF, tiff.DecodeConfig, tiff.Decode, tiffOrientation, nil},
}

// header is what is known of a photo before its pixels are decoded.
type header struct {
	*format
	width, height int // as stored, before orient
	orient        orientation
}

// pixels is the number of pixels that decoding may allocate.
func (h header) pixels() int64 { return int64(h.width) * int64(h.height) }

// readHeader finds the format and checks the limits.
func readHeader(data []byte, l Limits) (h header, err error) {
	for i := range formats {
		if formats[i].match(data) {
			h.format = &formats[i]
			break
		}
	}
	if h.format == nil {
		return h, fmt.Errorf("%w: %s; JPEG, PNG, GIF, WebP, BMP and TIFF are", ErrNotImage, looksLike(data))
	}
	defer h.rescue(&err)
	c, err := h.config(bytes.NewReader(data))
	if err != nil {
		return h, h.wrap(err)
	}
	h.width, h.height = c.Width, c.Height
	if c.Width <= 0 || c.Height <= 0 {
		return h, fmt.Errorf("%w: %s of %d×%d pixels", ErrCorrupt, h.name, c.Width, c.Height)
	}
	if int64(c.Width) > l.MaxPixels/int64(c.Height) {
		return h, fmt.Errorf("%w: %s of %d×%d pixels, above the limit of %d; make it smaller", ErrTooLarge, h.name, c.Width, c.Height, l.MaxPixels)
	}
	h.orient = upright
	if h.format.orient != nil {
		h.orient = h.format.orient(data)
	}
	return h, nil
}

// decode reads the pixels, at 1/denom of the size if the format can and else
// all of them. A reduced picture is in m.
func (h header) decode(data []byte, denom int, m *memory) (p photo, err error) {
	defer h.rescue(&err)
	if denom > 1 && h.scaled != nil {
		if img, err := h.scaled(&m.jpeg, data, denom); err == nil {
			return photo{img, h.orient, true}, nil
		}
	}
	img, err := h.format.decode(bytes.NewReader(data))
	if err != nil {
		return p, h.wrap(err)
	}
	if b := img.Bounds(); b.Dx() != h.width || b.Dy() != h.height {
		return p, fmt.Errorf("%w: %s of %d×%d pixels where its header says %d×%d", ErrCorrupt, h.name, b.Dx(), b.Dy(), h.width, h.height)
	}
	// If the planes are shorter than the bounds, panic here, not in a goroutine
	// of imaging, where nobody could recover.
	img.At(img.Bounds().Max.X-1, img.Bounds().Max.Y-1)
	return photo{img, h.orient, false}, nil
}

// rescue turns a panic of a decoder into an error: hostile files are expected,
// and not all decoders are hardened.
func (h header) rescue(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: the %s decoder gave up: %v", ErrCorrupt, h.name, r)
	}
}

// wrap classifies a decoder's error.
func (h header) wrap(err error) error {
	var ju jpeg.UnsupportedError
	var pu png.UnsupportedError
	var tu tiff.UnsupportedError
	kind := ErrCorrupt
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, jpeg.FormatError("short Huffman data")), errors.Is(err, png.FormatError("not enough pixel data")):
		return fmt.Errorf("%w: the %s data ends early; copy or download it again", ErrTruncated, h.name)
	case errors.As(err, &ju), errors.As(err, &pu), errors.As(err, &tu), errors.Is(err, bmp.ErrUnsupported):
		kind = ErrUnsupported
	}
	return fmt.Errorf("%w: %s: %w", kind, h.name, err)
}

// decodeGIF puts the first frame, which may be smaller, on the whole canvas.
func decodeGIF(r io.Reader) (image.Image, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	c, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	img, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	canvas := image.Rect(0, 0, c.Width, c.Height)
	if img.Bounds() == canvas {
		return img, nil
	}
	return onCanvas(img, img.Bounds().Min, canvas), nil
}
