package features

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"io/fs"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// pretender is a picture of any bounds, which panics or lies.
type pretender struct {
	bounds image.Rectangle
	panics bool
}

func (p pretender) ColorModel() color.Model { return color.RGBAModel }
func (p pretender) Bounds() image.Rectangle { return p.bounds }
func (p pretender) At(x, y int) color.Color {
	if p.panics {
		panic("no pixel")
	}
	return color.RGBA{1, 2, 3, 255}
}

// Pictures that are not what they say are errors, in the caller's goroutine.
func TestHostileImages(t *testing.T) {
	r := image.Rect(0, 0, 300, 200)
	var typedNil *image.RGBA
	short := make([]uint8, 1000)
	for name, img := range map[string]image.Image{
		"nil":                  nil,
		"typed nil":            typedNil,
		"no pixels":            image.NewRGBA(image.Rectangle{}),
		"upside down":          pretender{bounds: image.Rectangle{image.Pt(5, 5), image.Pt(1, 1)}},
		"short RGBA":           &image.RGBA{Pix: short, Stride: 1200, Rect: r},
		"no stride":            &image.RGBA{Pix: make([]uint8, 4*300*200), Rect: r},
		"negative stride":      &image.RGBA{Pix: make([]uint8, 4*300*200), Stride: -1200, Rect: r},
		"huge stride":          &image.RGBA{Pix: make([]uint8, 4*300*200), Stride: math.MaxInt, Rect: r},
		"short NRGBA":          &image.NRGBA{Pix: short, Stride: 1200, Rect: r},
		"short RGBA64":         &image.RGBA64{Pix: short, Stride: 2400, Rect: r},
		"short NRGBA64":        &image.NRGBA64{Pix: short, Stride: 2400, Rect: r},
		"short Gray":           &image.Gray{Pix: short, Stride: 300, Rect: r},
		"short Gray16":         &image.Gray16{Pix: short, Stride: 600, Rect: r},
		"short CMYK":           &image.CMYK{Pix: short, Stride: 1200, Rect: r},
		"short Alpha":          &image.Alpha{Pix: short, Stride: 300, Rect: r},
		"short Paletted":       &image.Paletted{Pix: short, Stride: 300, Rect: r, Palette: color.Palette{color.Black}},
		"no palette":           image.NewPaletted(r, nil),
		"nil colour":           image.NewPaletted(r, color.Palette{nil}),
		"short luma":           &image.YCbCr{Y: short, Cb: make([]uint8, 1e5), Cr: make([]uint8, 1e5), YStride: 300, CStride: 150, SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: r},
		"short chroma":         &image.YCbCr{Y: make([]uint8, 1e5), Cb: short, Cr: short, YStride: 300, CStride: 150, SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: r},
		"short 4:1:0":          &image.YCbCr{Y: make([]uint8, 1e5), Cb: short, Cr: short, YStride: 300, CStride: 75, SubsampleRatio: image.YCbCrSubsampleRatio410, Rect: r},
		"unknown subsampling":  &image.YCbCr{Y: make([]uint8, 1e5), Cb: make([]uint8, 1e5), Cr: make([]uint8, 1e5), YStride: 300, CStride: 300, SubsampleRatio: 77, Rect: r},
		"short NYCbCrA":        &image.NYCbCrA{YCbCr: image.YCbCr{Y: short, Rect: r, YStride: 300}},
		"Uniform":              image.NewUniform(color.White),
		"100,000×100,000":      pretender{bounds: image.Rect(0, 0, 100_000, 100_000)},
		"wider than it can be": pretender{bounds: image.Rect(math.MinInt, 0, math.MaxInt, 9)},
		"far away":             pretender{bounds: image.Rect(math.MaxInt-9, 0, math.MaxInt, 9)},
		"panics":               pretender{bounds: r, panics: true},
	} {
		for _, how := range []string{Squash, Crop} {
			pre := ImageNet(8)
			pre.Resize = how
			if x, err := pre.Tensor(img); err == nil || x != nil {
				t.Errorf("%s, %s: %d values, no error", name, how, len(x))
			} else if len(err.Error()) > 300 {
				t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
			}
			if _, err := toyExtractor(t, new(toy)).Image(t.Context(), img); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	}
	// Parts of pictures, which begin anywhere, are good ones.
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		whole := image.NewYCbCr(image.Rect(-7, -5, 40, 30), ratio)
		for range 3 {
			part := whole.SubImage(image.Rect(-3, -1, 12, 17))
			if _, err := ImageNet(8).Tensor(part); err != nil {
				t.Errorf("%v: %v", ratio, err)
			}
		}
	}
}

