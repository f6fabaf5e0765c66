// Package photo makes pixels of the bytes of a photo, within limits.
//
// The way of a photo: [Open] reads its file, finds the format in the table formats
// (format.go), and holds what the header says to the [Limits]. [File.Decode] decodes
// it, at a fraction of its size where that is enough. The [Picture] is still as it is
// stored: its [Orientation], which the format's row found in the EXIF data, says how
// it must be turned (orientation.go). [Picture.Resize] turns the small picture, which
// is cheaper, and [File.Upright] the whole one.
//
// All that is peculiar to a format stands in the file of its name, with its row: how
// it is told, what its header says, what its decoder takes and gets wrong.
package photo

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"sync"

	"github.com/onetomany/caption/internal/scaledjpeg"
)

// Errors about one photo, wrapped, with what was found. Package features exports
// and explains them.
var (
	ErrNotImage    = errors.New("not a picture that can be read")
	ErrTooLarge    = errors.New("picture too large")
	ErrTruncated   = errors.New("picture cut off")
	ErrCorrupt     = errors.New("picture damaged")
	ErrUnsupported = errors.New("picture of an unsupported kind")
)

// Limits bounds what one photo may take. Package features explains the fields and
// has their defaults. Open enforces Bytes while it reads the file (read.go), Parse holds
// the header to Side and Pixels (checkSize), and Admit the format's estimates to Memory
// before anything is decoded.
type Limits struct {
	Bytes  int64 // of the file
	Pixels int64
	Side   int   // of the width and the height
	Memory int64 // of all photos being read and decoded
}

// files is the part of Memory that holds files.
func (l Limits) files() int64 { return max(1, l.Memory/16*3) }

// Decoding is the part of Memory that decoding and resizing take.
func (l Limits) Decoding() int64 { return max(1, l.Memory-l.files()) }

// bytes is the largest file.
func (l Limits) bytes() int64 { return min(l.Bytes, l.files()) }

// unfolded is what decoding may take for a file of so many bytes: all of
// l.Decoding for any photo, and less for a file so small that it is none. Photos
// unfold to some 60 times their files at most, flat drawings to a thousand.
func (l Limits) unfolded(size int64) int64 {
	const ratio = 160
	return min(l.Decoding(), max(ratio*size, l.Memory*5/16))
}

// checkSize holds a picture to the limits of sides and pixels.
func (l Limits) checkSize(w, h int) error {
	switch {
	case w > l.Side || h > l.Side:
		return fmt.Errorf("%w: %d×%d pixels, above the limit of %d a side; make it smaller", ErrTooLarge, w, h, l.Side)
	case int64(w) > l.Pixels/int64(h):
		return fmt.Errorf("%w: %d×%d pixels, above the limit of %d; make it smaller", ErrTooLarge, w, h, l.Pixels)
	}
	return nil
}

// File is a photo in memory whose header was read and found within the limits.
type File struct {
	*format
	image.Config // Width and Height as stored, before it is turned
	Orientation  Orientation

	data    []byte
	limits  Limits
	budget  Budget
	release func()
}

// Open reads a photo from r. What it takes is drawn from b until Close. Errors are r's own, or wrap one of the Err variables.
func Open(ctx context.Context, r io.Reader, l Limits, b Budget) (f *File, err error) {
	if r == nil {
		return nil, ErrNoReader
	}
	defer Rescue(&err, "reading the photo")
	data, release, err := read(ctx, r, l, b)
	if err != nil {
		return nil, err
	}
	if f, err = Parse(data, l); err != nil {
		release()
		return nil, err
	}
	f.budget, f.release = b, release
	return f, nil
}

// Close gives back the memory of the file.
func (f *File) Close() { f.release() }

// Parse reads the header of a photo in memory, which must not change.
func Parse(data []byte, l Limits) (f *File, err error) {
	f = &File{data: data, limits: l, release: func() {}}
	if f.format, err = formatOf(data); err != nil {
		return nil, err
	}
	defer f.rescue(&err)
	if f.Config, err = f.config(data); err != nil {
		return nil, f.wrap(err)
	}
	if f.Width <= 0 || f.Height <= 0 {
		return nil, fmt.Errorf("%w: %s of %d×%d pixels", ErrCorrupt, f.name, f.Width, f.Height)
	}
	if err := l.checkSize(f.Width, f.Height); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, f.name)
	}
	f.Orientation = Upright
	if f.orientation != nil {
		f.Orientation = f.orientation(data)
	}
	return f, nil
}

// memory is what decoding at 1/denom of the size takes at most.
func (f *File) memory(denom int) int64 {
	if denom > 1 {
		return f.scaledMemory(f.data, f.Config, denom)
	}
	return f.format.memory(f.data, f.Config)
}

// Admit returns the memory that decoding at 1/denom of the size takes, with as much
// besides as is given, and refuses a photo that would take more than its limits allow.
// In a small file the time counts too: as four bytes for each pixel, and as all that is
// unpacked on the way.
func (f *File) Admit(denom int, besides int64) (need int64, err error) {
	need = f.memory(denom) + besides
	d := int64(denom)
	most := max(need, 4*pixels(f.Config)/(d*d))
	if f.work != nil {
		most = max(most, f.work(f.data, f.Config))
	}
	switch available := f.limits.Decoding(); {
	case need > available:
		err = fmt.Errorf("%w: a %s of %d×%d pixels, which would take %d MB to decode, above the limit of %d MB; make it smaller or allow more memory",
			ErrTooLarge, f.name, f.Width, f.Height, need/1e6, available/1e6)
	case most > f.limits.unfolded(int64(len(f.data))):
		err = fmt.Errorf("%w: a %s of %d×%d pixels in a file of %d bytes, which unfolds to %d MB, is hardly a photo; make it smaller or allow more memory",
			ErrTooLarge, f.name, f.Width, f.Height, len(f.data), most/1e6)
	}
	return need, err
}

