//go:build unix

package onnx

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipe reads a model whose external data are a named pipe: opening that
// would wait for a writer forever.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "m.onnx")
	if err := os.WriteFile(model, addW(initOf("w", typeFloat, []int64{1}, outside("location", "pipe"))), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o666); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	for _, path := range []string{model, filepath.Join(dir, "pipe")} {
		if _, err := Open(path, Limits{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
