package photo

import (
	"bytes"
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/onetomany/caption/internal/hostile"
)

// pictures is the folder of small pictures of all formats.
const pictures = "../../testdata/pictures"

func picture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(pictures, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// defaults are what package features has by default.
var defaults = Limits{Bytes: 192 << 20, Pixels: 200_000_000, Side: 1<<16 - 1, Memory: 1 << 30}

// decode reads a photo as features.Decode does.
func decode(data []byte) (image.Image, error) {
	f, err := Open(context.Background(), bytes.NewReader(data), defaults, Budget{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Upright(context.Background())
}

// A decoder that panics gives an error.
func TestDecoderPanic(t *testing.T) {
	f := File{format: &format{name: "test", decode: func(*input) (image.Image, error) { panic("out of range") }}}
	_, err := f.whole(t.Context())
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
}

// FuzzDecode: no panic, no picture other than announced, and no more memory than
// foreseen.
func FuzzDecode(f *testing.F) {
	names, err := filepath.Glob(pictures + "/*")
	if err != nil || len(names) == 0 {
		f.Fatal("no pictures", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 4096 {
			f.Add(b)
		}
	}
	for _, p := range hostile.Photos(30) {
		if b := p.Make(); len(b) < 1<<16 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l := defaults
		l.Pixels = 1e5
		h, err := Parse(b, l)
		if err != nil {
			return
		}
		need := h.memory(1)
		if need > l.Decoding() {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, err := h.whole(t.Context())
		runtime.ReadMemStats(&after)
		if n := int64(after.TotalAlloc - before.TotalAlloc); n > need+need/4+2<<20+4*int64(len(b)) {
			t.Fatalf("%s: decoding allocated %d bytes, %d were foreseen", h.name, n, need)
		}
		if err != nil {
			return
		}
		if p.Bounds().Dx() != h.Width || p.Bounds().Dy() != h.Height {
			t.Fatalf("%v, announced %d×%d", p.Bounds(), h.Width, h.Height)
		}
		r := p.Bounds()
		for _, r := range []image.Rectangle{r, image.Rect((r.Min.X+r.Max.X)/2, (r.Min.Y+r.Max.Y)/2, r.Max.X, r.Max.Y)} {
			small, err := p.Resize(t.Context(), r, 8, 8)
			if err != nil {
				t.Fatal(err)
			}
			if small.Bounds() != image.Rect(0, 0, 8, 8) {
				t.Fatalf("resized to %v", small.Bounds())
			}
		}
	})
}
