package features

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"math"

	"github.com/disintegration/imaging"
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

// Validate says what is wrong with p, nil if nothing.
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

var (
	errNoPicture = errors.New("the picture is nil")
	errNoPixels  = errors.New("the picture has no pixels")
)

// image prepares a picture that is a caller's, and need not be a good one, into
// dst.
func (p Preprocessing) image(ctx context.Context, dst []float32, img image.Image) (err error) {
	if img == nil {
		return errNoPicture
	}
	defer rescue(&err, "reading the picture")
	b := img.Bounds()
	const far = 1 << 29 // whose sums and differences fit in 32 bits
	if b.Empty() {
		return errNoPixels
	}
	if !b.In(image.Rect(-far, -far, far, far)) {
		return fmt.Errorf("%w: bounds %v", ErrTooLarge, b)
	}
	l := (*Limits)(nil).withDefaults()
	if err := checkSize(b.Dx(), b.Dy(), l); err != nil {
		return err
	}
	if n := p.memory(b.Dx(), b.Dy(), upright); n > l.pixels() {
		return fmt.Errorf("%w: resizing %d×%d pixels would take %d MB, above the limit of %d MB", ErrTooLarge, b.Dx(), b.Dy(), n/1e6, l.pixels()/1e6)
	}
	if err := checkPlanes(img); err != nil {
		return err
	}
	return p.fill(ctx, dst, photo{Image: steady{img, b}.known(), orient: upright})
}

// steady is a picture that keeps the bounds that were checked.
type steady struct {
	image.Image
	bounds image.Rectangle
}

func (s steady) Bounds() image.Rectangle { return s.bounds }

// known returns the picture itself if it is of package image.
func (s steady) known() image.Image {
	switch s.Image.(type) {
	case *image.NRGBA, *image.NRGBA64, *image.RGBA, *image.RGBA64, *image.Gray, *image.Gray16, *image.YCbCr, *image.Paletted,
		*image.CMYK, *image.Alpha, *image.Alpha16, *image.NYCbCrA:
		return s.Image
	}
	return s
}

