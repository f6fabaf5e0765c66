package features

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"sync"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/onetomany/caption/internal/scaledjpeg"
)

// Limits bounds what one photo may take. They are checked on the file's header,
// before the picture is decoded. Zero fields, and a nil *Limits, mean the
// defaults.
type Limits struct {
	// MaxBytes is the largest file. 0 means DefaultMaxBytes.
	MaxBytes int64

	// MaxPixels is the largest width·height. 0 means DefaultMaxPixels.
	MaxPixels int64

	// MaxSide is the largest width and height, in pixels. 0 means DefaultMaxSide.
	MaxSide int

	// MaxMemory is what the photos being read and decoded at any time may take
	// together, in bytes: 3/16 is for files, the rest for pixels. A photo
	// that would take more alone is refused, and sooner if its file is small: a
	// file of a few kilobytes that unfolds to a gigabyte is no photo. 0 means
	// DefaultMaxMemory.
	MaxMemory int64
}

const (
	// DefaultMaxBytes admits an uncompressed photo of 64 megapixels and every
	// JPEG that a camera writes; a photo is in memory whole while it is decoded.
	DefaultMaxBytes = 192 << 20

	// DefaultMaxPixels is what the largest phone sensors give (16,320×12,240).
	DefaultMaxPixels = 200_000_000

	// DefaultMaxSide is the largest side of a JPEG.
	DefaultMaxSide = 1<<16 - 1

	// DefaultMaxMemory admits a JPEG, PNG or BMP of DefaultMaxPixels with 8 bits a
	// channel.
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
	if out.MaxSide <= 0 {
		out.MaxSide = DefaultMaxSide
	}
	if out.MaxMemory <= 0 {
		out.MaxMemory = DefaultMaxMemory
	}
	out.MaxBytes = min(out.MaxBytes, out.files())
	return out
}

// files is the part of MaxMemory that holds files.
func (l Limits) files() int64 { return max(1, l.MaxMemory/16*3) }

// pixels is the part of MaxMemory that decoding takes.
func (l Limits) pixels() int64 { return max(1, l.MaxMemory-l.files()) }