// growing is a picture whose bounds change once they have been checked.
type growing struct {
	pretender
	calls int
}

func (g *growing) Bounds() image.Rectangle {
	if g.calls++; g.calls > 1 {
		return image.Rect(0, 0, 1<<29, 1<<29)
	}
	return image.Rect(0, 0, 300, 300)
}

func TestGrowingImage(t *testing.T) {
	for _, how := range []string{Squash, Crop} {
		pre := ImageNet(8)
		pre.Resize = how
		if _, err := pre.Tensor(new(growing)); err != nil {
			t.Error(err)
		}
	}
}

// A Read that never returns does not hold up the context, whatever it says that it
// reads.
func TestBlockedRegularFile(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	ctx, cancel := context.WithCancel(t.Context())
	r := file{reader{
		read: func([]byte) (int, error) { cancel(); <-block; return 0, io.EOF },
		stat: func() (fs.FileInfo, error) { return info{size: 100}, nil },
	}}
	if _, err := toyExtractor(t, new(toy)).Read(ctx, r, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// reader is an io.ReadCloser and a file that misbehaves.
type reader struct {
	read  func(p []byte) (int, error)
	stat  func() (fs.FileInfo, error)
	close func() error
}

func (r reader) Read(p []byte) (int, error) { return r.read(p) }
func (r reader) Close() error {
	if r.close != nil {
		return r.close()
	}
	return nil
}

// file is a reader with a Stat.
type file struct{ reader }

func (f file) Stat() (fs.FileInfo, error) { return f.stat() }

// info tells of a regular file of any size.
type info struct {
	fs.FileInfo
	size int64
}

func (i info) Mode() fs.FileMode { return 0 }
func (i info) Size() int64       { return i.size }

func TestHostileReaders(t *testing.T) {
	data := picture(t, "rgb.png")
	whole := func() io.Reader { return bytes.NewReader(data) }
	stat := func(size int64) func() (fs.FileInfo, error) {
		return func() (fs.FileInfo, error) { return info{size: size}, nil }
	}
	x := toyExtractor(t, new(toy))
	for _, c := range []struct {
		name string
		r    io.Reader
		says string // "" where the photo is read all the same
	}{
		{"nil", nil, "nil"},
		{"too many bytes", reader{read: func(p []byte) (int, error) { return len(p) + 1, nil }}, "bytes of"},
		{"negative", reader{read: func([]byte) (int, error) { return -1, nil }}, "-1 bytes of"},
		{"nothing for ever", reader{read: func([]byte) (int, error) { return 0, nil }}, io.ErrNoProgress.Error()},
		{"panics", reader{read: func([]byte) (int, error) { panic("boom") }}, "boom"},
		{"typed nil", (*bytes.Reader)(nil), "panic"},
		{"Stat panics", file{reader{read: whole().Read, stat: func() (fs.FileInfo, error) { panic("boom") }}}, ""},
		{"Stat gives nil", file{reader{read: whole().Read, stat: func() (fs.FileInfo, error) { return nil, nil }}}, ""},
		{"Stat fails", file{reader{read: whole().Read, stat: func() (fs.FileInfo, error) { return nil, fs.ErrInvalid }}}, ""},
		{"negative size", file{reader{read: whole().Read, stat: stat(-1 << 40)}}, ""},
		{"size too small", file{reader{read: whole().Read, stat: stat(1)}}, ""},
		{"size too large", file{reader{read: whole().Read, stat: stat(1 << 20)}}, ""},
		{"absurd size", file{reader{read: whole().Read, stat: stat(math.MaxInt64)}}, ""},
	} {
		_, err := x.Read(t.Context(), c.r, nil)
		_, err2 := x.pre.Read(t.Context(), c.r, nil)
		if s, ok := c.r.(*bytes.Reader); ok && s != nil {
			s.Reset(data)
		}
		errs := []error{err}
		if c.says != "" { // else the reader is used up
			errs = append(errs, err2)
			if _, err := Decode(c.r, nil); err != nil {
				errs = append(errs, err)
			}
		}
		for _, err := range errs {
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s: %v, want %q", c.name, err, c.says)
			}
		}
	}
}

// One bad source fails alone.
func TestHostileSources(t *testing.T) {
	good := photos(t, 2)
	sources := []Source{
		good[0],
		{Name: "no Open"},
		{Name: "Open panics", Open: func() (io.ReadCloser, error) { panic("boom") }},
		{Name: "nil", Open: func() (io.ReadCloser, error) { return nil, nil }},
		{Name: "Close panics", Open: func() (io.ReadCloser, error) {
			return reader{read: bytes.NewReader(picture(t, "rgb.png")).Read, close: func() error { panic("boom") }}, nil
		}},
		good[1],
	}
	x := toyExtractor(t, new(toy))
	for _, opt := range []*StreamOptions{nil, {Jobs: 1e6, Batch: 1e6}, {Jobs: math.MinInt, Batch: math.MinInt}, {Jobs: math.MaxInt, Batch: 2, Limits: &Limits{-1, -1, -1, -1}}} {
		var names []string
		for r := range x.Stream(t.Context(), slices.Values(sources), opt) {
			names = append(names, r.Name)
			if isGood := strings.HasPrefix(r.Name, "photo"); isGood != (r.Err == nil) {
				t.Errorf("%s: %v", r.Name, r.Err)
			}
		}
		if len(names) != len(sources) {
			t.Errorf("%+v: results for %v", opt, names)
		}
	}
	for range x.Stream(t.Context(), nil, nil) {
		t.Error("a result without sources")
	}
	// A panic of the sequence itself is its owner's, and leaves nothing behind.
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		var bad iter.Seq[Source] = func(yield func(Source) bool) { panic("boom") }
		for range x.Stream(t.Context(), bad, nil) {
		}
	}()
}