// fill prepares a photo into dst, p.Size() values. p is valid, and so is what
// checkPlanes looks at.
func (p Preprocessing) fill(ctx context.Context, dst []float32, ph photo) error {
	small, err := p.fit(ctx, ph)
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
func (p Preprocessing) fit(ctx context.Context, ph photo) (*image.NRGBA, error) {
	r, w, h := p.target(ph.Bounds(), ph.orient)
	small, err := ph.resize(ctx, r, w, h)
	if err != nil {
		return nil, err
	}
	small = ph.orient.apply(small)
	if p.Resize == Crop {
		return cropCenter(small, p.Width, p.Height), nil
	}
	return asNRGBA(small), nil
}

// target is the part of a picture that is used, and the size that it is resized
// to: turning comes after, on the small picture, and cropping last.
func (p Preprocessing) target(b image.Rectangle, o orientation) (r image.Rectangle, w, h int) {
	w, h = p.Width, p.Height
	if o.swaps() {
		w, h = h, w
	}
	if p.Resize == Crop {
		b = limitAspect(b, w, h)
		w, h = cover(b.Dx(), b.Dy(), w, h)
	}
	return b, w, h
}

// memory is what fill takes at most for a picture of w×h pixels, in bytes.
func (p Preprocessing) memory(w, h int, o orientation) int64 {
	r, w, h := p.target(image.Rect(0, 0, w, h), o)
	band := min(max(bandPixels, bandRows*int64(r.Dx())), int64(r.Dx())*int64(r.Dy()))
	return 4 * (int64(w)*int64(max(r.Dy(), h)) + 2*int64(w)*int64(h) + 2*band)
}

// reduction is the scale, 1/2, 1/4 or 1/8, at which a picture of w×h stored
// pixels may be decoded. Two and a half times the wanted size is left for
// resize: over 40 photos the result then differed from that of the full picture
// by 0.6 to 1.0 of 255 on average, a third of what bicubic instead of bilinear
// does.
func (p Preprocessing) reduction(w, h int, o orientation) int {
	const spare = 2.5
	if o.swaps() {
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
func cropCenter(img image.Image, w, h int) *image.NRGBA {
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

// Large pictures are resized in bands of so many pixels, and no fewer than so many
// rows, for each of which imaging computes its weights again. A band is small
// beside the picture, and done in less than a tenth of a second, after which the
// context is asked.
const (
	bandPixels = 1 << 20
	bandRows   = 64
)

// resize scales the part r of a photo with a triangle filter as wide as the
// reduction, Pillow's BILINEAR and torchvision's antialiased bilinear. Rows come
// first, as there, unless that would enlarge the picture on the way.
func (ph photo) resize(ctx context.Context, r image.Rectangle, w, h int) (image.Image, error) {
	if ph.reduced && r == ph.Bounds() {
		if small := resizePlanes(ph.Image, w, h); small != nil {
			return small, nil
		}
	}
	if w > r.Dx() && h < r.Dy() {
		return imaging.Resize(imaging.Resize(smooth(ph.Image, r, nil), r.Dx(), h, imaging.Linear), w, h, imaging.Linear), nil
	}
	rows := max(bandRows, bandPixels/r.Dx())
	if rows >= r.Dy() {
		return imaging.Resize(smooth(ph.Image, r, nil), w, h, imaging.Linear), nil
	}
	var canvas []uint8 // of a band, where it is converted
	narrow := image.NewNRGBA(image.Rect(0, 0, w, r.Dy()))
	for y := 0; y < r.Dy(); y += rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		band := image.Rect(r.Min.X, r.Min.Y+y, r.Max.X, min(r.Min.Y+y+rows, r.Max.Y))
		resized := imaging.Resize(smooth(ph.Image, band, &canvas), w, band.Dy(), imaging.Linear)
		copy(narrow.Pix[y*narrow.Stride:], resized.Pix)
	}
	return imaging.Resize(narrow, w, h, imaging.Linear), nil
}

// part is the part r of a picture, as a type that imaging knows: for others
// (CMYK, NYCbCrA, a user's own) it would call At for every pixel, in goroutines
// where nobody can recover. Of these, transparent ones come out on white. Canvas,
// which may be nil, is memory for that, used again.
func part(img image.Image, r image.Rectangle, canvas *[]uint8) image.Image {
	switch m := img.(type) {
	case *image.NRGBA:
		return m.SubImage(r)
	case *image.NRGBA64:
		return m.SubImage(r)
	case *image.RGBA:
		return m.SubImage(r)
	case *image.RGBA64:
		return m.SubImage(r)
	case *image.Gray:
		return m.SubImage(r)
	case *image.Gray16:
		return m.SubImage(r)
	case *image.YCbCr:
		return m.SubImage(r)
	case *image.Paletted:
		return m.SubImage(r)
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

// checkPlanes refuses a picture of a type of package image whose memory is not
// what its bounds say: imaging would panic on it, in a goroutine where nobody
// can recover, or a crop would leave out what is missing.
func checkPlanes(img image.Image) error {
	b := img.Bounds()
	ok := true
	rows := func(pix []uint8, stride, w, h int) {
		ok = ok && stride >= w && len(pix) >= w && (h == 1 || stride <= (len(pix)-w)/(h-1))
	}
	switch m := img.(type) {
	case *image.NRGBA:
		rows(m.Pix, m.Stride, 4*b.Dx(), b.Dy())
	case *image.NRGBA64:
		rows(m.Pix, m.Stride, 8*b.Dx(), b.Dy())
	case *image.RGBA:
		rows(m.Pix, m.Stride, 4*b.Dx(), b.Dy())
	case *image.RGBA64:
		rows(m.Pix, m.Stride, 8*b.Dx(), b.Dy())
	case *image.CMYK:
		rows(m.Pix, m.Stride, 4*b.Dx(), b.Dy())
	case *image.Gray:
		rows(m.Pix, m.Stride, b.Dx(), b.Dy())
	case *image.Gray16:
		rows(m.Pix, m.Stride, 2*b.Dx(), b.Dy())
	case *image.Alpha:
		rows(m.Pix, m.Stride, b.Dx(), b.Dy())
	case *image.Alpha16:
		rows(m.Pix, m.Stride, 2*b.Dx(), b.Dy())
	case *image.Paletted:
		rows(m.Pix, m.Stride, b.Dx(), b.Dy())
		if !ok {
			break
		}
		for y := range b.Dy() {
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

// onCanvas draws img over white, its first pixel at a point of the canvas.
func onCanvas(img image.Image, at image.Point, canvas image.Rectangle) *image.RGBA {
	dst := image.NewRGBA(canvas)
	draw.Draw(dst, canvas, image.White, image.Point{}, draw.Src)
	draw.Draw(dst, img.Bounds().Sub(img.Bounds().Min).Add(at), img, img.Bounds().Min, draw.Over)
	return dst
}

func asNRGBA(img image.Image) *image.NRGBA {
	if m, ok := img.(*image.NRGBA); ok {
		return m
	}
	return imaging.Clone(img)
}
