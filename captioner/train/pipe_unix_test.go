//go:build unix

package train

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe in place of a checkpoint is refused; opening it would wait for its
// writer.
func TestPipe(t *testing.T) {
	d, o := smallest()
	o.Checkpoint = filepath.Join(t.TempDir(), "c")
	if err := syscall.Mkfifo(o.Checkpoint, 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	if _, err := Run(context.Background(), d, o, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%v", err)
	}
}
