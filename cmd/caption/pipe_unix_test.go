//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cmd/internal/cli/clitest"
)

// pipe makes a named pipe. opened returns when somebody reads it, and keeps it
// open for writing till the end of the test, without a byte.
func pipe(t *testing.T, path string) (opened func()) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Skip(err)
	}
	return func() {
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
			if err == nil {
				t.Cleanup(func() { f.Close() })
				return
			}
		}
		t.Error("nobody reads", path)
	}
}

// An interrupt ends the program soon, whatever it waits for.
func TestInterruptWaiting(t *testing.T) {
	dir := t.TempDir()
	cat := filepath.Join(images, "cat.jpg")
	for _, tt := range []struct {
		name string // of the pipe
		args func(pipe string) []string
	}{
		{"photo.jpg", func(pipe string) []string { return []string{pipe} }},
		{"second.jpg", func(pipe string) []string { return []string{"-q", cat, pipe} }},
	} {
		path := filepath.Join(dir, tt.name)
		code, printed, took := clitest.InterruptAfter(t, pipe(t, path), tt.args(path)...)
		if code != cli.Interrupted || !strings.Contains(printed, ": interrupted") || strings.Count(printed, "\n") > 2 || took > 3*time.Second {
			t.Errorf("%s: exit code %d after %v, printed %q", tt.name, code, took, printed)
		}
		t.Logf("%s: %v", tt.name, took)
	}
}

// A photo in a named pipe is read like any other.
func TestPhotoInPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photo.jpg")
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Skip(err)
	}
	photo := read(t, filepath.Join(images, "cat.jpg"))
	go os.WriteFile(path, photo, 0o666)
	if code, out, errs := run(t, path); code != cli.OK || !strings.Contains(out, "cat") {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
}

// A photo that has become a named pipe since the folder was listed fails, and
// does not hold up the others for ever.
func TestPhotoBecomesPipe(t *testing.T) {
	dir := t.TempDir()
	photo := read(t, filepath.Join(images, "cat.jpg"))
	first, second := filepath.Join(dir, "first.jpg"), write(t, filepath.Join(dir, "second.jpg"), photo)
	third := write(t, filepath.Join(dir, "third.jpg"), photo)
	if err := syscall.Mkfifo(first, 0o666); err != nil {
		t.Skip(err)
	}
	type outcome struct {
		code      int
		out, errs string
	}
	done := make(chan outcome, 1)
	go func() {
		code, out, errs := run(t, "-q", "-j", "1", first, second, third)
		done <- outcome{code, out, errs}
	}()
	w, err := os.OpenFile(first, os.O_WRONLY, 0) // waits until the first photo is read
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(second, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(photo); err != nil {
		t.Fatal(err)
	}
	w.Close()
	select {
	case o := <-done:
		if o.code != cli.Partial || strings.Count(o.out, "\n") != 2 || !strings.Contains(o.errs, second+": ") {
			t.Errorf("exit code %d, %q, %q", o.code, o.out, o.errs)
		}
	case <-time.After(10 * time.Second):
		t.Error("the pipe is waited for")
	}
}
