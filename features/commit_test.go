package features

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/onetomany/caption/internal/atomicfile"
)

// mixable are two sets that nothing but their order tells apart: of old names
// and new rows every check of sizes is happy.
func mixable() (old, new *Set) {
	old, new = &Set{Shape: []int{9, 300}}, &Set{Shape: []int{9, 300}}
	for i := range 9 {
		for _, s := range []struct {
			*Set
			i int
		}{{old, i}, {new, 8 - i}} {
			s.Names = append(s.Names, fmt.Sprintf("photos/%d.jpg", s.i))
			row := make([]float32, 300)
			for j := range row {
				row[j] = float32(s.i) + 1/float32(j+3)
			}
			s.Data = append(s.Data, row...)
		}
	}
	return old, new
}

func (s *Set) equal(t *Set) bool {
	return slices.Equal(s.Names, t.Names) && slices.Equal(s.Shape, t.Shape) && slices.Equal(bits(s.Data), bits(t.Data))
}

// readNaive reads as a script does that knows no more than numpy: the first
// array, and FILE.names.txt.
func readNaive(path string) (*Set, error) {
	if filepath.Ext(path) != ".npy" {
		return ReadFile(path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	shape, data, err := readFloatArray(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	names, err := os.ReadFile(namesPath(path))
	if err != nil {
		return nil, err
	}
	return &Set{Shape: shape, Data: data, Names: lines(string(names))}, nil
}

// look reads the feature file in both ways and fails the test if it is neither
// old nor new, nor an error where orError allows one. Old may be nil: no file.
func look(t *testing.T, at, path string, old, new *Set, orError bool) (is *Set) {
	t.Helper()
	for reader, read := range map[string]func(string) (*Set, error){"ReadFile": ReadFile, "naive": readNaive} {
		s, err := read(path)
		switch {
		case err != nil && errors.Is(err, fs.ErrNotExist) && (old == nil || reader == "naive" && orError):
		case err != nil:
			t.Errorf("%s: %s: %v", at, reader, err)
		case old != nil && s.equal(old):
			is = old
		case s.equal(new):
			is = new
		default:
			t.Errorf("%s: %s: a mix: names %q, rows begin %v", at, reader, s.Names, s.Row(0)[:2])
		}
	}
	return is
}

// leftovers are the files in dir that are neither feature file nor names.
func leftovers(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if name := filepath.Join(filepath.Dir(path), e.Name()); name != path && name != namesPath(path) {
			out = append(out, e.Name())
		}
	}
	return out
}

// Killed before whatever step of a commit, the file has old names and old rows
// or new names and new rows. If the step fails instead, the same holds, nothing
// but the journal is left, and going on from there gives the new file.
func TestCommitSteps(t *testing.T) {
	defer func() { atomicfile.Step = nil }()
	old, new := mixable()
	for _, f := range fileFormats {
		ext := f.extension
		for _, before := range []*Set{nil, old} {
			for fail := 0; ; fail++ {
				path := filepath.Join(t.TempDir(), "f"+ext)
				if before != nil {
					if err := before.writeTo(path, nil); err != nil {
						t.Fatal(err)
					}
				}
				n, failed := 0, ""
				atomicfile.Step = func(step, file string) error {
					// What is on the disk now is what a kill here leaves.
					look(t, "before "+step+" "+filepath.Base(file), path, before, new, true)
					if _, err := os.Stat(path + partExt); err != nil {
						t.Errorf("before %s: no journal: %v", step, err)
					}
					if n++; n > fail && failed == "" {
						failed = fmt.Sprintf("%d: %s %s", n, step, filepath.Base(file))
						return syscall.ENOSPC
					}
					return nil
				}
				err := new.writeTo(path, nil)
				atomicfile.Step = nil
				if failed == "" {
					if err != nil || look(t, "done", path, nil, new, false) != new || len(leftovers(t, path)) > 0 {
						t.Errorf("%s: %v, left %q", ext, err, leftovers(t, path))
					}
					if fail < 4 {
						t.Errorf("%s: %d steps", ext, fail)
					}
					break
				}
				if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
					t.Errorf("%s: %v", failed, err)
				}
				is := look(t, "failed "+failed, path, before, new, true)
				if left := leftovers(t, path); !slices.Equal(left, []string{filepath.Base(path) + partExt}) {
					t.Errorf("failed %s: left %q, want the journal", failed, left)
				}
				if _, err := os.Stat(namesPath(path)); is == old && ext == ".npy" && err != nil {
					t.Errorf("failed %s: the old names are gone: %v", failed, err)
				}
				goOn(t, path, new)
			}
		}
	}
}

// goOn checks that the journal has the rows of s, and ends the run.
func goOn(t *testing.T, path string, s *Set) {
	t.Helper()
	w, err := Create(path, s.Shape[1:], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if len(w.old) != len(s.Names) {
		t.Errorf("%d rows of %d are in the journal", len(w.old), len(s.Names))
	}
	for _, name := range s.Names {
		w.rows = append(w.rows, w.old[partKey{name, ""}])
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if look(t, "gone on", path, nil, s, false) != s || len(leftovers(t, path)) > 0 {
		t.Errorf("left %q", leftovers(t, path))
	}
}

// The names beside a file of another program go with it as well, though the old
// rows then have no names inside.
func TestCommitReplacesForeignPair(t *testing.T) {
	defer func() { atomicfile.Step = nil }()
	old, new := mixable()
	path := filepath.Join(t.TempDir(), "f.npy")
	if err := old.writeTo(path, nil); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = b[:bytes.LastIndex(b, []byte(npyMagic))]
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	renames := 0
	atomicfile.Step = func(step, file string) error {
		if s, err := ReadFile(path); err == nil && !s.equal(old) && !s.equal(new) || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("before %s %s: %v, or a mix", step, file, err)
		}
		if step == "rename" {
			if renames++; renames == 1 {
				return syscall.EIO
			}
		}
		return nil
	}
	if err := new.writeTo(path, nil); !errors.Is(err, syscall.EIO) {
		t.Errorf("%v, want EIO", err)
	}
	if s, err := ReadFile(path); err != nil || !s.equal(old) {
		t.Errorf("a failed commit lost the old file: %v", err)
	}
	goOn(t, path, new)
}

// Names that are not those of the rows are refused, and it is said what differs
// and what would do.
func TestReadNamesBeside(t *testing.T) {
	old, new := mixable()
	path := filepath.Join(t.TempDir(), "f.npy")
	if err := new.writeTo(path, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(namesPath(path), []byte(strings.Join(old.Names, "\r\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := ReadFile(path)
	if !errors.Is(err, ErrFormat) {
		t.Fatalf("old names beside new rows: %v", err)
	}
	for _, want := range []string{"row 0", "photos/8.jpg", "photos/0.jpg", namesPath(path), "delete that file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	// The same names in other line ends, and none.
	if err := os.WriteFile(namesPath(path), []byte("\ufeff"+strings.Join(new.Names, "\r\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	look(t, "line ends", path, nil, new, false)
	os.Remove(namesPath(path))
	look(t, "no names beside", path, nil, new, true)
}

// Two writers of one file, also by way of a link: the first one gets it, the
// second one is told.
func TestTwoWriters(t *testing.T) {
	old, new := mixable()
	for _, f := range fileFormats {
		ext := f.extension
		dir := t.TempDir()
		path := filepath.Join(dir, "f"+ext)
		w, err := Create(path, old.Shape[1:], nil)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := w.Append(old.Names[0], old.Row(0)); err != nil {
			t.Fatal(err)
		}
		outs := []string{path}
		if link := filepath.Join(dir, "link"+ext); os.Symlink("f"+ext, link) == nil {
			outs = append(outs, link)
		}
		for _, out := range outs {
			err := new.writeTo(out, nil)
			if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), out) || !strings.Contains(err.Error(), "wait for it or choose another name") {
				t.Errorf("%s: %v, want ErrBusy", out, err)
			}
		}
		for i := 1; i < 9; i++ {
			if err := w.Append(old.Names[i], old.Row(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		look(t, ext, path, nil, old, false)
		// Now it is the turn of the second, whose names stand beside both paths.
		for _, out := range outs {
			if err := new.writeTo(out, nil); err != nil {
				t.Fatal(err)
			}
			for _, in := range []string{path, out} {
				look(t, in, in, nil, new, false)
			}
			old, new = new, old
		}
	}
}

// Two processes that write one file, again and again: each time one or the other
// has written it whole, and who could not has been told.
func TestTwoProcesses(t *testing.T) {
	old, new := mixable()
	if path := os.Getenv("FEATURES_WRITE"); path != "" {
		for range 40 {
			if err := new.writeTo(path, nil); err != nil && !errors.Is(err, ErrBusy) {
				fmt.Println(err)
			}
		}
		return
	}
	path := filepath.Join(t.TempDir(), "f.npy")
	cmd := exec.Command(os.Args[0], "-test.run=^TestTwoProcesses$")
	cmd.Env = append(os.Environ(), "FEATURES_WRITE="+path)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if err := old.writeTo(path, nil); err != nil && !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		if s, err := ReadFile(path); err == nil && !s.equal(old) && !s.equal(new) || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, or a mix", err)
		}
	}
	if err := cmd.Wait(); err != nil || strings.TrimSpace(out.String()) != "PASS" {
		t.Errorf("%v, %s", err, &out)
	}
	look(t, "in the end", path, old, new, false)
	if left := leftovers(t, path); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A journal that is a link into another file, or no file at all, is refused.
func TestJournalIsNoFile(t *testing.T) {
	dir := t.TempDir()
	s, _ := mixable()
	path, target := filepath.Join(dir, "f.npy"), filepath.Join(dir, "thesis.txt")
	refused := func(want string) {
		t.Helper()
		if err := s.writeTo(path, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path+partExt) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("a file was written")
		}
		os.Remove(path + partExt)
	}
	if err := os.Mkdir(path+partExt, 0o755); err != nil {
		t.Fatal(err)
	}
	refused("a folder")
	if err := os.Symlink(target, path+partExt); err != nil {
		t.Skip("no symbolic links:", err)
	}
	refused("a symbolic link")
	if _, err := os.Stat(target); err == nil {
		t.Error("the target of a dangling link was made")
	}
	for _, text := range []string{"", "twenty years of work"} {
		if err := os.WriteFile(target, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		os.Symlink(target, path+partExt)
		refused("a symbolic link")
		if b, err := os.ReadFile(target); err != nil || string(b) != text {
			t.Errorf("the target holds %q, %v", b, err)
		}
	}
}

// A journal damaged in its header, whose rows cannot be told any more, is not
// thrown away.
func TestJournalHeaderDamage(t *testing.T) {
	s := &Set{Shape: []int{300, 1000}, Data: make([]float32, 300_000)}
	path := filepath.Join(t.TempDir(), "f.npz")
	w, err := Create(path, s.Shape[1:], nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if err := w.Append(fmt.Sprint(i), s.Row(i)); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	good, err := os.ReadFile(path + partExt)
	if err != nil {
		t.Fatal(err)
	}
	for at := range len(partMagic) + 4 {
		bad := bytes.Clone(good)
		bad[at] ^= 0x80
		if err := os.WriteFile(path+partExt, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := s.writeTo(path, nil); err == nil || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("byte %d: %v", at, err)
		}
		if b, _ := os.ReadFile(path + partExt); !bytes.Equal(b, bad) {
			t.Errorf("byte %d: the journal was changed", at)
		}
	}
}