// unfolded is what decoding may take for a file of so many bytes: all of
// l.pixels for any photo, and less for a file so small that it is none. Photos
// unfold to some 60 times their files at most, flat drawings to a thousand.
func (l Limits) unfolded(size int64) int64 {
	const ratio = 160
	return min(l.pixels(), max(ratio*size, l.MaxMemory*5/16))
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
func Decode(r io.Reader, lim *Limits) (img image.Image, err error) {
	if r == nil {
		return nil, errNoReader
	}
	defer rescue(&err, "reading the photo")
	l := lim.withDefaults()
	ctx := context.Background()
	data, release, err := readAll(ctx, r, l, budget{})
	if err != nil {
		return nil, err
	}
	defer release()
	h, err := readHeader(data, l)
	if err != nil {
		return nil, err
	}
	need := h.memory(data, 1)
	if h.orient != upright {
		need += 2 * 4 * h.pixels() // as RGB, and turned
	}
	if err := h.admit(need, 1, data, l); err != nil {
		return nil, err
	}
	p, err := h.decode(ctx, data, 1, nil)
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
	return p.orient.apply(smooth(p.Image, p.Bounds(), nil)) // turning makes RGB of it
}

// The memory that photos are read into and decoded in is used again: the kernel
// takes as long to give out fresh memory as some photos take to be decoded. What a
// photo has made larger than keepMemory, in bytes, is not kept.
var (
	buffers  = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	decoders = sync.Pool{New: func() any { return new(scaledjpeg.Decoder) }}
)

const keepMemory = 64 << 20

// format is a picture format: how its header and its pixels are read.
type format struct {
	name   string
	match  func(data []byte) bool
	config func(data []byte) (image.Config, error)
	decode func(in *input) (image.Image, error)
	orient func(data []byte) orientation // nil if the format has none

	// memory is what decode takes at most, in bytes, beside the file: the
	// picture, and all that is made on the way, what waits for the garbage
	// collector included.
	memory func(data []byte, c image.Config) int64

	// work is how many bytes pass through decode, at most; nil if that are as many
	// as pixels.
	work func(data []byte, c image.Config) int64

	// scaled decodes at 1/denom of the size, rounded up, a picture valid until
	// the next one, and scaledMemory is what that takes; nil, or an error, if
	// it cannot.
	scaled       func(d *scaledjpeg.Decoder, ctx context.Context, data []byte, denom int) (image.Image, error)
	scaledMemory func(data []byte, c image.Config, denom int) int64
}

var formats = []format{
	{"JPEG", isJPEG, jpegConfig, decodeJPEG, jpegOrientation, jpegMemory, nil, (*scaledjpeg.Decoder).Decode, scaledMemory},
	{"PNG", isPNG, pngConfig, from(png.Decode), pngOrientation, pngMemory, nil, nil, nil},
	{"GIF", isGIF, config(gif.DecodeConfig), decodeGIF, nil, gifMemory, nil, nil, nil},
	{"WebP", isWebP, config(webp.DecodeConfig), decodeWebP, webpOrientation, webpMemory, nil, nil, nil},
	{"BMP", isBMP, config(bmp.DecodeConfig), from(bmp.Decode), nil, bmpMemory, nil, nil, nil},
	{"TIFF", isTIFF, tiffConfig, decodeTIFF, tiffOrientation, tiffMemory, tiffWork, nil, nil},
}

func config(read func(io.Reader) (image.Config, error)) func([]byte) (image.Config, error) {
	return func(data []byte) (image.Config, error) { return read(bytes.NewReader(data)) }
}

// pngConfig tells the size of pictures too that have more pixels than an int of 32
// bits can count: it is for the limits to refuse them.
func pngConfig(data []byte) (image.Config, error) {
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if errors.Is(err, png.UnsupportedError("dimension overflow")) {
		c.Width, c.Height, err = int(binary.BigEndian.Uint32(data[16:])), int(binary.BigEndian.Uint32(data[20:])), nil
	}
	return c, err
}

func from(decode func(io.Reader) (image.Image, error)) func(*input) (image.Image, error) {
	return func(in *input) (image.Image, error) { return decode(in) }
}

// header is what is known of a photo before its pixels are decoded.
type header struct {
	*format
	image.Config // Width and Height as stored, before orient
	orient       orientation
}

func (h header) pixels() int64 { return int64(h.Width) * int64(h.Height) }

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
	c, err := h.config(data)
	if err != nil {
		return h, h.wrap(err)
	}
	h.Config = c
	if c.Width <= 0 || c.Height <= 0 {
		return h, fmt.Errorf("%w: %s of %d×%d pixels", ErrCorrupt, h.name, c.Width, c.Height)
	}
	if err := checkSize(c.Width, c.Height, l); err != nil {
		return h, fmt.Errorf("%w (%s)", err, h.name)
	}
	h.orient = upright
	if h.format.orient != nil {
		h.orient = h.format.orient(data)
	}
	return h, nil
}

// checkSize holds a picture to the limits of sides and pixels.
func checkSize(w, h int, l Limits) error {
	switch {
	case w > l.MaxSide || h > l.MaxSide:
		return fmt.Errorf("%w: %d×%d pixels, above the limit of %d a side; make it smaller", ErrTooLarge, w, h, l.MaxSide)
	case int64(w) > l.MaxPixels/int64(h):
		return fmt.Errorf("%w: %d×%d pixels, above the limit of %d; make it smaller", ErrTooLarge, w, h, l.MaxPixels)
	}
	return nil
}

// memory is what decoding at 1/denom of the size takes at most; at 1 where the
// format cannot do it.
func (h header) memory(data []byte, denom int) int64 {
	if denom > 1 && h.scaled != nil {
		return h.scaledMemory(data, h.Config, denom)
	}
	return h.format.memory(data, h.Config)
}

