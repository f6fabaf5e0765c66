package cnn

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// After Open a Net has nothing to do with the file any more: whether it is written
// to, cut off or deleted, features stay the same and nothing faults.
func TestFileAfterOpen(t *testing.T) {
	b, err := os.ReadFile(shared(t, "models/squeezenet1.1.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(path, b, 0o400); err != nil { // not to be written to by Open
		t.Fatal(err)
	}
	net, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := picture(1, 224, 224)
	want, err := net.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what   string
		change func() error
	}{
		{"written to", func() error { return os.WriteFile(path, make([]byte, len(b)), 0o600) }},
		{"cut off", func() error { return os.Truncate(path, 1) }},
		{"deleted", func() error { return os.Remove(path) }},
	} {
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		got, err := net.Run(context.Background(), x)
		if err != nil || !slices.Equal(got.Data, want.Data) {
			t.Errorf("%s: other features, or %v", c.what, err)
		}
	}
}

// A model that may not be read is an error that names it.
func TestUnreadable(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("everything can be read here")
	}
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(path, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, nil); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v is not about the permission", err)
	}
}
