package scaledjpeg

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plane is one channel of a picture.
type plane struct {
	pix    []uint8
	stride int
	w, h   int
}

// planes lists the channels of a picture as stored.
func planes(t testing.TB, img image.Image) []plane {
	t.Helper()
	b := img.Bounds()
	switch m := img.(type) {
	case *image.Gray:
		return []plane{{m.Pix, m.Stride, b.Dx(), b.Dy()}}
	case *image.YCbCr:
		w, h := b.Dx(), b.Dy()
		switch m.SubsampleRatio {
		case image.YCbCrSubsampleRatio422:
			w = (w + 1) / 2
		case image.YCbCrSubsampleRatio440:
			h = (h + 1) / 2
		case image.YCbCrSubsampleRatio420:
			w, h = (w+1)/2, (h+1)/2
		case image.YCbCrSubsampleRatio411:
			w = (w + 3) / 4
		case image.YCbCrSubsampleRatio410:
			w, h = (w+3)/4, (h+1)/2
		}
		return []plane{{m.Y, m.YStride, b.Dx(), b.Dy()}, {m.Cb, m.CStride, w, h}, {m.Cr, m.CStride, w, h}}
	}
	t.Fatalf("%T", img)
	return nil
}

// The constants of the transform are what their formula says.
func TestConstants(t *testing.T) {
	mean := func(x, u, group int) int32 {
		var sum float64
		for p := x * group; p < (x+1)*group; p++ {
			sum += math.Cos(float64((2*p+1)*u) * math.Pi / 16)
		}
		if u == 0 {
			sum /= math.Sqrt2
		}
		return int32(math.Round(sum / float64(2*group) * (1 << fraction)))
	}
	for x, row := range [][4]int32{{m00, m01, m02, m03}, {m10, m11, m12, m13}} {
		for u, m := range row {
			if want := mean(x, u, 2); m != want {
				t.Errorf("m%d%d is %d, want %d", x, u, m, want)
			}
		}
	}
	const half = 1 << (fraction - 1)
	if want := (mean(0, 0, 4)*mean(0, 1, 4) + half) >> fraction; edge != want {
		t.Errorf("edge is %d, want %d", edge, want)
	}
	if want := (mean(0, 1, 4)*mean(0, 1, 4) + half) >> fraction; corner != want {
		t.Errorf("corner is %d, want %d", corner, want)
	}
}

// lowest is a block of pixels without the coefficients from keep on in either
// direction, by the definition, A.3.3.
func lowest(block [8][8]float64, keep int) (out [8][8]float64) {
	basis := func(u, x int) float64 {
		c := math.Cos(float64((2*x+1)*u)*math.Pi/16) / 2
		if u == 0 {
			c /= math.Sqrt2
		}
		return c
	}
	for v := range keep {
		for u := range keep {
			var sum float64
			for y := range 8 {
				for x := range 8 {
					sum += block[y][x] * basis(v, y) * basis(u, x)
				}
			}
			for y := range 8 {
				for x := range 8 {
					out[y][x] += sum * basis(v, y) * basis(u, x)
				}
			}
		}
	}
	return out
}

// progressive reports whether a picture is.
func progressive(data []byte) bool { return bytes.Contains(data, []byte{0xff, sof2}) }

// Each pixel is the mean of those that image/jpeg's blocks have without their
// high coefficients, within the rounding of both. Blocks that image/jpeg cut
// off at 0 or 255 are left out, and those not whole inside the picture.
func TestMeansOfFullDecode(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(files) == 0 {
		t.Fatal("no pictures", err)
	}
	for _, name := range files {
		data := read(t, filepath.Base(name))
		same := data
		if filepath.Base(name) == "progressive_restart420.jpg" {
			same = read(t, "progressive.jpg") // image/jpeg does not read the other
		}
		full, err := jpeg.Decode(bytes.NewReader(same))
		if err != nil {
			t.Fatal(err)
		}
		for _, denom := range []int{1, 2, 4, 8} {
			if denom == 1 && !progressive(data) {
				continue
			}
			img, err := new(Decoder).Decode(t.Context(), data, denom)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			size := full.Bounds().Size().Add(image.Pt(denom-1, denom-1)).Div(denom)
			if img.Bounds().Size() != size {
				t.Errorf("%s 1/%d: %v, want %v", name, denom, img.Bounds(), size)
			}
			a, b := planes(t, full), planes(t, img)
			for i := range a {
				most, sum, n := 0., 0., 0
				for y := 0; y+8 <= a[i].h; y += 8 {
					for x := 0; x+8 <= a[i].w; x += 8 {
						compareBlock(a[i], b[i], x, y, denom, func(diff float64) {
							most, sum, n = max(most, diff), sum+diff, n+1
						})
					}
				}
				if most > 1.6 || n > 0 && sum/float64(n) > 0.4 {
					t.Errorf("%s 1/%d, plane %d: differs by up to %.2f, mean %.2f", name, denom, i, most, sum/float64(n))
				}
				if n == 0 && i == 0 && a[i].w > 16 {
					t.Errorf("%s: nothing compared", name)
				}
			}
		}
	}
}

// compareBlock compares the block of full at x, y to what reduced has of it.
func compareBlock(full, reduced plane, x, y, denom int, report func(diff float64)) {
	var block [8][8]float64
	for j := range 8 {
		for i := range 8 {
			v := full.pix[(y+j)*full.stride+x+i]
			if v == 0 || v == 255 {
				return
			}
			block[j][i] = float64(v)
		}
	}
	block = lowest(block, 8/denom)
	for j := 0; j < 8; j += denom {
		for i := 0; i < 8; i += denom {
			var mean float64
			for dy := range denom {
				for dx := range denom {
					mean += block[j+dy][i+dx] / float64(denom*denom)
				}
			}
			got := reduced.pix[(y+j)/denom*reduced.stride+(x+i)/denom]
			report(math.Abs(float64(got) - min(max(mean, 0), 255)))
		}
	}
}

