package photo

import (
	"image"

	"github.com/disintegration/imaging"
)

// A photo whose EXIF data say that it is stored rotated or mirrored comes out upright.
// Parse asks the format's row for the orientation, which it reads with exifOrientation;
// Picture.Resize turns the resized picture, File.Upright the whole one.

// Orientation says how the stored picture must be turned to stand upright:
// tag 0x0112 of TIFF 6.0 and EXIF 2.32, section 4.6.4.A, 1 to 8.
type Orientation uint8

// Upright is the orientation of a picture that need not be turned.
const Upright Orientation = 1

// Swaps reports whether turning exchanges width and height.
func (o Orientation) Swaps() bool { return o >= 5 }

// turn turns the stored picture upright.
func (o Orientation) turn(img image.Image) image.Image {
	switch o {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img) // counter-clockwise
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}

// exifOrientation reads the tag from the first directory of a TIFF structure,
// which a TIFF file is and an EXIF block contains. It gives upright where the
// tag is missing or wrong.
func exifOrientation(b []byte) Orientation {
	for e := range tiffEntries(b) {
		const tag, short = 0x0112, 3
		if e.tag != tag {
			continue
		}
		if v := e.order.Uint16(e.value); e.kind == short && e.count == 1 && v >= 1 && v <= 8 {
			return Orientation(v)
		}
		break
	}
	return Upright
}
