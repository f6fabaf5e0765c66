package features

import (
	"context"
	"image"
	"io"

	"github.com/onetomany/caption/features/internal/photo"
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

func (l *Limits) withDefaults() photo.Limits {
	if l == nil {
		l = new(Limits)
	}
	return photo.Limits{
		Bytes:  orDefault(l.MaxBytes, DefaultMaxBytes),
		Pixels: orDefault(l.MaxPixels, DefaultMaxPixels),
		Side:   orDefault(l.MaxSide, DefaultMaxSide),
		Memory: orDefault(l.MaxMemory, DefaultMaxMemory),
	}
}

func orDefault[T int | int64](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// Errors about one photo. They come wrapped, with what was found.
var (
	// ErrNotImage: the content is none of the formats that Decode reads.
	ErrNotImage = photo.ErrNotImage

	// ErrTooLarge: the file or the picture is above a limit.
	ErrTooLarge = photo.ErrTooLarge

	// ErrTruncated: the file ends before the picture does.
	ErrTruncated = photo.ErrTruncated

	// ErrCorrupt: the content breaks the rules of its format.
	ErrCorrupt = photo.ErrCorrupt

	// ErrUnsupported: a rare variant of a format that the decoder lacks.
	ErrUnsupported = photo.ErrUnsupported
)

// PictureFormats are the names of the formats that Decode reads, such as "JPEG".
func PictureFormats() []string { return photo.Formats() }

// Decode reads a picture and turns it upright by its EXIF orientation. Pixels
// keep the file's colour model; transparency is left to Preprocessing. The
// error wraps one of the Err variables above, or is r's own.
func Decode(r io.Reader, lim *Limits) (img image.Image, err error) {
	defer photo.Rescue(&err, "reading the photo")
	ctx := context.Background()
	f, err := photo.Open(ctx, r, lim.withDefaults(), photo.Budget{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Upright(ctx)
}