// What is not whole, or not for this package, is an error and never a picture.
func TestOther(t *testing.T) {
	var d Decoder
	for _, name := range []string{"progressive.jpg", "420.jpg"} {
		data := read(t, name)
		for n := range data {
			if _, err := d.Decode(t.Context(), data[:n], 8>>(n%3)); !errors.Is(err, ErrOther) {
				t.Fatalf("%s cut to %d of %d bytes: %v", name, n, len(data), err)
			}
		}
	}
	data := read(t, "420.jpg")
	at := bytes.Index(data, []byte{0xff, sof0})
	renamed := bytes.Clone(data)
	renamed[at+1] = sof2
	if _, err := new(Decoder).Decode(t.Context(), renamed, 8); !errors.Is(err, ErrOther) {
		t.Errorf("progressive: %v", err)
	}
	if _, err := new(Decoder).Decode(t.Context(), data, 3); !errors.Is(err, ErrOther) {
		t.Errorf("1/3: %v", err)
	}

	// Data missing in the middle of the scan, the end in its place.
	short := append(bytes.Clone(data[:len(data)-200]), 0xff, eoi)
	if _, err := new(Decoder).Decode(t.Context(), short, 8); !errors.Is(err, ErrOther) {
		t.Errorf("data missing: %v", err)
	}
	restart := read(t, "restart.jpg")
	if i := bytes.LastIndex(restart, []byte{0xff, rst0 | 3}); i > 0 {
		if _, err := new(Decoder).Decode(t.Context(), append(restart[:i:i], restart[i+2:]...), 8); !errors.Is(err, ErrOther) {
			t.Errorf("a restart marker missing: %v", err)
		}
	} else {
		t.Error("no restart marker in restart.jpg")
	}
}

// A decoder that has seen other pictures, whole and broken, gives the same.
func TestAgain(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(files) == 0 {
		t.Fatal("no pictures", err)
	}
	var used Decoder
	for _, denom := range []int{4, 8, 2, 1} {
		for _, name := range files {
			data := read(t, filepath.Base(name))
			if denom == 1 && !progressive(data) {
				continue
			}
			want, err := new(Decoder).Decode(t.Context(), data, denom)
			if err != nil {
				t.Fatal(err)
			}
			used.Decode(t.Context(), data[:len(data)/2], denom)
			got, err := used.Decode(t.Context(), data, denom)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s 1/%d: another picture from a used decoder, %v", name, denom, err)
			}
		}
	}
}

// Restart intervals change nothing of a picture, at any scale: Pillow wrote the
// same coefficients with and without. image/jpeg refuses the one with, for it
// counts the units of a scan of one component wrongly.
func TestProgressiveRestart(t *testing.T) {
	with, without := read(t, "progressive_restart420.jpg"), read(t, "progressive.jpg")
	if _, err := jpeg.Decode(bytes.NewReader(with)); err == nil {
		t.Error("image/jpeg reads it now: full size need not be decoded here")
	}
	full, err := jpeg.Decode(bytes.NewReader(without))
	if err != nil {
		t.Fatal(err)
	}
	for _, denom := range []int{1, 2, 4, 8} {
		a, err := new(Decoder).Decode(t.Context(), with, denom)
		if err != nil {
			t.Fatal(err)
		}
		b, err := new(Decoder).Decode(t.Context(), without, denom)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("1/%d: another picture with restart intervals", denom)
		}
		if denom > 1 {
			continue
		}
		for i, p := range planes(t, full) {
			q := planes(t, a)[i]
			for y := range p.h {
				for x := range p.w {
					if d := int(p.pix[y*p.stride+x]) - int(q.pix[y*q.stride+x]); d < -1 || d > 1 {
						t.Fatalf("plane %d at %d, %d: %d from image/jpeg", i, x, y, d)
					}
				}
			}
		}
	}
}

// A context that is done ends the decoding of every kind.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"420.jpg", "progressive.jpg"} {
		if _, err := new(Decoder).Decode(ctx, read(t, name), 2); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecode: a picture is of the size announced, its planes reach that far, and
// a decoder that has read others before gives the same.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(files) == 0 {
		f.Fatal("no pictures", err)
	}
	for _, name := range files {
		f.Add(read(f, filepath.Base(name)), uint8(3))
	}
	var used Decoder
	f.Fuzz(func(t *testing.T, data []byte, shift uint8) {
		c, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.Width*c.Height > 1<<14 {
			return
		}
		denom := 1 << (shift % 4)
		img, err := new(Decoder).Decode(t.Context(), data, denom)
		again, err2 := used.Decode(t.Context(), data, denom)
		if !reflect.DeepEqual(img, again) || (err == nil) != (err2 == nil) {
			t.Fatalf("a used decoder gives %v, %v; a new one %v, %v", again, err2, img, err)
		}
		if err != nil {
			if !errors.Is(err, ErrOther) {
				t.Fatal(err)
			}
			return
		}
		want := image.Pt(c.Width+denom-1, c.Height+denom-1).Div(denom)
		if b := img.Bounds(); b.Size() != want || b.Min != (image.Point{}) {
			t.Fatalf("bounds %v, want a size of %v", b, want)
		}
		for _, p := range planes(t, img) {
			if p.w > p.stride || len(p.pix) < (p.h-1)*p.stride+p.w {
				t.Fatalf("a plane of %d×%d has %d bytes, %d a row", p.w, p.h, len(p.pix), p.stride)
			}
		}
	})
}