// Zero values and nil contexts are errors.
func TestZeroValues(t *testing.T) {
	var none context.Context
	good := toyExtractor(t, new(toy))
	img := noise(8, 8)
	data := func() io.Reader { return bytes.NewReader(picture(t, "rgb.png")) }
	errOf := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"zero Image":                       errOf(new(Extractor).Image(t.Context(), img)),
		"zero Read":                        errOf(new(Extractor).Read(t.Context(), data(), nil)),
		"zero Prepared":                    errOf(new(Extractor).Prepared(t.Context(), nil)),
		"zero Meta":                        errOf(new(Extractor).Meta(nil)),
		"zero WriteFile":                   errOf(new(Extractor).WriteFile(t.Context(), t.TempDir()+"/x.npz", photos(t, 1), nil)),
		"nil Extractor":                    errOf((*Extractor)(nil).Image(t.Context(), img)),
		"zero Tensor":                      errOf(Preprocessing{}.Tensor(img)),
		"zero preprocessing Read":          errOf(Preprocessing{}.Read(t.Context(), data(), nil)),
		"nil context Image":                errOf(good.Image(none, img)),
		"nil context Read":                 errOf(good.Read(none, data(), nil)),
		"nil context Prepared":             errOf(good.Prepared(none, make([]float32, good.pre.Size()))),
		"nil context of the preprocessing": errOf(good.pre.Read(none, data(), nil)),
		"nil context WriteFile":            errOf(good.WriteFile(none, t.TempDir()+"/x.npz", photos(t, 1), nil)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, x := range []*Extractor{new(Extractor), nil} {
		if x.Shape() != nil {
			t.Error("a shape")
		}
		for r := range x.Stream(t.Context(), slices.Values(photos(t, 2)), nil) {
			if r.Err == nil {
				t.Error("no error")
			}
		}
		x.Preprocessing()
	}
	for r := range good.Stream(none, slices.Values(photos(t, 2)), nil) {
		if !errors.Is(r.Err, errNoContext) {
			t.Errorf("nil context: %v", r.Err)
		}
	}
	for _, s := range []*Set{nil, new(Set), {Shape: []int{2, 3}}} {
		if r := s.Row(0); r != nil {
			t.Errorf("a row %v of %+v", r, s)
		}
	}
}

// FuzzAPI gives the exported functions pictures and readers made of anything: they
// give features, or an error, and the right one where that is known.
func FuzzAPI(f *testing.F) {
	f.Add(uint8(0), 3, 4, 12, 0, 0, []byte("0123456789"))
	f.Add(uint8(6), 300, 200, 300, -7, 9, bytes.Repeat([]byte{7}, 100))
	f.Add(uint8(8), 1<<30, 1, -1, 1, 1, []byte{})
	f.Add(uint8(7), 1, 3, 40, 1, 2, bytes.Repeat([]byte{7}, 80)) // the last row is missing, and cropped
	for kind := range uint8(12) {
		f.Add(kind, 5, 3, 5*8, 1, 2, bytes.Repeat([]byte{kind}, 5*3*8))
	}
	x := toyExtractor(f, new(toy))
	f.Fuzz(func(t *testing.T, kind uint8, w, h, stride, left, top int, pix []byte) {
		r := image.Rectangle{image.Pt(left, top), image.Pt(left+w, top+h)}
		var img image.Image
		perPixel := 1
		switch kind % 12 {
		case 0:
			img, perPixel = &image.NRGBA{Pix: pix, Stride: stride, Rect: r}, 4
		case 1:
			img, perPixel = &image.RGBA{Pix: pix, Stride: stride, Rect: r}, 4
		case 2:
			img, perPixel = &image.NRGBA64{Pix: pix, Stride: stride, Rect: r}, 8
		case 3:
			img, perPixel = &image.RGBA64{Pix: pix, Stride: stride, Rect: r}, 8
		case 4:
			img = &image.Gray{Pix: pix, Stride: stride, Rect: r}
		case 5:
			img, perPixel = &image.Gray16{Pix: pix, Stride: stride, Rect: r}, 2
		case 6:
			img = &image.Paletted{Pix: pix, Stride: stride, Rect: r, Palette: color.Palette{color.Black, color.White}}
		case 7:
			img, perPixel = &image.CMYK{Pix: pix, Stride: stride, Rect: r}, 4
		case 8:
			img = pretender{bounds: r, panics: len(pix)%2 == 1}
		case 9:
			n := len(pix) / 3
			img = &image.YCbCr{Y: pix[:n], Cb: pix[n : 2*n], Cr: pix[2*n:], YStride: stride, CStride: stride / 2, SubsampleRatio: image.YCbCrSubsampleRatio(len(pix) % 8), Rect: r}
		case 10:
			img = &image.Alpha{Pix: pix, Stride: stride, Rect: r}
		case 11:
			turn := 0
			_, err := x.Read(t.Context(), reader{read: func(p []byte) (int, error) {
				turn++
				switch {
				case turn <= h%5:
					return copy(p, pix), nil
				case w%3 == 0:
					return stride, nil
				case w%3 == 1:
					panic("boom")
				}
				return 0, io.EOF
			}}, nil)
			if err == nil && !bytes.HasPrefix(pix, []byte("\x89PNG")) {
				t.Logf("read as a photo: %q", pix)
			}
			return
		}
		start := time.Now()
		got, err := x.Image(t.Context(), img)
		if d := time.Since(start); d > 20*time.Second {
			t.Fatalf("took %v", d)
		}
		if (err == nil) != (got != nil) {
			t.Fatalf("%v, %v", got, err)
		}
		whole := w > 0 && h > 0 && w < 1<<12 && h < 1<<12 && left > -1<<20 && left < 1<<20 && top > -1<<20 && top < 1<<20 &&
			stride >= w*perPixel && stride < 1<<20 && len(pix) >= (h-1)*stride+w*perPixel
		switch kind % 12 {
		case 0, 1, 2, 3, 4, 5, 7, 10:
			if whole != (err == nil) && whole {
				t.Fatalf("%T %v, stride %d, %d bytes: %v", img, r, stride, len(pix), err)
			}
			if err == nil && !whole && w < 1<<12 && h < 1<<12 {
				t.Fatalf("%T %v, stride %d, %d bytes: no error", img, r, stride, len(pix))
			}
		}
	})
}
