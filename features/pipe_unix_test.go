//go:build unix

package features

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/onetomany/caption/internal/leaktest"
)

// A named pipe without a writer does not hold up cancellation.
func TestStreamNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe.jpg")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	ended := leaktest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	for res := range toyExtractor(t, new(toy)).Stream(ctx, slices.Values(Expand([]string{path})), nil) {
		t.Errorf("result %v", res)
	}
	w, err := os.OpenFile(path, os.O_WRONLY, 0) // now opening it for reading returns
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	ended()
}
