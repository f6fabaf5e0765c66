package features

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"

	"github.com/disintegration/imaging"

	"github.com/onetomany/caption/features/internal/photo"
)

// How Preprocessing fits a picture to the size of the CNN's input.
const (
	Squash = "squash" // both sides scaled to the size, whatever the picture's proportions
	Crop   = "crop"   // scaled until it covers the size, then the middle cut out
)

// Preprocessing says how a picture becomes the input of a CNN. It is stored in
// the config.json of a model folder.
type Preprocessing struct {
	Width  int        `json:"width"`
	Height int        `json:"height"`
	Resize string     `json:"resize"`   // "squash" (default) or "crop"
	Mean   [3]float32 `json:"mean"`     // of R, G, B, on values 0..1
	Std    [3]float32 `json:"std"`      // of R, G, B, on values 0..1
	Order  string     `json:"channels"` // "rgb" (default) or "bgr"
}

// ImageNet is the preprocessing of torchvision's and most other classifiers,
// for a square input.
func ImageNet(size int) Preprocessing {
	return Preprocessing{
		Width: size, Height: size, Resize: Squash, Order: "rgb",
		Mean: [3]float32{0.485, 0.456, 0.406},
		Std:  [3]float32{0.229, 0.224, 0.225},
	}
}

// Lite is the preprocessing of EfficientNet-Lite, (value − 127)/128 on values
// 0..255, for a square input.
func Lite(size int) Preprocessing {
	const mean, std = 127.0 / 255, 128.0 / 255
	return Preprocessing{
		Width: size, Height: size, Resize: Squash, Order: "rgb",
		Mean: [3]float32{mean, mean, mean},
		Std:  [3]float32{std, std, std},
	}
}

// maxSide bounds the CNN's input; far above what CNNs take.
const maxSide = 1 << 13

// Validate returns what is wrong with p, nil if nothing.
func (p Preprocessing) Validate() error {
	switch {
	case p.Width < 1 || p.Height < 1 || p.Width > maxSide || p.Height > maxSide:
		return fmt.Errorf("preprocessing: size %d×%d; 1 to %d are expected", p.Width, p.Height, maxSide)
	case p.Resize != "" && p.Resize != Squash && p.Resize != Crop:
		return fmt.Errorf("preprocessing: resize %q; %q or %q is expected", p.Resize, Squash, Crop)
	case p.Order != "" && p.Order != "rgb" && p.Order != "bgr":
		return fmt.Errorf("preprocessing: channels %q; \"rgb\" or \"bgr\" is expected", p.Order)
	}
	for c := range 3 {
		m, s := float64(p.Mean[c]), float64(p.Std[c])
		if math.IsNaN(m) || math.IsInf(m, 0) {
			return fmt.Errorf("preprocessing: mean %v; finite numbers are expected", p.Mean)
		}
		if !(s > 0) || math.IsInf(s, 0) {
			return fmt.Errorf("preprocessing: std %v; finite numbers above 0 are expected", p.Std)
		}
	}
	return nil
}

// Size is the number of values of a prepared picture: 3·Height·Width.
func (p Preprocessing) Size() int { return 3 * p.Height * p.Width }

// Tensor prepares one picture: [3,Height,Width], values (v/255 − mean)/std.
func (p Preprocessing) Tensor(img image.Image) ([]float32, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	dst := make([]float32, p.Size())
	if err := p.image(context.Background(), dst, img); err != nil {
		return nil, err
	}
	return dst, nil
}

// Read decodes and prepares one photo, read from r, as Extractor.Read does: the
// result is [3, Height, Width], for Extractor.Prepared. lim may be nil.
func (p Preprocessing) Read(ctx context.Context, r io.Reader, lim *Limits) ([]float32, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	dst := make([]float32, p.Size())
	if err := p.read(ctx, dst, r, lim.withDefaults(), photo.Budget{}); err != nil {
		return nil, err
	}
	return dst, nil
}

// read prepares the photo in r into dst, and draws the memory that it takes from b.
func (p Preprocessing) read(ctx context.Context, dst []float32, r io.Reader, l photo.Limits, b photo.Budget) (err error) {
	if ctx == nil {
		return errNoContext
	}
	defer photo.Rescue(&err, "reading the photo")
	f, err := photo.Open(ctx, r, l, b)
	if err != nil {
		return err
	}
	defer f.Close()
	memory := func(w, h int) int64 { return p.memory(image.Rect(0, 0, w, h), f.Orientation) }
	return f.Decode(ctx, p.reduction(f.Width, f.Height, f.Orientation), memory, func(pic photo.Picture) error {
		return p.fill(ctx, dst, pic)
	})
}

// image prepares a caller's picture, which may be malformed, into dst.
func (p Preprocessing) image(ctx context.Context, dst []float32, img image.Image) (err error) {
	defer photo.Rescue(&err, "reading the picture")
	l := (*Limits)(nil).withDefaults()
	pic, err := photo.Of(img, l)
	if err != nil {
		return err
	}
	b := pic.Bounds()
	if n := p.memory(b, pic.Orientation); n > l.Decoding() {
		return fmt.Errorf("%w: resizing %d×%d pixels would take %d MB, above the limit of %d MB", ErrTooLarge, b.Dx(), b.Dy(), n/1e6, l.Decoding()/1e6)
	}
	return p.fill(ctx, dst, pic)
}

