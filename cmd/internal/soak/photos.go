package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/disintegration/imaging"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/hostile"
)

var encoded = []string{".jpg", ".png", ".gif", ".bmp", ".tif"}

// prepare makes the good photos, parts of those in testdata, and learns what the
// programs give for them.
func (s *soak) prepare(dir string) error {
	s.dir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	paths, err := filepath.Glob("testdata/images/*")
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("no photos in testdata/images: %v", err)
	}
	for i := range 24 {
		whole, err := imaging.Open(paths[i%len(paths)])
		if err != nil {
			return err
		}
		w, h := 40+s.rand.IntN(200), 40+s.rand.IntN(200)
		x, y := s.rand.IntN(whole.Bounds().Dx()-w), s.rand.IntN(whole.Bounds().Dy()-h)
		name := fmt.Sprintf("good%02d%s", i, encoded[i%len(encoded)])
		format, err := imaging.FormatFromFilename(name)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := imaging.Encode(&b, imaging.Crop(whole, image.Rect(x, y, x+w, y+h)), format); err != nil {
			return err
		}
		s.good = append(s.good, photo{name: name, data: b.Bytes()})
	}
	if err := s.write("", s.files(s.good)); err != nil {
		return err
	}
	if _, err := s.run([]int{0}, s.extract, ".", "-o", "rows.npz"); err != nil {
		return err
	}
	set, err := features.ReadFile(filepath.Join(dir, "rows.npz"))
	if err != nil {
		return err
	}
	r, err := s.run([]int{0}, s.caption, "-f", "jsonl", ".")
	if err != nil {
		return err
	}
	captions, err := parse(r.stdout)
	if err != nil {
		return err
	}
	if len(set.Names) != len(s.good) || len(captions) != len(s.good) {
		return fmt.Errorf("%d rows and %d captions of %d photos", len(set.Names), len(captions), len(s.good))
	}
	for i := range s.good {
		s.good[i].row, s.good[i].caption = set.Row(i), captions[i].text()
	}
	return nil
}

func (s *soak) files(photos []photo) map[string][]byte {
	files := map[string][]byte{}
	for _, p := range photos {
		files[p.name] = p.data
	}
	return files
}

// captioned is a line of caption -f jsonl.
type captioned struct {
	Path     string
	Captions []struct{ Text string }
	Error    string
}

func (c captioned) text() string {
	if len(c.Captions) == 0 {
		return ""
	}
	return c.Captions[0].Text
}

func parse(jsonl string) ([]captioned, error) {
	var out []captioned
	for line := range strings.Lines(jsonl) {
		var c captioned
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return nil, fmt.Errorf("%w in %.300q", err, line)
		}
		out = append(out, c)
	}
	return out, nil
}

// photos captions a folder of good photos, damaged ones, and the worst of each
// format: every photo stands in the output once and in order, the good ones with
// their captions, within the limits of memory and time.
func (s *soak) photos() error {
	files, good := map[string][]byte{}, map[string]string{}
	worst := hostile.Photos(1 + s.rand.IntN(4))
	for i := range 2 + s.rand.IntN(10) {
		p := s.good[s.rand.IntN(len(s.good))]
		name := fmt.Sprintf("%02d%s", i, filepath.Ext(p.name))
		switch {
		case s.chance(3):
			good[name], files[name] = p.caption, p.data
		case s.chance(4):
			files[name] = worst[s.rand.IntN(len(worst))].Make()
		case s.chance(4):
			files[name] = s.mutate(worst[s.rand.IntN(len(worst))].Make())
		case s.chance(10): // a name that a terminal would obey
			name = fmt.Sprintf("%02d\x1b[31m\u202e\n%s", i, filepath.Ext(p.name))
			fallthrough
		default:
			files[name] = s.mutate(p.data)
		}
	}
	if err := s.write("photos", files); err != nil {
		return err
	}
	memory := int64(128<<20) << s.rand.IntN(4)
	jobs := 1 + s.rand.IntN(4)
	r, err := s.run([]int{0, 1, 3}, s.caption, "-f", "jsonl", "-j", fmt.Sprint(jobs), "--max-memory", fmt.Sprint(memory), "photos")
	if err != nil {
		return err
	}
	const base = 200 << 20 // the model, a photo's way through it, and garbage
	if err := r.within(memory+base, timeLimit*time.Duration(1+len(files))); err != nil {
		return err
	}
	lines, err := parse(r.stdout)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(files))
	if len(lines) != len(names) {
		return fmt.Errorf("%d lines for %d photos: %v", len(lines), len(names), r)
	}
	failed := 0
	for i, l := range lines {
		if l.Path != filepath.Join("photos", names[i]) {
			return fmt.Errorf("line %d is of %q, want %q", i, l.Path, names[i])
		}
		if want, ok := good[names[i]]; ok && l.text() != want {
			return fmt.Errorf("%s: %q, %q, want %q", l.Path, l.text(), l.Error, want)
		}
		if l.Error != "" {
			failed++
		} else if l.text() == "" {
			return fmt.Errorf("%s: neither a caption nor an error", l.Path)
		}
	}
	want := 3
	switch failed {
	case 0:
		want = 0
	case len(lines):
		want = 1
	}
	if r.code != want {
		return fmt.Errorf("%d of %d photos failed: %v", failed, len(lines), r)
	}
	return nil
}

// mutate damages a copy of a file.
func (s *soak) mutate(b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + s.rand.IntN(4) {
		if len(b) == 0 {
			return b
		}
		at := s.rand.IntN(len(b))
		if s.chance(2) {
			at = s.rand.IntN(min(len(b), 200)) // headers matter most
		}
		switch s.rand.IntN(6) {
		case 0:
			b[at] ^= 1 << s.rand.IntN(8)
		case 1:
			b[at] = []byte{0, 1, 0x7f, 0x80, 0xfe, 0xff}[s.rand.IntN(6)]
		case 2: // a number
			for i := at; i < min(at+4, len(b)); i++ {
				b[i] = byte(s.rand.Uint32())
			}
		case 3:
			b = b[:at]
		case 4: // a part again
			end := at + s.rand.IntN(min(len(b)-at, 1000)+1)
			b = slices.Insert(b, at, bytes.Clone(b[at:end])...)
		case 5: // a part of another
			other := s.good[s.rand.IntN(len(s.good))].data
			copy(b[at:], other[s.rand.IntN(len(other)):])
		}
	}
	return b
}
