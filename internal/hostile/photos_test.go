package hostile

import (
	"bytes"
	"compress/zlib"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"slices"
	"testing"

	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// The photos are pictures that decoders read, of the size that their names
// promise: what is not would test nothing.
func TestPhotos(t *testing.T) {
	for _, p := range Photos(1) {
		if n := len(p.Make()); n > 2e6 {
			t.Errorf("%s: %d bytes are no small file", p.Name, n)
		}
	}
	for _, p := range Photos(20) {
		if slices.Contains([]string{"line.png", "lossy.webp", "shared.tif"}, p.Name) { // too long, noise that ends early, and half a minute
			continue
		}
		img, _, err := image.Decode(bytes.NewReader(p.Make()))
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
		} else if b := img.Bounds(); b.Dx() < 16 || b.Dy() < 16 {
			t.Errorf("%s: %v", p.Name, b)
		}
	}
}

func TestZeros(t *testing.T) {
	for _, n := range []int64{1, 2, 257, 258, 259, 260, 516, 517, 518, 70_000} {
		r, err := zlib.NewReader(bytes.NewReader(zeros(n)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(b, make([]byte, n)) {
			t.Errorf("%d: %d bytes, %v", n, len(b), err)
		}
	}
}