// admit refuses a photo that would take more memory than l allows, at 1/denom of
// its size. In a small file the time counts too: as four bytes for each pixel, and
// as all that is unpacked on the way.
func (h header) admit(need int64, denom int, data []byte, l Limits) error {
	d := int64(denom)
	most := max(need, 4*h.pixels()/(d*d))
	if h.work != nil {
		most = max(most, h.work(data, h.Config))
	}
	if need <= l.pixels() && most <= l.unfolded(int64(len(data))) {
		return nil
	}
	if need <= l.pixels() {
		return fmt.Errorf("%w: a %s of %d×%d pixels in a file of %d bytes, which unfolds to %d MB, is hardly a photo; make it smaller or allow more memory",
			ErrTooLarge, h.name, h.Width, h.Height, len(data), most/1e6)
	}
	return fmt.Errorf("%w: a %s of %d×%d pixels, which would take %d MB to decode, above the limit of %d MB; make it smaller or allow more memory",
		ErrTooLarge, h.name, h.Width, h.Height, need/1e6, l.pixels()/1e6)
}

// decode reads the pixels, at 1/denom of the size if the format can and else
// all of them. A reduced picture is in the memory of d; the error wraps scaledjpeg.ErrOther
// where it takes all pixels.
func (h header) decode(ctx context.Context, data []byte, denom int, d *scaledjpeg.Decoder) (p photo, err error) {
	defer h.rescue(&err)
	if denom > 1 && h.scaled != nil {
		img, err := h.scaled(d, ctx, data, denom)
		return photo{img, h.orient, true}, err
	}
	img, err := h.whole(ctx, data)
	if cause := ctx.Err(); cause != nil {
		return p, cause
	}
	if err != nil {
		return p, h.wrap(err)
	}
	if b := img.Bounds(); b.Dx() != h.Width || b.Dy() != h.Height {
		return p, fmt.Errorf("%w: %s of %d×%d pixels where its header says %d×%d", ErrCorrupt, h.name, b.Dx(), b.Dy(), h.Width, h.Height)
	}
	return photo{img, h.orient, false}, checkPlanes(img)
}

// whole reads all pixels. Decoders end with ctx at the next piece of the file that
// they read; some have read all of it when the work begins (lossy WebP, a TIFF of one
// strip), and are left behind to end by themselves, a second later at most.
func (h header) whole(ctx context.Context, data []byte) (image.Image, error) {
	type result struct {
		img image.Image
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() { done <- r }()
		defer rescue(&r.err, "the decoder gave up")
		r.img, r.err = h.format.decode(&input{ctx, data, 0})
	}()
	select {
	case r := <-done:
		return r.img, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
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
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrCorrupt):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, jpeg.FormatError("short Huffman data")), errors.Is(err, png.FormatError("not enough pixel data")):
		return fmt.Errorf("%w: the %s data ends early; copy or download it again", ErrTruncated, h.name)
	case errors.As(err, &ju), errors.As(err, &pu), errors.As(err, &tu), errors.Is(err, bmp.ErrUnsupported):
		kind = ErrUnsupported
	}
	return fmt.Errorf("%w: %s: %w", kind, h.name, err)
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

// decodeTIFF turns the fax pictures that tiff.Decode gives as negatives: it takes
// the white runs of a picture whose black is zero for ones, libtiff for zeros.
func decodeTIFF(in *input) (image.Image, error) {
	img, err := tiff.Decode(in)
	if m, ok := img.(*image.Gray); ok && fax(in.data) {
		for i, v := range m.Pix {
			m.Pix[i] = ^v
		}
	}
	return img, err
}

// fax reports whether a TIFF is of CCITT group 3 or 4 with black as zero.
func fax(data []byte) bool {
	const compression, photometric = 259, 262
	var is [2]bool
	for e := range tiffEntries(data) {
		v := e.numbers(data, 1)
		switch {
		case len(v) == 0:
		case e.tag == compression:
			is[0] = v[0] == 3 || v[0] == 4
		case e.tag == photometric:
			is[1] = v[0] == 1
		}
	}
	return is[0] && is[1]
}
