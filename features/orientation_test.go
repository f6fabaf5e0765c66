package features

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"

	"github.com/onetomany/caption/features/internal/photo"
)

// turned is a JPEG with an EXIF block that has nothing but the orientation.
func turned(jpg []byte, orientation uint8) []byte {
	exif := append([]byte("\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), orientation)
	return slices.Concat(jpg[:2], exif, make([]byte, 6), jpg[2:])
}

// corners is a 32×16 picture whose quarters are red, green, blue and white,
// read row by row.
func corners() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 32, 16))
	for y := range 16 {
		for x := range 32 {
			img.Set(x, y, [4]color.Color{
				color.NRGBA{R: 255, A: 255}, color.NRGBA{G: 255, A: 255},
				color.NRGBA{B: 255, A: 255}, color.White,
			}[y/8*2+x/16])
		}
	}
	return img
}

// quarters names the four quarters of a picture, row by row.
func quarters(img image.Image) string {
	b := img.Bounds()
	out := ""
	for _, y := range []int{b.Dy() / 4, b.Dy() * 3 / 4} {
		for _, x := range []int{b.Dx() / 4, b.Dx() * 3 / 4} {
			r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			name := map[[3]bool]string{{true, false, false}: "R", {false, true, false}: "G", {false, false, true}: "B", {true, true, true}: "W"}
			out += name[[3]bool{r > 0x8000, g > 0x8000, bl > 0x8000}]
		}
	}
	return out
}

// What the stored picture RG/BW shows, by the definition of each value: "the
// 0th row at the visual top, the 0th column at the visual left-hand side" …
var orientations = []string{1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB"}

func TestOrientation(t *testing.T) {
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, corners(), &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	pre := Preprocessing{Width: 32, Height: 16, Std: [3]float32{1, 1, 1}}
	for o := 1; o <= 8; o++ {
		data := turned(buf.Bytes(), uint8(o))
		img, err := Decode(bytes.NewReader(data), nil)
		if err != nil {
			t.Fatalf("orientation %d: %v", o, err)
		}
		want := image.Pt(32, 16)
		if o >= 5 {
			want = image.Pt(16, 32)
		}
		if got := img.Bounds().Size(); got != want {
			t.Errorf("orientation %d: size %v, want %v", o, got, want)
		}
		if got := quarters(img); got != orientations[o] {
			t.Errorf("orientation %d: %s, want %s", o, got, orientations[o])
		}

		// Turning the resized picture is the same as resizing the turned one.
		for _, how := range []string{Squash, Crop} {
			pre.Resize = how
			var late *image.NRGBA
			f, err := photo.Parse(data, (*Limits)(nil).withDefaults())
			if err != nil {
				t.Fatal(err)
			}
			err = f.Decode(t.Context(), 1, noMemory, func(pic photo.Picture) (err error) {
				late, err = pre.fit(t.Context(), pic)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			early, err := pre.fit(t.Context(), photo.Picture{Image: img, Orientation: photo.Upright})
			if err != nil {
				t.Fatal(err)
			}
			if late.Bounds() != early.Bounds() {
				t.Fatalf("orientation %d, %s: %v and %v", o, how, late.Bounds(), early.Bounds())
			}
			for i := range late.Pix {
				if d := int(late.Pix[i]) - int(early.Pix[i]); d < -2 || d > 2 {
					t.Fatalf("orientation %d, %s: byte %d is %d and %d", o, how, i, late.Pix[i], early.Pix[i])
				}
			}
		}
	}
}
