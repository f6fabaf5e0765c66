package features

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onetomany/caption/internal/hostile"
	"github.com/onetomany/caption/internal/scaledjpeg"
)

// What decoding the worst small files takes is known from their headers, and what
// is refused is refused before it takes memory.
func TestMemory(t *testing.T) {
	l := (&Limits{MaxPixels: DefaultMaxPixels / 16, MaxMemory: DefaultMaxMemory / 16}).withDefaults()
	l.MaxBytes = DefaultMaxBytes
	p := Lite(260)
	dst := make([]float32, p.Size())
	admitted := 0
	for _, photo := range hostile.Photos(4) {
		data := photo.Make()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h, err := readHeader(data, l)
		if err == nil {
			err = h.admit(h.memory(data, 1), 1, data, l)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20+uint64(len(data))/10 {
			t.Errorf("%s: %d bytes allocated to read its header", photo.Name, n)
		}
		if err != nil {
			if !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s: %v", photo.Name, err)
			}
			continue
		}
		admitted++
		need := h.memory(data, 1)
		runtime.ReadMemStats(&before)
		img, err := h.decode(t.Context(), data, 1, new(scaledjpeg.Decoder))
		runtime.ReadMemStats(&after)
		if n := int64(after.TotalAlloc - before.TotalAlloc); n > need+need/4+8<<20 {
			t.Errorf("%s: decoding allocated %d MB, %d were foreseen", photo.Name, n/1e6, need/1e6)
		}
		if err != nil {
			t.Logf("%s: %v", photo.Name, err)
			continue
		}
		if photo.Name != "planes.jpg" {
			continue
		}
		need = p.memory(h.Width, h.Height, h.orient)
		runtime.ReadMemStats(&before)
		if err := p.fill(t.Context(), dst, img); err != nil {
			t.Error(err)
		}
		runtime.ReadMemStats(&after)
		// Bands are garbage one after the other: only some of them wait at a time.
		if n := int64(after.Sys) - int64(before.Sys); n > need+100<<20 {
			t.Errorf("%s: resizing took %d MB, %d were foreseen", photo.Name, n/1e6, need/1e6)
		}
	}
	if admitted < 12 {
		t.Errorf("only %d photos were admitted", admitted)
	}
}

// What is foreseen for good pictures is not far above what they take: a rule that
// refuses everything keeps its promises too.
func TestMemoryOfFormats(t *testing.T) {
	names, err := filepath.Glob("testdata/pictures/*")
	if err != nil || len(names) == 0 {
		t.Fatal("no pictures", err)
	}
	l := (*Limits)(nil).withDefaults()
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		h, err := readHeader(data, l)
		if err != nil {
			t.Fatal(err)
		}
		if n := h.memory(data, 1); n < h.pixels() || n > 30*h.pixels()+2*int64(len(data))+1<<17 {
			t.Errorf("%s: %d bytes foreseen for %d pixels", name, n, h.pixels())
		}
	}
}

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

