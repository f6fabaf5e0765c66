package features

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// golden is testdata/golden.json: what Pillow makes of the pictures.
type golden struct {
	Pictures map[string]string // RGB over white, base64
	Resized  []struct {
		Resize        string
		Width, Height int
		RGB           string
	}
}

func readGolden(t testing.TB) golden {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// compare returns the largest and the mean difference between the prepared
// pixels of img and want, RGB in base64.
func compare(t *testing.T, pre Preprocessing, img image.Image, want string) (most int, mean float64) {
	t.Helper()
	rgb, err := base64.StdEncoding.DecodeString(want)
	if err != nil {
		t.Fatal(err)
	}
	pre.Std = [3]float32{1. / 255, 1. / 255, 1. / 255} // values 0..255
	got, err := pre.Tensor(img)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(rgb) {
		t.Fatalf("%d values, want %d", len(got), len(rgb))
	}
	n := pre.Width * pre.Height
	for i, w := range rgb {
		d := int(got[i%3*n+i/3]+0.5) - int(w)
		most = max(most, d, -d)
		mean += float64(max(d, -d)) / float64(len(rgb))
	}
	return most, mean
}

// Every format equals what Pillow reads, within the freedom of lossy formats.
func TestDecodeEqualsPillow(t *testing.T) {
	// Largest and mean difference allowed, else 0.
	allowed := map[string]struct {
		most int
		mean float64
	}{
		"444.jpg": {3, 0.3}, "420.jpg": {2, 0.1}, "422.jpg": {2, 0.1}, "gray.jpg": {1, 0.1},
		"restart.jpg": {2, 0.1}, "turned.jpg": {2, 0.1}, "progressive.jpg": {2, 0.1}, "cmyk.jpg": {2, 0.1}, "ycck.jpg": {3, 0.3},
		"lossy.webp": {3, 0.6}, "gray_lossy.webp": {1, 0.1},
		"lossy_alpha.webp": {45, 3}, // colour is not interpolated where there is transparency
	}
	for name, want := range readGolden(t).Pictures {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open(filepath.Join("testdata/pictures", name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			img, err := Decode(f, nil)
			if err != nil {
				t.Fatal(err)
			}
			b := img.Bounds()
			most, mean := compare(t, Preprocessing{Width: b.Dx(), Height: b.Dy()}, img, want)
			a := allowed[name]
			if most > a.most || mean > a.mean {
				t.Errorf("%T: differs by up to %d, mean %.3f; %d and %.3f are allowed", img, most, mean, a.most, a.mean)
			}
			t.Logf("%T: up to %d, mean %.3f", img, most, mean)
		})
	}
}

func picture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/pictures", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A file cut off anywhere is an error, whatever the format; what is missing
// may be at most padding or a trailer behind the last pixel.
func TestDecodeTruncated(t *testing.T) {
	for _, c := range []struct {
		name string
		tail int // bytes that may be missing
	}{
		{"444.jpg", 0}, {"420.jpg", 0}, {"restart.jpg", 0}, {"progressive.jpg", 0}, {"gray.jpg", 0}, {"cmyk.jpg", 0},
		{"rgb.png", 0}, {"rgba16.png", 0}, {"palette.gif", 1}, {"lossless.webp", 16}, {"lossy.webp", 16},
		{"rgb.bmp", 2}, {"raw.tif", 0}, {"lzw.tif", 4},
	} {
		data := picture(t, c.name)
		for n := 0; n < len(data)-c.tail; n += 1 + n/100 {
			img, err := Decode(bytes.NewReader(data[:n]), nil)
			if err == nil {
				t.Errorf("%s cut to %d of %d bytes: no error, %v", c.name, n, len(data), img.Bounds())
				continue
			}
			if !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotImage) && !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s cut to %d bytes: %v is none of the declared errors", c.name, n, err)
			}
		}
	}
	half := picture(t, "444.jpg")
	if _, err := Decode(bytes.NewReader(half[:len(half)-60]), nil); !errors.Is(err, ErrTruncated) {
		t.Errorf("truncated JPEG: %v, want ErrTruncated", err)
	}
	half = picture(t, "rgb.png")
	if _, err := Decode(bytes.NewReader(half[:len(half)*2/3]), nil); !errors.Is(err, ErrTruncated) {
		t.Errorf("truncated PNG: %v, want ErrTruncated", err)
	}
}

