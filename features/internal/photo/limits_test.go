package photo

import (
	"bytes"
	"errors"
	"image"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"golang.org/x/image/bmp"

	"github.com/onetomany/caption/internal/hostile"
	"github.com/onetomany/caption/internal/scaledjpeg"
)

// large are pictures of the formats whose files do not unfold, and which therefore
// are not among hostile.Photos.
var large = []hostile.Photo{
	{Name: "plain.bmp", Make: func() []byte {
		var b bytes.Buffer
		bmp.Encode(&b, image.NewRGBA(image.Rect(0, 0, 1600, 1200)))
		return b.Bytes()
	}},
}

// What decoding the worst small files takes is known from their headers, and what
// is refused is refused before it takes memory. Every format has a picture that takes
// so much that a wrong estimate would show.
func TestMemory(t *testing.T) {
	const size = 260           // of a CNN's input
	const slack = 2 << 20      // for what decoding takes whatever the size of the picture
	took := map[string]int64{} // at most, by format
	l := defaults
	l.Pixels /= 16
	l.Memory /= 16
	admitted := 0
	for _, photo := range append(hostile.Photos(4), large...) {
		data := photo.Make()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h, err := Parse(data, l)
		if err == nil {
			_, err = h.Admit(1, 0)
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
		need := h.memory(1)
		runtime.ReadMemStats(&before)
		img, err := h.whole(t.Context())
		runtime.ReadMemStats(&after)
		n := int64(after.TotalAlloc - before.TotalAlloc)
		if n > need+need/4+slack {
			t.Errorf("%s: decoding allocated %d MB, %d were foreseen", photo.Name, n/1e6, need/1e6)
		}
		took[h.name] = max(took[h.name], n)
		if err != nil {
			t.Logf("%s: %v", photo.Name, err)
			continue
		}
		if photo.Name != "planes.jpg" {
			continue
		}
		need = ResizeMemory(img.Bounds(), size, size)
		runtime.ReadMemStats(&before)
		if _, err := img.Resize(t.Context(), img.Bounds(), size, size); err != nil {
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
	for _, f := range formats {
		if took[f.name] < 3*slack {
			t.Errorf("%s: no picture takes %d MiB, so nothing shows whether the estimate is right: add the worst to hostile.Photos, or a large one to large", f.name, 3*slack>>20)
		}
	}
}

// What is foreseen for good pictures is not far above what they take: a rule that
// refuses everything keeps its promises too.
func TestMemoryOfFormats(t *testing.T) {
	names, err := filepath.Glob(pictures + "/*")
	if err != nil || len(names) == 0 {
		t.Fatal("no pictures", err)
	}
	seen := map[string]bool{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		h, err := Parse(data, defaults)
		if err != nil {
			t.Fatal(err)
		}
		seen[h.name] = true
		if n := h.memory(1); n < pixels(h.Config) || n > 30*pixels(h.Config)+2*int64(len(data))+1<<17 {
			t.Errorf("%s: %d bytes foreseen for %d pixels", name, n, pixels(h.Config))
		}
	}
	for _, f := range formats {
		if !seen[f.name] {
			t.Errorf("%s: no picture in %s", f.name, pictures)
		}
	}
}

// Each part of the budget is never exceeded, whoever comes first.
func TestBudget(t *testing.T) {
	l := Limits{Memory: 400}
	b := NewBudget(l)
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
	if most.Load() > l.Decoding() {
		t.Errorf("%d bytes of %d held at once", most.Load(), l.Decoding())
	}
}

func TestTooManyScans(t *testing.T) {
	for scans, want := range map[int]error{maxScans - 1: nil, maxScans: ErrTooLarge} {
		data := hostile.JPEG{Width: 64, Height: 64, Components: 3, Progressive: true, Scans: scans, Last: 1}.Bytes()
		if _, err := decode(data); !errors.Is(err, want) {
			t.Errorf("%d scans behind the first: %v", scans, err)
		}
	}
	for scans, want := range map[int]error{maxPasses: nil, maxPasses + 1: ErrTooLarge} {
		data := hostile.JPEG{Width: 64, Height: 64, Components: 1, Progressive: true, Scans: scans, Refine: true}.Bytes()
		if _, err := decode(data); !errors.Is(err, want) {
			t.Errorf("%d scans that refine all: %v", scans, err)
		}
	}
}

// Progressive pictures with restart intervals, which image/jpeg refuses, are read
// at full size too.
func TestProgressiveRestart(t *testing.T) {
	const pictures = "../../../internal/scaledjpeg/testdata/"
	with, err := os.ReadFile(pictures + "progressive_restart420.jpg")
	if err != nil {
		t.Fatal(err)
	}
	without, err := os.ReadFile(pictures + "progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	a, err := decode(with)
	if err != nil {
		t.Fatal(err)
	}
	b, err := decode(without)
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
	if _, err := decode(with[:len(with)-300]); err == nil || errors.Is(err, scaledjpeg.ErrOther) {
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
			if _, err := decode(untidy); err != nil {
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
