package features

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tree makes files of a byte each, and folders (names that end in a slash).
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		path := filepath.Join(dir, filepath.FromSlash(n))
		if strings.HasSuffix(n, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

// expanded lists the names of sources, and for those that fail the reason.
func expanded(t *testing.T, args ...string) []string {
	t.Helper()
	var out []string
	for _, s := range Expand(args) {
		name := filepath.ToSlash(s.Name)
		if s.Name == "-" && s.Stamp == "" {
			out = append(out, name)
			continue
		}
		r, err := s.Open()
		if err != nil {
			out = append(out, name+": "+err.Error())
			continue
		}
		r.Close()
		out = append(out, name)
	}
	return out
}

func TestExpand(t *testing.T) {
	tree(t, "b.jpg", "a.PNG", "notes.txt", "c.heic", ".hidden.jpg", "sub/z.webp", "sub/.git/x.jpg", "sub/deep/y.tiff", "empty/", "text/readme.txt", "odd[1].jpg")
	for _, c := range []struct{ args, want string }{
		{"b.jpg", "b.jpg"},
		{"notes.txt", "notes.txt"}, // asked for by name
		{".", "a.PNG b.jpg c.heic odd[1].jpg sub/deep/y.tiff sub/z.webp"},
		{"sub", "sub/deep/y.tiff sub/z.webp"},
		{"sub/ b.jpg", "sub/deep/y.tiff sub/z.webp b.jpg"},
		{"*.jpg", "b.jpg odd[1].jpg"},
		{"s*", "sub/deep/y.tiff sub/z.webp"},
		{"odd[1].jpg", "odd[1].jpg"},
		{"b.jpg b.jpg", "b.jpg b.jpg"},
		{"-", "-"},
	} {
		if got := strings.Join(expanded(t, strings.Fields(c.args)...), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.args, got, c.want)
		}
	}
	for _, c := range []struct{ arg, want string }{
		{"none.jpg", "none.jpg: no such file"},
		{"none*.jpg", "none*.jpg: no file matches"},
		{"[", "[: not a file, and not a valid glob"},
		{"empty", "empty: no photo in this folder (looked for .jpg"},
		{"text", "text: no photo in this folder"},
	} {
		got := expanded(t, c.arg, "b.jpg")
		if runtime.GOOS == "windows" && c.arg == "none.jpg" {
			continue // another wording
		}
		if len(got) != 2 || !strings.HasPrefix(got[0], c.want) || got[1] != "b.jpg" {
			t.Errorf("%s: %q, want %q and b.jpg", c.arg, got, c.want)
		}
	}
	src := Expand([]string{"none.jpg"})[0]
	if _, err := src.Open(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want fs.ErrNotExist", err)
	}
	twice := Expand([]string{"-", "-"})
	if _, err := twice[1].Open(); err == nil {
		t.Error("standard input can be opened twice")
	}
	if r, err := FileSource("b.jpg").Open(); err != nil {
		t.Error(err)
	} else if b, _ := io.ReadAll(r); string(b) != "x" {
		t.Errorf("read %q", b)
	}
}

func TestExpandLinks(t *testing.T) {
	dir := tree(t, "a/1.jpg", "b/2.jpg", "other/3.jpg")
	for _, l := range [][2]string{
		{"..", "a/up"},               // a circle
		{"../b/2.jpg", "a/link.jpg"}, // a file
		{"../other", "a/folder"},
		{"nowhere.jpg", "a/dangling.jpg"},
	} {
		if err := os.Symlink(l[0], filepath.Join(dir, filepath.FromSlash(l[1]))); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	got := expanded(t, "a")
	for i := range got {
		got[i] = strings.SplitN(got[i], ":", 2)[0]
	}
	slices.Sort(got)
	want := []string{"a/1.jpg", "a/dangling.jpg", "a/folder/3.jpg", "a/link.jpg", "a/up/b/2.jpg"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestExpandUnreadable(t *testing.T) {
	if os.Getuid() <= 0 {
		t.Skip("runs as root, or on Windows: nothing is unreadable")
	}
	tree(t, "locked/1.jpg", "shut.jpg", "ok.jpg")
	os.Chmod("locked", 0)
	os.Chmod("shut.jpg", 0)
	defer os.Chmod("locked", 0o755)
	got := expanded(t, ".")
	if len(got) != 3 || !strings.Contains(got[0], "locked: permission denied") || got[1] != "ok.jpg" || !strings.Contains(got[2], "shut.jpg: permission denied") {
		t.Errorf("%q", got)
	}
}

// A file that changes gets another stamp.
func TestStamp(t *testing.T) {
	tree(t, "a.jpg")
	before := FileSource("a.jpg").Stamp
	if before == "" || before != FileSource("a.jpg").Stamp {
		t.Errorf("stamp %q", before)
	}
	if err := os.WriteFile("a.jpg", []byte("longer"), 0o644); err != nil {
		t.Fatal(err)
	}
	if after := FileSource("a.jpg").Stamp; after == before {
		t.Errorf("stamp stays %q", after)
	}
}