func TestDecodeNotImage(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "the file is empty",
		"This is no photo.\nReally.\n": "it is text",
		"grüße aus dem Süden":          "it is text",
		strings.Repeat("ü", 400):       "it is text",
		"\n<!DOCTYPE html><html>":      "an HTML page",
		"<svg xmlns=":                  "an SVG drawing",
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": "HEIC picture; convert",
		"\x00\x00\x00\x18ftypavif":                         "AVIF picture; convert",
		"\x00\x00\x00\x18ftypisom":                         "a video",
		"%PDF-1.7":                                         "a PDF document",
		"version https://git-lfs.github.com/spec/v1\noid":  "Git LFS pointer",
		"\x01\x02\x03\x04":                                 "no known kind",
		string(make([]byte, 1000)):                         "only zeros",
		"BM is a car maker in this text file":              "it is text",
	} {
		_, err := Decode(strings.NewReader(text), nil)
		if !errors.Is(err, ErrNotImage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: the message has several lines: %v", text, err)
		}
	}
}

// pngHeader is the start of a PNG of any size.
func pngHeader(w, h uint32) []byte {
	body := append([]byte("IHDR"), 0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0)
	binary.BigEndian.PutUint32(body[4:], w)
	binary.BigEndian.PutUint32(body[8:], h)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, body...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
	return append(b, "\x00\x00\x10\x00IDAT"...)
}

func TestLimits(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Decode(bytes.NewReader(pngHeader(60_000, 60_000)), nil)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("60,000×60,000: %v, want ErrTooLarge", err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("60,000×60,000: %d bytes allocated to refuse it", n)
	}

	data := picture(t, "rgb.png") // 26×18
	for _, c := range []struct {
		lim  Limits
		want error
	}{
		{Limits{MaxPixels: 26 * 18}, nil},
		{Limits{MaxPixels: 26*18 - 1}, ErrTooLarge},
		{Limits{MaxBytes: int64(len(data))}, nil},
		{Limits{MaxBytes: int64(len(data)) - 1}, ErrTooLarge},
	} {
		if _, err := Decode(bytes.NewReader(data), &c.lim); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.lim, err, c.want)
		}
	}

	// An endless stream is given up at the limit.
	if _, err := Decode(endless{}, &Limits{MaxBytes: 1 << 16}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("endless stream: %v, want ErrTooLarge", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// Reading errors come through.
func TestDecodeReadError(t *testing.T) {
	boom := errors.New("boom")
	r := io.MultiReader(bytes.NewReader(picture(t, "rgb.png")[:50]), failing{boom})
	if _, err := Decode(r, nil); !errors.Is(err, boom) {
		t.Errorf("%v, want %v", err, boom)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// noise is a picture without structure.
func noise(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = uint8(r.Uint32())
	}
	return img
}

// wrapped hides a picture's type, so that only At is left.
type wrapped struct{ image.Image }

// All ways to hold the same picture give the same tensor.
func TestColourModels(t *testing.T) {
	src := noise(20, 14)
	b := src.Bounds()
	opaque := image.NewRGBA(b)
	gray := image.NewGray(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := src.NRGBAAt(x, y)
			c.A = 255
			opaque.Set(x, y, c)
			gray.Set(x, y, c)
		}
	}
	pre := ImageNet(16)
	for _, how := range []string{Squash, Crop} {
		pre.Resize = how
		for _, c := range []struct {
			name string
			a, b image.Image
		}{
			{"a user's own type", opaque, wrapped{opaque}},
			{"gray", gray, wrapped{gray}},
			{"part of a picture", opaque.SubImage(image.Rect(3, 2, 17, 12)), wrapped{opaque.SubImage(image.Rect(3, 2, 17, 12))}},
		} {
			x, err := pre.Tensor(c.a)
			if err != nil {
				t.Fatal(err)
			}
			y, err := pre.Tensor(c.b)
			if err != nil {
				t.Fatal(err)
			}
			for i := range x {
				if x[i] != y[i] {
					t.Fatalf("%s, %s: value %d is %g and %g", c.name, how, i, x[i], y[i])
				}
			}
		}
	}
}

// A fully transparent picture is white, whatever colour it hides.
func TestTransparentIsWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 9, 9))
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i] = 200
	}
	x, err := ImageNet(4).Tensor(img)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range x {
		c := i / 16
		if want := (1 - ImageNet(4).Mean[c]) / ImageNet(4).Std[c]; v != want {
			t.Fatalf("value %d is %g, want %g", i, v, want)
		}
	}
}