// fill prepares a photo into dst, p.Size() values. p is valid.
func (p Preprocessing) fill(ctx context.Context, dst []float32, pic photo.Picture) error {
	small, err := p.fit(ctx, pic)
	if err != nil {
		return err
	}
	var scale [3][256]float32
	for c := range 3 {
		for v := range 256 {
			scale[c][v] = (float32(v)/255 - p.Mean[c]) / p.Std[c]
		}
	}
	plane := p.Width * p.Height
	r, g, b := dst[:plane], dst[plane:2*plane], dst[2*plane:3*plane]
	if p.Order == "bgr" {
		r, b = b, r
	}
	for y := range p.Height {
		row := small.Pix[y*small.Stride:][:4*p.Width]
		for x := range p.Width {
			px, i := row[4*x:4*x+4:4*x+4], y*p.Width+x
			if px[3] != 255 {
				px = overWhite(px)
			}
			r[i], g[i], b[i] = scale[0][px[0]], scale[1][px[1]], scale[2][px[2]]
		}
	}
	return nil
}

// overWhite composites a straight-alpha pixel over white, rounded to nearest.
func overWhite(px []uint8) []uint8 {
	a := uint32(px[3])
	over := func(v uint8) uint8 { return uint8((uint32(v)*a + 255*(255-a) + 127) / 255) }
	return []uint8{over(px[0]), over(px[1]), over(px[2]), 255}
}

// fit resizes and turns a photo to exactly p.Width × p.Height.
func (p Preprocessing) fit(ctx context.Context, pic photo.Picture) (*image.NRGBA, error) {
	r, w, h := p.target(pic.Bounds(), pic.Orientation)
	small, err := pic.Resize(ctx, r, w, h)
	if err != nil || p.Resize != Crop {
		return small, err
	}
	return cropCenter(small, p.Width, p.Height), nil
}

// target is the part of a picture that is used, and the size that it is resized
// to: turning comes after, on the small picture, and cropping last.
func (p Preprocessing) target(b image.Rectangle, o photo.Orientation) (r image.Rectangle, w, h int) {
	w, h = p.Width, p.Height
	if o.Swaps() {
		w, h = h, w
	}
	if p.Resize == Crop {
		b = limitAspect(b, w, h)
		w, h = cover(b.Dx(), b.Dy(), w, h)
	}
	return b, w, h
}

// memory is what fill takes at most for a picture of the given bounds, in bytes.
func (p Preprocessing) memory(b image.Rectangle, o photo.Orientation) int64 {
	return photo.ResizeMemory(p.target(b, o))
}

// reduction is the scale, 1/2, 1/4 or 1/8, at which a picture of w×h stored
// pixels may be decoded. Two and a half times the wanted size is left for
// resize: over 40 photos the result then differed from that of the full picture
// by 0.6 to 1.0 of 255 on average, a third of the difference that bicubic instead
// of bilinear resizing makes.
func (p Preprocessing) reduction(w, h int, o photo.Orientation) int {
	const spare = 2.5
	if o.Swaps() {
		w, h = h, w
	}
	needW, needH := p.Width, p.Height
	if p.Resize == Crop {
		needW, needH = cover(w, h, p.Width, p.Height)
	}
	for _, denom := range []int{8, 4, 2} {
		if float64(w/denom) >= spare*float64(needW) && float64(h/denom) >= spare*float64(needH) {
			return denom
		}
	}
	return 1
}

// cover scales sw×sh, keeping its proportions, to the smallest size that
// covers w×h; fractions are dropped, as torchvision's Resize does.
func cover(sw, sh, w, h int) (int, int) {
	if int64(sw)*int64(h) <= int64(sh)*int64(w) { // the width binds
		return w, max(h, mulDiv(w, sh, sw))
	}
	return max(w, mulDiv(h, sw, sh)), h
}

// cropCenter cuts w×h out of the middle; an odd pixel goes by rounding half to
// even, as in torchvision's CenterCrop.
func cropCenter(img *image.NRGBA, w, h int) *image.NRGBA {
	b := img.Bounds()
	x := b.Min.X + int(math.RoundToEven(float64(b.Dx()-w)/2))
	y := b.Min.Y + int(math.RoundToEven(float64(b.Dy()-h)/2))
	return imaging.Crop(img, image.Rect(x, y, x+w, y+h))
}

// limitAspect cuts the ends off a picture far longer than the crop needs: a
// strip of 60,000×10 pixels, scaled to cover 224×224, would take gigabytes.
func limitAspect(b image.Rectangle, w, h int) image.Rectangle {
	const most = 8 // times the proportions of w×h
	if longest := max(1, mulDiv(b.Dy(), w*most, h)); b.Dx() > longest {
		b.Min.X += (b.Dx() - longest) / 2
		b.Max.X = b.Min.X + longest
	}
	if longest := max(1, mulDiv(b.Dx(), h*most, w)); b.Dy() > longest {
		b.Min.Y += (b.Dy() - longest) / 2
		b.Max.Y = b.Min.Y + longest
	}
	return b
}

// mulDiv is a·b/c, right on 32-bit machines too.
func mulDiv(a, b, c int) int { return int(int64(a) * int64(b) / int64(c)) }
