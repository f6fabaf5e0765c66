package mmap

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

// content is larger than a page of any system.
var content = bytes.Repeat([]byte("0123456789abcdef"), 20<<10)

func write(t *testing.T, b []byte) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "f")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, path
}

type viewFS struct{ fs.FS }

func (v viewFS) View(name string) ([]byte, error) { return fs.ReadFile(v.FS, name) }

func TestOpen(t *testing.T) {
	dir, _ := write(t, content)
	empty, _ := write(t, nil)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	mem := fstest.MapFS{"f": {Data: content}}
	for name, c := range map[string]struct {
		fsys fs.FS
		want []byte
	}{
		"folder": {os.DirFS(dir), content},
		"root":   {root.FS(), content},
		"memory": {mem, content},
		"viewer": {viewFS{mem}, content},
		"empty":  {os.DirFS(empty), nil},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Open(c.fsys, "f", int64(len(content)))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.Bytes, c.want) {
				t.Error("the content differs")
			}
			for range 2 {
				if err := f.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			if f.Bytes != nil {
				t.Error("the bytes can still be reached after Close")
			}
			if len(c.want) > 0 {
				if _, err := Open(c.fsys, "f", int64(len(c.want)-1)); err == nil || !strings.Contains(err.Error(), "limit") {
					t.Errorf("one byte above the limit: %v", err)
				}
			}
			if _, err := Open(c.fsys, "g", 1); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file that is not there: %v", err)
			}
			if _, err := Open(c.fsys, ".", 1<<20); err == nil {
				t.Error("a folder opens")
			}
		})
	}
}

// A file that is replaced, as editors and downloads do it, stays what it was.
func TestReplaced(t *testing.T) {
	dir, path := write(t, content)
	f, err := Open(os.DirFS(dir), "f", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.WriteFile(path+"2", []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"2", path); err != nil {
		t.Skip(err) // not while it is open, says Windows
	}
	if !bytes.Equal(f.Bytes, content) {
		t.Error("the content differs")
	}
}

var sink byte // keeps reads

// Reading what was cut off is an error, from plain Go and from assembly (copy).
func TestCutOff(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("files are mapped on other systems or not, and fault or not")
	}
	dir, path := write(t, content)
	f, err := Open(os.DirFS(dir), "f", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 10); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() error{
		"byte": func() error { sink = f.Bytes[len(f.Bytes)-1]; return nil },
		"copy": func() error { copy(make([]byte, len(f.Bytes)), f.Bytes); return nil },
	} {
		if err := Guard(read); err == nil || !strings.Contains(err.Error(), "cut off") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Guard(func() error { sink = f.Bytes[3]; return nil }); err != nil {
		t.Errorf("what is left cannot be read: %v", err)
	}
}

func TestGuard(t *testing.T) {
	want := errors.New("it")
	if err := Guard(func() error { return want }); err != want {
		t.Errorf("%v instead of the function's error", err)
	}
	defer func() {
		if r := recover(); r != "other" {
			t.Errorf("recovered %v instead of the panic", r)
		}
	}()
	Guard(func() error { panic("other") })
}
