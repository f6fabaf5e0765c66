package memfs

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestFS(t *testing.T) {
	m := FS{"a": []byte("first"), "b.txt": nil, "c": []byte("third")}
	for _, fsys := range []fs.FS{m, Program{FS: m}} {
		if err := fstest.TestFS(fsys, "a", "b.txt", "c"); err != nil {
			t.Error(err)
		}
	}
	b, err := m.View("a")
	if err != nil || &b[0] != &m["a"][0] {
		t.Errorf("View gave a copy, or %v", err)
	}
	for _, name := range []string{"d", ".", "a/b", ""} {
		if _, err := m.View(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("View(%q): %v", name, err)
		}
	}
}

// What fs.ReadFile gives may be changed.
func TestReadFileCopies(t *testing.T) {
	m := FS{"a": []byte("first")}
	b, err := fs.ReadFile(m, "a")
	if err != nil {
		t.Fatal(err)
	}
	b[0] = 'F'
	if string(m["a"]) != "first" {
		t.Error("the file changed")
	}
}
