package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// names lists a folder, to see that no temporary file stays.
func names(t *testing.T, dir string) []string {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var ns []string
	for _, e := range es {
		ns = append(ns, e.Name())
	}
	return ns
}

func put(t *testing.T, path, s string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCommit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	for _, want := range []string{"first", "second, longer", "3rd"} {
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, want); err != nil {
			t.Fatal(err)
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Errorf("Close after Commit: %v", err)
		}
		if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("second Commit: %v, want ErrClosed", err)
		}
		if got := content(t, path); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if ns := names(t, dir); len(ns) != 1 {
			t.Errorf("folder holds %q", ns)
		}
	}
}

func TestCloseKeepsOldContent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	put(t, path, "old")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "new")
	if got := content(t, path); got != "old" {
		t.Errorf("before Commit: %q", got)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("after Close: %q", got)
	}
	if ns := names(t, dir); len(ns) != 1 {
		t.Errorf("folder holds %q", ns)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	put(t, path, "old")
	boom := errors.New("boom")
	err := WriteFile(path, func(w io.Writer) error {
		io.WriteString(w, strings.Repeat("x", 1<<20)) // more than the buffer
		return boom
	})
	if err != boom || content(t, path) != "old" || len(names(t, dir)) != 1 {
		t.Errorf("failed write: error %v, content %q, folder %q", err, content(t, path), names(t, dir))
	}
	err = WriteFile(path, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err })
	if err != nil || content(t, path) != "new" {
		t.Errorf("error %v, content %q", err, content(t, path))
	}
}

// A write that failed must not be committed, even if its error was ignored.
func TestFailedWriteIsNotCommitted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	put(t, path, "old")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { Step = nil }()
	Step = func(string, string) error { return errors.New("boom") }
	io.WriteString(f, "ne") // fails, ignored
	Step = nil
	io.WriteString(f, "w")
	err = f.Commit()
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Commit after a failed write: %v", err)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("content %q", got)
	}
	if ns := names(t, dir); len(ns) != 1 {
		t.Errorf("folder holds %q", ns)
	}
}

// A process that dies between write and commit leaves the old content, and a
// temporary file that the next Create removes; not before it is dead.
func TestKilled(t *testing.T) {
	if path := os.Getenv("ATOMICFILE_DIE"); path != "" {
		f, err := Create(path)
		if err != nil {
			os.Exit(3)
		}
		io.WriteString(f, "half of the ne")
		os.Stdout.WriteString("written\n")
		io.Copy(io.Discard, os.Stdin) // until killed by the parent
		runtime.KeepAlive(f)
		return
	}
	for _, name := range []string{"a.txt", strings.Repeat("long", 63) + ".gz"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		put(t, path, "old")
		put(t, filepath.Join(dir, tempPrefix+"mine"), "of somebody else")
		put(t, filepath.Join(dir, tempPrefix+name[:5]+".other-0"), "of another file")
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "ATOMICFILE_DIE="+path)
		if _, err := cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 8)
		if _, err := io.ReadFull(out, said); err != nil || string(said) != "written\n" {
			t.Errorf("child said %q, %v", said, err)
		}
		write := func() {
			t.Helper()
			if err := WriteFile(path, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
				t.Error(err)
			}
		}
		write()
		if ns := names(t, dir); len(ns) != 4 {
			t.Errorf("folder holds %q, want the temporary file of the living", ns)
		}
		cmd.Process.Kill()
		cmd.Wait()
		if got := content(t, path); got != "new" {
			t.Errorf("content %q after a kill", got)
		}
		if ns := names(t, dir); len(ns) != 4 {
			t.Errorf("folder holds %q, want the temporary file of the dead", ns)
		}
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if ns := names(t, dir); len(ns) != 3 {
			t.Errorf("folder holds %q, want nothing of the dead", ns)
		}
	}
}

