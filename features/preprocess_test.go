package features

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"strings"
	"testing"

	"github.com/onetomany/caption/features/internal/photo"
)

// Resizing equals Pillow's BILINEAR, which torchvision uses on PIL images, but
// for a rounding: imaging keeps 8 bits between rows and columns as Pillow does,
// and weighs in float64 where Pillow has fixed point.
func TestResizeEqualsPillow(t *testing.T) {
	img, err := Decode(bytes.NewReader(picture(t, "scene.png")), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range readGolden(t).Resized {
		t.Run(fmt.Sprintf("%s-%dx%d", g.Resize, g.Width, g.Height), func(t *testing.T) {
			most, mean := compare(t, Preprocessing{Width: g.Width, Height: g.Height, Resize: g.Resize}, img, g.RGB)
			t.Logf("up to %d, mean %.4f", most, mean)
			if most > 1 || mean > 0.05 {
				t.Errorf("differs by up to %d, mean %.4f", most, mean)
			}
		})
	}
}

func TestTensorLayout(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	copy(img.Pix, []uint8{255, 0, 51, 255, 0, 255, 102, 255})
	pre := Preprocessing{Width: 2, Height: 1, Mean: [3]float32{0.5, 0.25, 0}, Std: [3]float32{0.5, 0.25, 2}}
	want := []float32{1, -1, -1, 3, 0.1, 0.2}
	got, err := pre.Tensor(img)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if math.Abs(float64(got[i]-w)) > 1e-6 {
			t.Errorf("rgb: %v, want %v", got, want)
			break
		}
	}
	pre.Order = "bgr"
	want = []float32{0.1, 0.2, -1, 3, 1, -1}
	if got, err = pre.Tensor(img); err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if math.Abs(float64(got[i]-w)) > 1e-6 {
			t.Errorf("bgr: %v, want %v", got, want)
			break
		}
	}
}

// EfficientNet-Lite's (value − 127)/128.
func TestLite(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 1, 1))
	for _, v := range []uint8{0, 127, 255} {
		img.Pix[0] = v
		got, err := Lite(1).Tensor(img)
		if err != nil {
			t.Fatal(err)
		}
		if want := (float64(v) - 127) / 128; math.Abs(float64(got[0])-want) > 1e-6 {
			t.Errorf("%d: %g, want %g", v, got[0], want)
		}
	}
}

func TestValidate(t *testing.T) {
	good := ImageNet(224)
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	for want, change := range map[string]func(*Preprocessing){
		"size 0×224":     func(p *Preprocessing) { p.Width = 0 },
		"size 224×99999": func(p *Preprocessing) { p.Height = 99999 },
		"resize":         func(p *Preprocessing) { p.Resize = "stretch" },
		"channels":       func(p *Preprocessing) { p.Order = "grb" },
		"mean":           func(p *Preprocessing) { p.Mean[1] = nan },
		"std":            func(p *Preprocessing) { p.Std[2] = 0 },
	} {
		p := good
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Extreme proportions take little memory and come out right at the size.
func TestExtremeShapes(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {1, 60_000}, {60_000, 1}, {3, 50_000}, {50_000, 3}} {
		img := image.NewGray(image.Rectangle{Max: size})
		for _, how := range []string{Squash, Crop} {
			p := ImageNet(64)
			p.Resize = how
			got, err := p.Tensor(img)
			if err != nil {
				t.Fatalf("%v, %s: %v", size, how, err)
			}
			if want := (0 - p.Mean[0]) / p.Std[0]; got[0] != want {
				t.Errorf("%v, %s: %g, want %g", size, how, got[0], want)
			}
		}
	}
	if _, err := ImageNet(8).Tensor(image.NewGray(image.Rectangle{})); err == nil {
		t.Error("a picture without pixels: no error")
	}
}

// A large JPEG is decoded smaller than it is; the tensor stays close to that of
// the full picture, and a turned one is turned all the same.
func TestScaledDecode(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			wave := 60 * math.Sin(float64(x)/9) * math.Cos(float64(y)/13)
			edge := 50 * float64((x/60+y/45)%2)
			img.SetNRGBA(x, y, color.NRGBA{uint8(100 + wave), uint8(80 + edge), uint8(x * 255 / 640), 255})
		}
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		width, height int
		resize        string
		turned        uint8
		denom         int
	}{
		{40, 40, Squash, 1, 4},
		{20, 20, Squash, 1, 8},
		{80, 80, Squash, 1, 2},
		{129, 80, Squash, 1, 1}, // 2 would leave 320 columns where 322.5 are wanted
		{20, 26, Squash, 6, 8},
		{26, 20, Squash, 6, 4},
		{20, 20, Crop, 1, 8},
		{20, 20, Crop, 8, 8},
		{40, 20, Crop, 1, 4},
	} {
		p := ImageNet(1)
		p.Width, p.Height, p.Resize = c.width, c.height, c.resize
		p.Std = [3]float32{1. / 255, 1. / 255, 1. / 255} // values 0..255
		data := turned(buf.Bytes(), c.turned)
		h, err := photo.Parse(data, (*Limits)(nil).withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		denom := p.reduction(h.Width, h.Height, h.Orientation)
		if denom != c.denom {
			t.Errorf("%+v: decoded at 1/%d", c, denom)
		}
		var rows [2][]float32
		for i, d := range []int{1, denom} {
			rows[i] = make([]float32, p.Size())
			err := h.Decode(t.Context(), d, noMemory, func(pic photo.Picture) error {
				if want := (640 + d - 1) / d; pic.Bounds().Dx() != want {
					t.Errorf("%+v: decoded to a width of %d, want %d", c, pic.Bounds().Dx(), want)
				}
				return p.fill(t.Context(), rows[i], pic)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var mean float64
		for i := range rows[0] {
			mean += math.Abs(float64(rows[0][i]-rows[1][i])) / float64(len(rows[0]))
		}
		if mean > 0.8 { // hard edges everywhere
			t.Errorf("%+v: differs by %.2f of 255 on average", c, mean)
		}
		t.Logf("%+v: mean %.3f", c, mean)
	}
}

// noMemory is for who takes none.
func noMemory(w, h int) int64 { return 0 }

// A pixel beyond the palette is an error, not a crash.
func TestPaletteOverrun(t *testing.T) {
	img := image.NewPaletted(image.Rect(0, 0, 2, 2), nil)
	if _, err := ImageNet(8).Tensor(img); err == nil {
		t.Error("no error")
	}
}

func BenchmarkTensor(b *testing.B) {
	for _, c := range []struct {
		name string
		img  image.Image
	}{
		{"500x375", image.NewYCbCr(image.Rect(0, 0, 500, 375), image.YCbCrSubsampleRatio420)},
		{"4000x3000", image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := ImageNet(224)
			dst := make([]float32, p.Size())
			for b.Loop() {
				if err := p.fill(b.Context(), dst, photo.Picture{Image: c.img, Orientation: photo.Upright}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
