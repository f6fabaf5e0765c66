package features

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn"
)

// interrupted runs WriteFile and cancels it after n photos.
func interrupted(t *testing.T, x *Extractor, path string, sources []Source, n int) Summary {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sum, err := x.WriteFile(ctx, path, sources, &WriteOptions{
		StreamOptions: StreamOptions{Jobs: 2},
		Report: func(Result) {
			if n--; n == 0 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want context.Canceled", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("an interrupted run left %s: %v", path, err)
	}
	return sum
}

// An interrupted extraction goes on, and its file has the same bytes as that
// of an uninterrupted one.
func TestWriteFileResumes(t *testing.T) {
	for _, f := range fileFormats {
		ext := f.extension
		t.Run(ext, func(t *testing.T) {
			dir := t.TempDir()
			net := new(toy)
			x := toyExtractor(t, net)
			sources := photos(t, 40, 3, 20)
			whole := filepath.Join(dir, "whole"+ext)
			sum, err := x.WriteFile(t.Context(), whole, sources, nil)
			if err != nil || sum != (Summary{Rows: 38, Failed: 2}) {
				t.Fatalf("%+v, %v", sum, err)
			}
			want, err := os.ReadFile(whole)
			if err != nil {
				t.Fatal(err)
			}

			path := filepath.Join(dir, "f"+ext)
			first := interrupted(t, x, path, sources, 10)
			if first.Rows < 9 {
				t.Fatalf("%+v after 10 photos", first)
			}
			second := interrupted(t, x, path, sources, 25)
			net.calls.Store(0)
			var names []string
			sum, err = x.WriteFile(t.Context(), path, sources, &WriteOptions{Report: func(r Result) { names = append(names, r.Name) }})
			if err != nil || sum.Rows != 38 || sum.Failed != 2 || sum.Kept < 20 {
				t.Fatalf("%+v then %+v, %v", second, sum, err)
			}
			if got := int(net.calls.Load()); got != 38-sum.Kept {
				t.Errorf("%d photos ran again, %d were kept", got, sum.Kept)
			}
			for i, s := range sources {
				if i >= len(names) || names[i] != s.Name {
					t.Fatalf("reported %q", names)
				}
			}
			if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
				t.Error("the resumed file differs from the uninterrupted one")
			}
			left, err := filepath.Glob(filepath.Join(dir, "*"+partExt))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// A photo that changed, a photo that was repaired, another order: the file
// follows the sources, not the journal.
func TestWriteFileResumesWithChanges(t *testing.T) {
	dir := t.TempDir()
	x := toyExtractor(t, new(toy))
	path := filepath.Join(dir, "f.npy")
	interrupted(t, x, path, photos(t, 30, 3), 20)

	sources := photos(t, 30) // photo 3 is repaired
	slices.Reverse(sources)
	sources[25].Stamp = "2"
	sources[25].Open = photos(t, 1)[0].Open // photo 4 has other content
	sources = sources[:28]                  // the first two are no longer wanted
	sum, err := x.WriteFile(t.Context(), path, sources, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Dropped != 3 {
		t.Errorf("%+v, want the rows of photos 0, 1 and 4 dropped", sum)
	}
	fresh := filepath.Join(dir, "fresh.npy")
	if _, err := x.WriteFile(t.Context(), fresh, sources, nil); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(path)
	want, _ := os.ReadFile(fresh)
	if !bytes.Equal(got, want) {
		t.Error("the resumed file differs from a fresh one")
	}
	gotNames, _ := os.ReadFile(namesPath(path))
	wantNames, _ := os.ReadFile(namesPath(fresh))
	if !bytes.Equal(gotNames, wantNames) || !strings.HasPrefix(string(gotNames), "photo29.png\n") {
		t.Errorf("names %q, want %q", gotNames, wantNames)
	}
}

// Rows computed in another precision are not taken up.
func TestWriteFileResumesInItsPrecision(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.npz")
	sources := photos(t, 30)
	interrupted(t, toyExtractor(t, new(toy)), path, sources, 20)
	bf16 := toyExtractor(t, &toy{in: cnn.BF16})
	if _, err := bf16.WriteFile(t.Context(), path, sources, nil); err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Fatalf("rows of float32 are taken up: %v", err)
	}
	if err := os.Remove(path + partExt); err != nil {
		t.Fatal(err)
	}
	if _, err := bf16.WriteFile(t.Context(), path, sources, nil); err != nil {
		t.Fatal(err)
	}
	s, err := ReadFile(path)
	if err != nil || s.Meta[MetaPrecision] != "bf16" {
		t.Errorf("%v, noted %v", err, s.Meta)
	}
}

// Whatever byte a crash stopped at, or a disk lost, the whole records before it
// are kept and the rest is done again.
func TestJournalDamage(t *testing.T) {
	dir := t.TempDir()
	x := toyExtractor(t, new(toy))
	sources := photos(t, 12)
	path := filepath.Join(dir, "f.safetensors")
	if _, err := x.WriteFile(t.Context(), path, sources, nil); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	interrupted(t, x, path, sources, 6)
	journal, err := os.ReadFile(path + partExt)
	if err != nil {
		t.Fatal(err)
	}
	finish := func(what string, data []byte) {
		t.Helper()
		os.Remove(path)
		if err := os.WriteFile(path+partExt, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := x.WriteFile(t.Context(), path, sources, nil); err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
			t.Errorf("%s: the file differs", what)
		}
	}
	for n := 0; n < len(journal); n += 23 {
		finish("cut", journal[:n])
	}
	_, header, err := readPartHeader(bytes.NewReader(journal), int64(len(journal)))
	if err != nil {
		t.Fatal(err)
	}
	for at := int(header); at < len(journal); at += 31 {
		bad := bytes.Clone(journal)
		bad[at] ^= 0x40
		finish("flipped", bad)
	}

	// A journal that is not ours, or of other settings, is left alone.
	for _, c := range []struct {
		data []byte
		want string
	}{
		{[]byte("something else entirely"), "delete it"},
		{bytes.Replace(journal, []byte(`"layer":"mean"`), []byte(`"layer":"moan"`), 1), "delete it"},
	} {
		if err := os.WriteFile(path+partExt, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := x.WriteFile(t.Context(), path, sources, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if got, _ := os.ReadFile(path + partExt); !bytes.Equal(got, c.data) {
			t.Error("the journal was changed")
		}
	}
	if err := os.WriteFile(path+partExt, journal, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = x.WriteFile(t.Context(), path, sources, &WriteOptions{Meta: map[string]string{"cnn": "other"}})
	if err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("%v, want other settings", err)
	}
}

func TestWriteFileNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.npy")
	x := toyExtractor(t, new(toy))
	sum, err := x.WriteFile(t.Context(), path, photos(t, 2, 0, 1), nil)
	if err == nil || sum.Failed != 2 {
		t.Errorf("%+v, %v", sum, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A photo whose name no file can hold fails alone.
func TestWriteFileBadName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.npy")
	x := toyExtractor(t, new(toy))
	sources := photos(t, 3)
	sources[1].Name = "two\nlines.jpg"
	var failed []error
	sum, err := x.WriteFile(t.Context(), path, sources, &WriteOptions{Report: func(r Result) {
		if r.Err != nil {
			failed = append(failed, r.Err)
		}
	}})
	if err != nil || sum != (Summary{Rows: 2, Failed: 1}) || len(failed) != 1 || !strings.Contains(failed[0].Error(), "line break") {
		t.Errorf("%+v, %v, %v", sum, failed, err)
	}
}
