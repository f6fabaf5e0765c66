package features

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/onetomany/caption/internal/scaledjpeg"
)

// exifBlock is a TIFF structure with one tag, Orientation.
func exifBlock(order binary.AppendByteOrder, o uint16) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, o)
	return append(b, 0, 0, 0, 0, 0, 0)
}

// withEXIF puts an APP1 segment behind the start of a JPEG.
func withEXIF(jpg, exif []byte) []byte {
	out := append([]byte{}, jpg[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(2+6+len(exif)))
	out = append(out, "Exif\x00\x00"...)
	out = append(out, exif...)
	return append(out, jpg[2:]...)
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
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			data := withEXIF(buf.Bytes(), exifBlock(order, uint16(o)))
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
			h, err := readHeader(data, (*Limits)(nil).withDefaults())
			if err != nil {
				t.Fatal(err)
			}
			ph, err := h.decode(t.Context(), data, 1, new(scaledjpeg.Decoder))
			if err != nil {
				t.Fatal(err)
			}
			for _, how := range []string{Squash, Crop} {
				pre.Resize = how
				late, err := pre.fit(t.Context(), ph)
				if err != nil {
					t.Fatal(err)
				}
				early, err := pre.fit(t.Context(), photo{Image: img, orient: upright})
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
}

func TestOrientationContainers(t *testing.T) {
	exif := exifBlock(binary.BigEndian, 6)

	var buf bytes.Buffer
	if err := png.Encode(&buf, corners()); err != nil {
		t.Fatal(err)
	}
	head := 8 + 25 // signature and IHDR
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(exif)))
	chunk = append(chunk, "eXIf"...)
	chunk = append(chunk, exif...)
	chunk = append(chunk, 0, 0, 0, 0) // the checksum of a chunk we skip is not looked at
	p := append(append(append([]byte{}, buf.Bytes()[:head]...), chunk...), buf.Bytes()[head:]...)
	if o := pngOrientation(p); o != 6 {
		t.Errorf("PNG: orientation %d, want 6", o)
	}

	riff := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 \x03\x00\x00\x00abc\x00EXIF"), byte(len(exif)), 0, 0, 0)
	riff = append(riff, exif...)
	if o := webpOrientation(riff); o != 6 {
		t.Errorf("WebP: orientation %d, want 6", o)
	}
	if o := tiffOrientation(exif); o != 6 {
		t.Errorf("TIFF: orientation %d, want 6", o)
	}
}

func TestOrientationOfBrokenEXIF(t *testing.T) {
	good := exifBlock(binary.LittleEndian, 8)
	for n := range good[:len(good)-7] { // the last bytes are padding and the next directory
		if o := tiffOrientation(good[:n]); o != upright {
			t.Errorf("cut to %d bytes: orientation %d", n, o)
		}
	}
	for _, v := range []uint16{0, 9, 0xffff} {
		if o := tiffOrientation(exifBlock(binary.LittleEndian, v)); o != upright {
			t.Errorf("value %d: orientation %d", v, o)
		}
	}
}

func FuzzOrientation(f *testing.F) {
	exif := exifBlock(binary.LittleEndian, 6)
	f.Add(exif)
	f.Add(withEXIF([]byte("\xff\xd8\xff\xd9"), exif))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x00IHDR\x00\x00\x00\x00"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPEXIF\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, x := range formats {
			if x.orient == nil || !x.match(b) {
				continue
			}
			if o := x.orient(b); o < 1 || o > 8 {
				t.Fatalf("%s: orientation %d", x.name, o)
			}
		}
	})
}
