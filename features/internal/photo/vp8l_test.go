package photo

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/internal/hostile"
)

// What libwebp writes is understood, up to the number of groups of codes, which it
// keeps small.
func TestVP8LGroups(t *testing.T) {
	dir := os.Getenv("WEBP_PICTURES") // of lossless WebP pictures, to try more
	names, _ := filepath.Glob(filepath.Join(dir, "*.webp"))
	if dir == "" {
		names, _ = filepath.Glob(pictures + "/*lossless*.webp")
	}
	if len(names) == 0 {
		t.Fatal("no pictures")
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at := strings.Index(string(b), "VP8L")
		if at < 0 {
			continue
		}
		size := binary.LittleEndian.Uint32(b[at+9:])
		w, h := int(size&0x3fff)+1, int(size>>14&0x3fff)+1
		groups, err := vp8lGroups(b[at+13:], w, h)
		if err != nil || groups < 1 || groups > 3000 || groups > blocksOf(w, 2)*blocksOf(h, 2) {
			t.Errorf("%s, %d×%d: %d groups, %v", name, w, h, groups, err)
		}
		t.Logf("%s, %d×%d: %d groups", name, w, h, groups)
		for n := range min(len(b)-at-13, 200) {
			vp8lGroups(b[at+13:at+13+n], w, h) // cut off: an error or a number, no panic
		}
	}
}

func TestVP8LManyGroups(t *testing.T) {
	for _, want := range []int{1, 2, 256, 257, 1 << 16} {
		b := hostile.VP8LGroups(want)
		if got, err := vp8lGroups(b[25:], 512, 512); err != nil || got != want {
			t.Errorf("%d groups, %v; want %d", got, err, want)
		}
	}
}

// A size that no file can have takes no memory.
func TestVP8LTooLarge(t *testing.T) {
	b := hostile.VP8LGroups(1)
	for _, size := range []int{1<<14 + 1, 1 << 20, 1 << 24} {
		if _, err := vp8lGroups(b[25:], size, size); err == nil {
			t.Errorf("%d×%d: no error", size, size)
		}
	}
}