// Each part of the budget is never exceeded, whoever comes first.
func TestBudget(t *testing.T) {
	l := Limits{MaxMemory: 400}
	b := newBudget(l)
	var held, most atomic.Int64
	done := make(chan error)
	for i := range 20 {
		go func() {
			n := int64(1 + i*15)
			release, err := acquire(t.Context(), b.pixels, n)
			if err == nil {
				v := held.Add(n)
				for m := most.Load(); v > m && !most.CompareAndSwap(m, v); m = most.Load() {
				}
				runtime.Gosched()
				held.Add(-n)
				release()
			}
			done <- err
		}()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if most.Load() > l.pixels() {
		t.Errorf("%d bytes of %d held at once", most.Load(), l.pixels())
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

func TestTooManyScans(t *testing.T) {
	for scans, want := range map[int]error{maxScans - 1: nil, maxScans: ErrTooLarge} {
		data := hostile.JPEG{Width: 64, Height: 64, Components: 3, Progressive: true, Scans: scans, Last: 1}.Bytes()
		if _, err := Decode(bytes.NewReader(data), nil); !errors.Is(err, want) {
			t.Errorf("%d scans behind the first: %v", scans, err)
		}
	}
	for scans, want := range map[int]error{maxPasses: nil, maxPasses + 1: ErrTooLarge} {
		data := hostile.JPEG{Width: 64, Height: 64, Components: 1, Progressive: true, Scans: scans, Refine: true}.Bytes()
		if _, err := Decode(bytes.NewReader(data), nil); !errors.Is(err, want) {
			t.Errorf("%d scans that refine all: %v", scans, err)
		}
	}
}

// Progressive pictures with restart intervals, which image/jpeg refuses, are read
// at full size too.
func TestProgressiveRestart(t *testing.T) {
	pictures := "../internal/scaledjpeg/testdata/"
	with, err := os.ReadFile(pictures + "progressive_restart420.jpg")
	if err != nil {
		t.Fatal(err)
	}
	without, err := os.ReadFile(pictures + "progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	a, err := Decode(bytes.NewReader(with), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Decode(bytes.NewReader(without), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, n := a.(*image.YCbCr), b.(*image.YCbCr)
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			if d := int(m.Y[m.YOffset(x, y)]) - int(n.Y[n.YOffset(x, y)]); d < -1 || d > 1 {
				t.Fatalf("luma at %d, %d is %d from that without restart intervals", x, y, d)
			}
		}
	}
	// Damage in it is left to image/jpeg to tell.
	if _, err := Decode(bytes.NewReader(with[:len(with)-300]), nil); err == nil || errors.Is(err, scaledjpeg.ErrOther) {
		t.Errorf("cut off: %v", err)
	}
}

// JPEGs that are a little out of order are read as image/jpeg reads them, and not
// taken for worse than they are.
func TestUntidyJPEG(t *testing.T) {
	for _, name := range []string{"progressive.jpg", "420.jpg", "gray.jpg"} {
		data := picture(t, name)
		c, err := jpegConfig(data)
		if err != nil {
			t.Fatal(err)
		}
		tables := bytes.Index(data, []byte{0xff, 0xdb})
		scans := bytes.Repeat([]byte{0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0}, 200)
		thumbnail := append([]byte{0xff, 0xe1, byte((len(scans) + 2) >> 8), byte(len(scans) + 2)}, scans...)
		for what, untidy := range map[string][]byte{
			"a stray byte":             slices.Insert(bytes.Clone(data), tables, 0),
			"stray bytes and a marker": slices.Insert(bytes.Clone(data), tables, 7, 0xff, 0, 0xff, 0xd3, 9),
			"fill bytes":               slices.Insert(bytes.Clone(data), tables, 0xff, 0xff),
			"scans of a thumbnail":     slices.Insert(bytes.Clone(data), tables, thumbnail...),
			"scans behind the end":     append(bytes.Clone(data), scans...),
		} {
			if got, err := jpegConfig(untidy); err != nil || got != c || readFrame(untidy, c) != readFrame(data, c) {
				t.Errorf("%s, %s: %v, %+v; %v", name, what, got, readFrame(untidy, c), err)
			}
			if _, err := Decode(bytes.NewReader(untidy), nil); err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	// One scan again and again is not what a sequential picture has.
	data := hostile.JPEG{Width: 64, Height: 64, Components: 1}.Bytes()
	scan := data[bytes.Index(data, []byte{0xff, 0xda}) : len(data)-2]
	if _, err := jpegConfig(slices.Insert(bytes.Clone(data), len(data)-2, scan...)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a scan twice: %v", err)
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
	l := (*Limits)(nil).withDefaults()
	const w, h = 16_320, 12_240
	file := make([]byte, l.MaxBytes)
	for _, c := range []struct {
		format int
		model  color.Model
	}{{1, color.RGBAModel}, {1, color.NRGBAModel}, {1, color.GrayModel}, {4, color.RGBAModel}} {
		hd := header{format: &formats[c.format], Config: image.Config{ColorModel: c.model, Width: w, Height: h}}
		need := hd.memory(file[:1<<10], 1) + Lite(600).memory(w, h, upright)
		if err := hd.admit(need, 1, file, l); err != nil {
			t.Errorf("%s: %v", hd.name, err)
		}
	}
}
