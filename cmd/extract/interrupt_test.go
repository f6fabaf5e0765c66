package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cmd/internal/cli/clitest"
	"github.com/onetomany/caption/features"
)

func TestMain(m *testing.M) { clitest.Main(m, newCommand) }

// After an interruption the rows done so far are kept, and the same command
// goes on from there.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "f.npy")
	bad := filepath.Join(dir, "bad.jpg")
	if err := os.WriteFile(bad, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"--cnn", "../../captioner/testdata/tiny.onnx", "-o", out}
	// The photo on standard input never comes.
	code, printed := clitest.Interrupt(t, bad, append(args, filepath.Join(images, "cat.jpg"), bad, "-")...)
	if want := "extract: interrupted; the features of 1 photo are kept in " + out + ".part; the same command goes on from there\n"; code != cli.Interrupted || !strings.HasSuffix(printed, want) {
		t.Fatalf("exit code %d, printed %q; want %q", code, printed, want)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("the file is there, though not all photos are done")
	}
	if code, errs := run(t, append(args, filepath.Join(images, "cat.jpg"), filepath.Join(images, "coffee.jpg"))...); code != cli.OK {
		t.Fatalf("going on: exit code %d, %s", code, errs)
	}
	s, err := features.ReadFile(out)
	if err != nil || len(s.Names) != 2 {
		t.Errorf("%v, %+v", err, s)
	}
	if _, err := os.Stat(out + ".part"); err == nil {
		t.Error("FILE.part is left")
	}
}