// Decode decodes the photo at 1/denom of its size, 1, 2, 4 or 8, where its format and
// kind allow that, else at its full size, and gives it to use. Memory says what use
// takes for a picture of w×h stored pixels.
func (f *File) Decode(ctx context.Context, denom int, memory func(w, h int) int64, use func(Picture) error) error {
	if denom > 1 && f.scaled != nil {
		if err := f.decode(ctx, denom, memory, use); !errors.Is(err, scaledjpeg.ErrOther) {
			return err
		}
	}
	return f.decode(ctx, 1, memory, use)
}

// decoders of scaled pictures are used again, with their memory: the kernel takes as
// long to give out fresh memory as some photos take to be decoded. Those that a photo
// has grown beyond keepMemory, in bytes, are not kept.
var decoders = sync.Pool{New: func() any { return new(scaledjpeg.Decoder) }}

const keepMemory = 64 << 20

func (f *File) decode(ctx context.Context, denom int, memory func(w, h int) int64, use func(Picture) error) error {
	need, err := f.Admit(denom, memory(f.Width/denom, f.Height/denom))
	if err != nil {
		return err
	}
	release, err := acquire(ctx, f.budget.pixels, need)
	if err != nil {
		return err
	}
	defer release()
	var p Picture
	if denom > 1 {
		// Not earlier: a goroutine that waits should not hold memory that is not counted.
		d := decoders.Get().(*scaledjpeg.Decoder)
		if need < keepMemory {
			defer decoders.Put(d)
		}
		p, err = f.reduced(ctx, denom, d)
	} else {
		p, err = f.whole(ctx)
	}
	if err != nil {
		return err
	}
	return use(p)
}

// reduced decodes the photo at 1/denom of its size into the memory of d. The error
// wraps scaledjpeg.ErrOther where that cannot be.
func (f *File) reduced(ctx context.Context, denom int, d *scaledjpeg.Decoder) (p Picture, err error) {
	defer f.rescue(&err)
	img, err := f.scaled(d, ctx, f.data, denom)
	return Picture{img, f.Orientation, true}, err
}

// whole decodes all pixels. Decoders end with ctx at the next piece of the file that
// they read; some have read all of it when the work begins (lossy WebP, a TIFF of one
// strip), and are left behind to end by themselves, a second later at most.
func (f *File) whole(ctx context.Context) (p Picture, err error) {
	img, err := interruptible(ctx, "the decoder gave up", func() (image.Image, error) {
		return f.format.decode(&input{ctx, f.data, 0})
	})
	switch {
	case ctx.Err() != nil:
		return p, ctx.Err()
	case err != nil:
		return p, f.wrap(err)
	}
	if b := img.Bounds(); b.Dx() != f.Width || b.Dy() != f.Height {
		return p, fmt.Errorf("%w: %s of %d×%d pixels where its header says %d×%d", ErrCorrupt, f.name, b.Dx(), b.Dy(), f.Width, f.Height)
	}
	return Picture{img, f.Orientation, false}, checkPlanes(img)
}

// Upright decodes the photo at its full size and turns it upright. Pixels keep the
// file's colour model where nothing is turned.
func (f *File) Upright(ctx context.Context) (img image.Image, err error) {
	turned := func(w, h int) int64 {
		if f.Orientation == Upright {
			return 0
		}
		return 2 * 4 * int64(w) * int64(h) // as RGB, and turned
	}
	err = f.Decode(ctx, 1, turned, func(p Picture) error {
		img = p.upright()
		return nil
	})
	return img, err
}

// Picture is a decoded photo that is not turned yet. A reduced one is valid as long
// as its File.Decode runs.
type Picture struct {
	image.Image
	Orientation Orientation
	reduced     bool // smaller than in the file
}

// upright turns a picture, which makes RGB of it.
func (p Picture) upright() image.Image {
	if p.Orientation == Upright {
		return p.Image
	}
	return p.Orientation.turn(smooth(p.Image, p.Bounds(), nil))
}

var (
	errNoPicture = errors.New("the picture is nil")
	errNoPixels  = errors.New("the picture has no pixels")
)

// Of checks a caller's picture, which may be malformed. Its methods may panic when the
// pixels are read; see Rescue.
func Of(img image.Image, l Limits) (p Picture, err error) {
	if img == nil {
		return p, errNoPicture
	}
	b := img.Bounds()
	const far = 1 << 29 // whose sums and differences fit in 32 bits
	if b.Empty() {
		return p, errNoPixels
	}
	if !b.In(image.Rect(-far, -far, far, far)) {
		return p, fmt.Errorf("%w: bounds %v", ErrTooLarge, b)
	}
	if err := l.checkSize(b.Dx(), b.Dy()); err != nil {
		return p, err
	}
	if !layoutOf(img).known {
		img = steady{img, b}
	}
	return Picture{Image: img, Orientation: Upright}, checkPlanes(img)
}

// steady is a picture that keeps the bounds that were checked.
type steady struct {
	image.Image
	bounds image.Rectangle
}

func (s steady) Bounds() image.Rectangle { return s.bounds }
