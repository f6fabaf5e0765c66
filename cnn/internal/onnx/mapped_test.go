package onnx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/internal/mmap"
)

// large is a tensor that stays where it lies.
var large = []int64{64, 64}

// A model, and its external data, that shrink after they were read fail where
// their weights are read, and do not end the program.
func TestCutOffWhileOpen(t *testing.T) {
	b := addW(initOf("w", typeFloat, large, outside("location", "data")))
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	for name, b := range map[string][]byte{"m.onnx": b, "data": make([]byte, 4*64*64)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g, err := Open(filepath.Join(dir, "m.onnx"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	w := g.Init["w"]
	if w.F != nil || w.Stored.Len() != 64*64 {
		t.Fatal("the weights are not where the file has them")
	}
	if len(g.files) != 2 {
		t.Errorf("%d files are open instead of 2", len(g.files))
	}
	if err := os.Truncate(data, 0); err != nil {
		t.Skip(err) // not while it is mapped, says Windows
	}
	err = mmap.Guard(func() error { return w.Load(g.Budget, "w") })
	if err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("reading the weights: %v", err)
	}
}
