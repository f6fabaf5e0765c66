package photo

import (
	"context"
	"fmt"
	"image"
	"image/draw"

	"github.com/disintegration/imaging"
)

// Large pictures are resized in bands of so many pixels, and no fewer than so many
// rows, for each of which imaging computes its weights again. A band is small
// beside the picture, and done in less than a tenth of a second, after which the
// context is looked at.
const (
	bandPixels = 1 << 20
	bandRows   = 64
)

// ResizeMemory is what Resize takes at most, in bytes.
func ResizeMemory(r image.Rectangle, w, h int) int64 {
	band := min(max(bandPixels, bandRows*int64(r.Dx())), int64(r.Dx())*int64(r.Dy()))
	return 4 * (int64(w)*int64(max(r.Dy(), h)) + 2*int64(w)*int64(h) + 2*band)
}

// Resize scales the part r of a picture to w×h pixels, all as it is stored, and turns
// the result upright.
func (p Picture) Resize(ctx context.Context, r image.Rectangle, w, h int) (*image.NRGBA, error) {
	small, err := p.resize(ctx, r, w, h)
	if err != nil {
		return nil, err
	}
	return p.Orientation.turn(small).(*image.NRGBA), nil
}

// resize scales with a triangle filter as wide as the reduction, Pillow's BILINEAR and
// torchvision's antialiased bilinear. Rows come first, as there, unless that would
// enlarge the picture on the way.
func (p Picture) resize(ctx context.Context, r image.Rectangle, w, h int) (*image.NRGBA, error) {
	if p.reduced && r == p.Bounds() {
		if small := resizePlanes(p.Image, w, h); small != nil {
			return small, nil
		}
	}
	if w > r.Dx() && h < r.Dy() {
		return imaging.Resize(imaging.Resize(smooth(p.Image, r, nil), r.Dx(), h, imaging.Linear), w, h, imaging.Linear), nil
	}
	rows := max(bandRows, bandPixels/r.Dx())
	if rows >= r.Dy() {
		return imaging.Resize(smooth(p.Image, r, nil), w, h, imaging.Linear), nil
	}
	var canvas []uint8 // of a band, where it is converted
	narrow := image.NewNRGBA(image.Rect(0, 0, w, r.Dy()))
	for y := 0; y < r.Dy(); y += rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		band := image.Rect(r.Min.X, r.Min.Y+y, r.Max.X, min(r.Min.Y+y+rows, r.Max.Y))
		resized := imaging.Resize(smooth(p.Image, band, &canvas), w, band.Dy(), imaging.Linear)
		copy(narrow.Pix[y*narrow.Stride:], resized.Pix)
	}
	return imaging.Resize(narrow, w, h, imaging.Linear), nil
}

// part is the part r of a picture, as a type that imaging knows: for others
// (CMYK, NYCbCrA, a user's own) imaging would call At for every pixel, in goroutines
// where nobody can recover. Those are converted, over white where they are
// transparent, in the memory of canvas if it is not nil.
func part(img image.Image, r image.Rectangle, canvas *[]uint8) image.Image {
	if layoutOf(img).resizable {
		return img.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(r)
	}
	dst := &image.RGBA{Pix: pixelsOf(canvas, 4*r.Dx()*r.Dy()), Stride: 4 * r.Dx(), Rect: r}
	draw.Draw(dst, r, image.White, image.Point{}, draw.Src)
	draw.Draw(dst, r, img, r.Min, draw.Over)
	return dst
}

// pixelsOf returns n bytes, those of canvas if it is not nil.
func pixelsOf(canvas *[]uint8, n int) []uint8 {
	if canvas == nil {
		return make([]uint8, n)
	}
	if cap(*canvas) < n {
		*canvas = make([]uint8, n)
	}
	return (*canvas)[:n]
}

// layout is how a picture lies in memory. That of types outside package image is
// not known.
type layout struct {
	known     bool
	resizable bool // imaging reads the type without calling At
	pix       []uint8
	stride    int
	pixel     int // bytes of a pixel in pix; 0 where it has planes
}

func layoutOf(img image.Image) layout {
	switch m := img.(type) {
	case *image.NRGBA:
		return layout{true, true, m.Pix, m.Stride, 4}
	case *image.NRGBA64:
		return layout{true, true, m.Pix, m.Stride, 8}
	case *image.RGBA:
		return layout{true, true, m.Pix, m.Stride, 4}
	case *image.RGBA64:
		return layout{true, true, m.Pix, m.Stride, 8}
	case *image.Gray:
		return layout{true, true, m.Pix, m.Stride, 1}
	case *image.Gray16:
		return layout{true, true, m.Pix, m.Stride, 2}
	case *image.Paletted:
		return layout{true, true, m.Pix, m.Stride, 1}
	case *image.CMYK:
		return layout{true, false, m.Pix, m.Stride, 4}
	case *image.Alpha:
		return layout{true, false, m.Pix, m.Stride, 1}
	case *image.Alpha16:
		return layout{true, false, m.Pix, m.Stride, 2}
	case *image.YCbCr:
		return layout{known: true, resizable: true}
	case *image.NYCbCrA:
		return layout{known: true}
	}
	return layout{}
}

// checkPlanes refuses a picture of a type of package image whose memory is not
// what its bounds say: imaging would panic on it, in a goroutine where nobody
// can recover, or a crop would leave out what is missing.
func checkPlanes(img image.Image) error {
	b, l := img.Bounds(), layoutOf(img)
	ok := true
	rows := func(pix []uint8, stride, w, h int) {
		ok = ok && stride >= w && len(pix) >= w && (h == 1 || stride <= (len(pix)-w)/(h-1))
	}
	if l.pixel > 0 {
		rows(l.pix, l.stride, l.pixel*b.Dx(), b.Dy())
	}
	switch m := img.(type) {
	case *image.Paletted:
		for y := 0; ok && y < b.Dy(); y++ {
			for _, v := range m.Pix[y*m.Stride:][:b.Dx()] {
				if int(v) >= len(m.Palette) {
					return fmt.Errorf("%w: colour %d of a palette of %d", ErrCorrupt, v, len(m.Palette))
				}
			}
		}
	case *image.YCbCr:
		rows(m.Y, m.YStride, b.Dx(), b.Dy())
		right, down, known := subsampling(m.SubsampleRatio)
		if !ok || !known {
			ok = false
			break
		}
		// A part of a picture may begin between two samples of colour; the
		// quotients are those of image.YCbCr.COffset.
		samples := func(low, high, share int) int { return (high-1)/share - low/share + 1 }
		w, h := samples(b.Min.X, b.Max.X, right), samples(b.Min.Y, b.Max.Y, down)
		rows(m.Cb, m.CStride, w, h)
		rows(m.Cr, m.CStride, w, h)
	}
	if !ok {
		return fmt.Errorf("%w: a %T whose memory is smaller than its bounds %v", ErrCorrupt, img, b)
	}
	return nil
}
