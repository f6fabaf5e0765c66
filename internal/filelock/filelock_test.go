package filelock

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// open opens path, which must succeed, and skips the test where nothing locks.
func open(t *testing.T, path string, flag int) *os.File {
	t.Helper()
	f, held, err := Open(path, flag, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if !held {
		t.Skip("the file system of the temporary folder cannot lock")
	}
	return f
}

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if _, _, err := Open(path, 0, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	a := open(t, path, os.O_CREATE)
	if _, err := a.WriteString("text"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(path, os.O_CREATE, 0o644); !errors.Is(err, ErrLocked) {
		t.Errorf("a second time: %v, want ErrLocked", err)
	}
	if _, _, err := Open(path, os.O_CREATE|os.O_EXCL, 0o644); !errors.Is(err, fs.ErrExist) {
		t.Errorf("exclusively: %v, want ErrExist", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "text" {
		t.Errorf("others read %q, %v", b, err)
	}
	a.Close()
	b := open(t, path, os.O_CREATE)
	// Renamed and removed while it is open, and another of its name locked.
	if err := os.Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	open(t, path, os.O_CREATE)
	if err := os.Remove(b.Name() + "2"); err != nil {
		t.Fatal(err)
	}
}

// A file that was removed between opening and locking it is not taken for the
// one at its path.
func TestRemovedMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	f, err := openFile(path, os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, same, err := claim(f, path); !same || err != nil {
		t.Errorf("same %v, %v", same, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, same, err := claim(f, path); same || err != nil {
		t.Errorf("removed: same %v, %v", same, err)
	}
	open(t, path, os.O_CREATE)
	if _, same, err := claim(f, path); same || err != nil {
		t.Errorf("another is there: same %v, %v", same, err)
	}
}

func TestOnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	check := func(path, want string) {
		t.Helper()
		if f, _, err := Open(path, os.O_CREATE, 0o644); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
			f.Close()
		}
	}
	check(dir, "a folder")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links:", err)
	}
	check(link, "a symbolic link")
	dangling := filepath.Join(dir, "dangling")
	os.Symlink(filepath.Join(dir, "absent"), dangling)
	check(dangling, "a symbolic link")
	if _, err := os.Lstat(filepath.Join(dir, "absent")); err == nil {
		t.Error("a file was made through a dangling link")
	}
	if _, err := os.Stat("/dev/null"); err == nil {
		check("/dev/null", "not a regular file")
	}
}

// The lock of a process ends with it, however it ends.
func TestKilled(t *testing.T) {
	if path := os.Getenv("FILELOCK_HOLD"); path != "" {
		f, _, err := Open(path, os.O_CREATE, 0o644)
		if err != nil {
			os.Exit(3)
		}
		os.Stdout.WriteString("locked\n")
		io.Copy(io.Discard, os.Stdin) // until killed by the parent
		runtime.KeepAlive(f)
		return
	}
	path := filepath.Join(t.TempDir(), "a")
	open(t, path, os.O_CREATE).Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "FILELOCK_HOLD="+path)
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
	defer cmd.Wait()
	defer cmd.Process.Kill()
	said := make([]byte, 7)
	if _, err := io.ReadFull(out, said); err != nil || string(said) != "locked\n" {
		t.Fatalf("the child said %q, %v", said, err)
	}
	if _, _, err := Open(path, 0, 0); !errors.Is(err, ErrLocked) {
		t.Errorf("%v while another process has it, want ErrLocked", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	open(t, path, 0)
}
