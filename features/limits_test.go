package features

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/onetomany/caption/features/internal/photo"
	"github.com/onetomany/caption/internal/hostile"
)

func TestMaxSide(t *testing.T) {
	data := picture(t, "rgb.png") // 26×18
	for side, want := range map[int]error{26: nil, 25: ErrTooLarge} {
		if _, err := Decode(bytes.NewReader(data), &Limits{MaxSide: side}); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", side, err, want)
		}
	}
}

// A small file must unfold less than a large one.
func TestUnfolded(t *testing.T) {
	const size = 4000 * 4000
	data := hostile.PNG(4000, 4000, 8, 2, false) // 64 MB from 300 KB
	for _, c := range []struct {
		memory  int64
		padding int
		want    error
	}{
		{0, 0, nil},
		{4 * size * 2, 0, ErrTooLarge},        // a part of it is enough, but not for a small file
		{4 * size * 2, 1 << 20, nil},          // as it is for a larger one
		{4*size + 1000, 1 << 20, ErrTooLarge}, // the part for pixels is too small
	} {
		padded := append(bytes.Clone(data), make([]byte, c.padding)...)
		if _, err := Decode(bytes.NewReader(padded), &Limits{MaxMemory: c.memory}); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := Decode(bytes.NewReader(make([]byte, 300)), &Limits{MaxMemory: 1000}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a file above its part of the memory: %v", err)
	}
}

// Photos wait for each other's memory, and none for ever.
func TestStreamBudget(t *testing.T) {
	x := toyExtractor(t, new(toy))
	sources := photos(t, 30)
	// For one large file at a time.
	lim := &Limits{MaxMemory: 6 * (2<<20 + 1<<12)}
	for range 3 { // files, and pipes with more than is not counted
		big := append(picture(t, "rgb.png"), make([]byte, 2<<20)...)
		path := filepath.Join(t.TempDir(), "big.png")
		if err := os.WriteFile(path, big, 0o644); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, FileSource(path), Source{Name: "pipe", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(big)), nil
		}})
	}
	n := 0
	for r := range x.Stream(t.Context(), slices.Values(sources), &StreamOptions{Jobs: 8, Limits: lim}) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
		n++
	}
	if n != len(sources) {
		t.Errorf("%d results, want %d", n, len(sources))
	}
	lim.MaxMemory = 1000 // enough for the file, and not for its pixels
	for r := range x.Stream(t.Context(), slices.Values(sources[:1]), &StreamOptions{Limits: lim}) {
		if !errors.Is(r.Err, ErrTooLarge) {
			t.Errorf("%v, want ErrTooLarge", r.Err)
		}
	}
}

// Decoding ends with its context, in every format, in the middle of a picture.
func TestCancelDecode(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes large pictures")
	}
	x := toyExtractor(t, new(toy))
	decoders := []string{"rgb.png", "planes.jpg", "tables.jpg", "strip.jpg", "cmyk.jpg", "refined.jpg", "lossless.webp", "lossy.webp", "frame.gif", "deflate.tif", "fax.tif"}
	for _, photo := range hostile.Photos(1) {
		if !slices.Contains(decoders, photo.Name) {
			continue
		}
		data := photo.Make()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := x.Read(ctx, bytes.NewReader(data), nil)
		end, _ := ctx.Deadline()
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", photo.Name, err)
		}
		// It should be a tenth of a second; other tests may run beside this one.
		d := time.Since(end)
		if d > 2*time.Second {
			t.Errorf("%s: ended %v after its context", photo.Name, d)
		}
		t.Logf("%s: ended %v after its context", photo.Name, d.Round(time.Millisecond))
	}
}

// Pillow wrote the same picture with white as zero and with black as zero.
func TestFax(t *testing.T) {
	var both [2][]float32
	for i, name := range []string{"fax0.tif", "fax1.tif"} {
		img, err := Decode(bytes.NewReader(picture(t, name)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if both[i], err = ImageNet(8).Tensor(img); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(both[0], both[1]) {
		t.Error("one is the negative of the other")
	}
}

// Restart markers without end take no memory, and tiles no time.
func TestTooManyPieces(t *testing.T) {
	data := hostile.JPEG{Width: 2400, Height: 2400, Components: 1}.Bytes()
	at := bytes.Index(data, []byte{0xff, 0xda}) + 12
	for i := range 1 << 18 {
		data = append(data[:at+2*i], 0xff, 0xd0|byte(i%8))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := ImageNet(224).Read(t.Context(), bytes.NewReader(append(data, 0xff, 0xd9)), nil); err == nil {
		t.Error("restart markers alone are a picture")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
		t.Errorf("%d bytes for restart markers", n)
	}
	tiles := hostile.Tiles(65_535, 1_025, 1_024)
	if _, err := Decode(bytes.NewReader(tiles), nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("tiles: %v", err)
	}
}

// The default limits admit what their documentation says: all pixels of the largest
// photos, in 8 bits a channel, on their way into any usual CNN.
func TestDefaultsAdmitLargestPhotos(t *testing.T) {
	const w, h = 16_320, 12_240
	bmp := make([]byte, 54)
	copy(bmp, "BM")
	for at, v := range map[int]uint32{10: 54, 14: 40, 18: w, 22: h, 26: 1 | 24<<16} { // of the pixels, the header; 24 bits a pixel
		binary.LittleEndian.PutUint32(bmp[at:], v)
	}
	file := make([]byte, DefaultMaxBytes)
	for name, head := range map[string][]byte{
		"RGBA PNG": hostile.PNG(w, h, 8, 6, false),
		"RGB PNG":  hostile.PNG(w, h, 8, 2, false),
		"grey PNG": hostile.PNG(w, h, 8, 0, false),
		"JPEG":     hostile.JPEG{Width: w, Height: h, Components: 3}.Bytes(),
		"BMP":      bmp,
	} {
		clear(file)
		copy(file, head)
		f, err := photo.Parse(file, (*Limits)(nil).withDefaults())
		if err == nil {
			_, err = f.Admit(1, Lite(600).memory(image.Rect(0, 0, w, h), photo.Upright))
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
