package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cmd/internal/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m, newCommand) }

// After an interruption the finished epochs are kept, and the same command goes
// on after them.
func TestInterruptTrain(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "model")
	args := append(trainTiny(ownPhotos(t, dir), model), "--epochs", "1000000", "--quiet=false")
	for _, until := range []string{"epoch 2 of", "going on after epoch"} {
		code, printed := clitest.Interrupt(t, until, args...)
		if want := " finished epochs are kept in " + model + ".train; the same command goes on from there\n"; code != cli.Interrupted || !strings.HasSuffix(printed, want) {
			t.Fatalf("exit code %d, printed %q; want %q at the end", code, printed, want)
		}
	}
	if _, err := os.Stat(filepath.Join(model+".train", "checkpoint")); err != nil {
		t.Error(err)
	}
}

// An interrupted caption has written what it did, and JSON stays whole.
func TestInterruptCaption(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "model")
	if code, _, errs := run(t, append(trainTiny(ownPhotos(t, dir), model), "--epochs", "1")...); code != cli.OK {
		t.Fatal(code, errs)
	}
	cat, bad := filepath.Join(images, "cat.jpg"), write(t, filepath.Join(dir, "bad.jpg"), nil)
	for _, format := range []string{"text", "json"} {
		// The photo on standard input never comes.
		code, printed := clitest.Interrupt(t, bad+": ", "-m", model, "-f", format, cat, bad, "-")
		if want := "caption: interrupted; 2 of 3 photos were done, their captions are written\n"; code != cli.Interrupted || !strings.HasSuffix(printed, want) {
			t.Errorf("exit code %d, printed %q; want %q at the end", code, printed, want)
		}
		if !strings.Contains(printed, "cat.jpg") || format == "json" && !strings.Contains(printed, "\n]\n") {
			t.Errorf("%s: printed %q", format, printed)
		}
	}
}
