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
		if _, err := io.WriteString(f, "?"+want[1:]); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte(want[:1]), 0); err != nil {
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
	io.WriteString(f, "new")
	f.Seek(-1, io.SeekStart) // fails, ignored
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

// A process that dies between write and commit leaves the old content.
func TestKilled(t *testing.T) {
	if path := os.Getenv("ATOMICFILE_DIE"); path != "" {
		f, err := Create(path)
		if err != nil {
			os.Exit(3)
		}
		io.WriteString(f, "half of the ne")
		os.Stdout.WriteString("written\n")
		select {} // killed by the parent
	}
	path := filepath.Join(t.TempDir(), "a.txt")
	put(t, path, "old")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "ATOMICFILE_DIE="+path)
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
	cmd.Process.Kill()
	cmd.Wait()
	if got := content(t, path); got != "old" {
		t.Errorf("content %q after a kill", got)
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

func TestSymlink(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	path, link := filepath.Join(dir, "real", "a.txt"), filepath.Join(dir, "link")
	put(t, path, "old")
	if err := os.Symlink(path, link); err != nil {
		t.Skip("no symbolic links:", err)
	}
	if err := WriteFile(link, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Fatal(err)
	}
	if fi, _ := os.Lstat(link); fi.Mode()&fs.ModeSymlink == 0 || content(t, path) != "new" {
		t.Errorf("link replaced or target not written: %v, %q", fi.Mode(), content(t, path))
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