// Writers of one path at the same time, more than have numbers: one after the
// other puts its own whole content there.
func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	var wg sync.WaitGroup
	for i := range 3 * slots {
		wg.Go(func() {
			text := strings.Repeat(string(rune('a'+i)), 1<<10)
			for range 10 {
				if err := WriteFile(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := content(t, path); len(got) != 1<<10 || strings.Trim(got, got[:1]) != "" {
		t.Errorf("content %q", got)
	}
	if ns := names(t, dir); len(ns) != 1 {
		t.Errorf("folder holds %q", ns)
	}
}

// writeLabelled commits data and its label.
func writeLabelled(dir, text string) error {
	var all []*File
	for _, name := range []string{"data", "label"} {
		f, err := Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Fill(func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
			return err
		}
		all = append(all, f)
	}
	return CommitLabelled(all[0], all[1])
}

// At every step of CommitLabelled no label stands beside other data than its
// own. If the step fails, both are old, or data is new and the label is new or
// missing, and nothing else is left.
func TestCommitLabelled(t *testing.T) {
	defer func() { Step = nil }()
	boom := errors.New("boom")
	for _, before := range []string{"", "old"} {
		for fail := 0; ; fail++ {
			dir := t.TempDir()
			if before != "" {
				if err := writeLabelled(dir, before); err != nil {
					t.Fatal(err)
				}
			}
			state := func(at string) (data, label string) {
				t.Helper()
				read := func(name string) string {
					b, err := os.ReadFile(filepath.Join(dir, name))
					if err != nil && !errors.Is(err, fs.ErrNotExist) {
						t.Error(err)
					}
					return string(b)
				}
				data, label = read("data"), read("label")
				if label != "" && label != data {
					t.Errorf("%s: label %q beside data %q", at, label, data)
				}
				if data != before && data != "new" {
					t.Errorf("%s: data %q", at, data)
				}
				return data, label
			}
			n, failed := 0, ""
			Step = func(step, path string) error {
				state(step)
				if n++; n > fail {
					failed = step + " " + filepath.Base(path)
					Step = nil
					return boom
				}
				return nil
			}
			err := writeLabelled(dir, "new")
			Step = nil
			data, label := state("in the end")
			if failed == "" {
				if err != nil || data != "new" || label != "new" {
					t.Errorf("%v: data %q, label %q", err, data, label)
				}
				if fail < 8 {
					t.Errorf("%d steps", fail)
				}
				break
			}
			if !errors.Is(err, boom) {
				t.Errorf("%s: %v", failed, err)
			}
			if data == before && label != before {
				t.Errorf("%s: label %q, want the old one", failed, label)
			}
			for _, name := range names(t, dir) {
				if strings.HasPrefix(name, tempPrefix) {
					t.Errorf("%s: %s is left", failed, name)
				}
			}
			if before == "" && data == "" && len(names(t, dir)) > 0 {
				t.Errorf("%s: folder holds %q", failed, names(t, dir))
			}
		}
	}
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	dir := t.TempDir()
	ref := filepath.Join(dir, "ref")
	r, err := os.OpenFile(ref, os.O_CREATE|os.O_WRONLY, 0o644) // what the umask leaves
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	old := filepath.Join(dir, "old")
	put(t, old, "")
	if err := os.Chmod(old, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, like := range map[string]string{filepath.Join(dir, "new"): ref, old: old} {
		want, _ := os.Stat(like)
		if err := WriteFile(path, func(io.Writer) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.Stat(path); got.Mode() != want.Mode() {
			t.Errorf("%s: mode %v, want %v", filepath.Base(path), got.Mode(), want.Mode())
		}
	}
}

// A link is written through, whether what it leads to is there or not.
func TestSymlink(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "real", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "real", "a.txt")
	link := func(to, at string) string {
		at = filepath.Join(dir, at)
		if err := os.Symlink(to, at); err != nil {
			t.Skip("no symbolic links:", err)
		}
		return at
	}
	links := []string{link(path, "absolute"), link(filepath.FromSlash("real/a.txt"), "relative"), link("relative", "twice")}
	link(filepath.FromSlash("real/deep"), "folder")
	link(filepath.FromSlash("../a.txt"), filepath.FromSlash("real/deep/up"))
	links = append(links, filepath.Join(dir, "folder", "up")) // not dir/a.txt
	for _, at := range links {
		for _, text := range []string{"new", "newer"} {
			if err := WriteFile(at, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
				t.Fatal(err)
			}
			if fi, _ := os.Lstat(at); fi.Mode()&fs.ModeSymlink == 0 || content(t, path) != text {
				t.Errorf("%s: replaced, or its target not written: %v, %q", at, fi.Mode(), content(t, path))
			}
		}
		os.Remove(path)
	}
	link("circle", "circle")
	if _, err := Create(filepath.Join(dir, "circle")); err == nil || !strings.Contains(err.Error(), "circle of them") {
		t.Errorf("a link to itself: %v", err)
	}
}

func TestCreateErrors(t *testing.T) {
	dir := t.TempDir()
	check := func(path string, words ...string) {
		t.Helper()
		f, err := Create(path)
		if err == nil {
			f.Close()
			t.Errorf("Create(%s) succeeded", path)
			return
		}
		for _, w := range append(words, path) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("error %q does not say %q", err, w)
			}
		}
		if strings.Contains(err.Error(), tempPrefix) {
			t.Errorf("error %q names the temporary file", err)
		}
	}
	check(dir, "is a folder")
	check(filepath.Join(dir, "missing", "a.txt"), "does not exist", "create it")
	if runtime.GOOS != "windows" {
		check("/dev/null", "not a regular file")
		file := filepath.Join(dir, "file")
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		check(filepath.Join(file, "a.txt"), "is a file, not a folder")
	}
	for _, cause := range []error{syscall.EACCES, syscall.EROFS} {
		err := CreateError("d/a.txt", "d", &fs.PathError{Op: "open", Path: "d/" + tempPrefix + "1", Err: cause})
		if s := err.Error(); !strings.Contains(s, "folder d is not writable") || strings.Contains(s, tempPrefix) || !errors.Is(err, cause) {
			t.Errorf("%v: error %q", cause, err)
		}
	}
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("a read-only folder does not bind this user")
	}
	ro := filepath.Join(dir, "ro")
	if err := os.Mkdir(ro, 0o555); err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(ro, "a.txt"), "not writable", "choose another folder")
}
