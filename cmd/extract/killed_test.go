package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cmd/internal/cli/clitest"
	"github.com/onetomany/caption/features"
)

// copies makes a folder of n photos under different names.
func copies(t *testing.T, n int) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(images, "cat.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.jpg", i)), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// content is the feature file with the names beside it, if there are any.
func content(path string) []byte {
	rows, _ := os.ReadFile(path)
	names, _ := os.ReadFile(path + ".names.txt")
	return append(rows, names...)
}

// Killed at random moments, the same command goes on and ends with the same
// bytes; whatever file is there on the way is whole, and nothing else is left.
func TestKilled(t *testing.T) {
	photos := copies(t, 40)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, ext := range []string{".npy", ".safetensors"} {
		args := func(out string) []string {
			return []string{"-q", "--cnn", "../../captioner/testdata/tiny.onnx", photos, "-o", out}
		}
		whole := filepath.Join(t.TempDir(), "f"+ext)
		start := time.Now()
		if code, printed := clitest.Run(t, nil, args(whole)...); code != cli.OK {
			t.Fatal(printed)
		}
		took := time.Since(start)
		want := content(whole)

		dir := t.TempDir()
		out := filepath.Join(dir, "f"+ext)
		kills := 6
		if testing.Short() {
			kills = 3
		}
		for range kills {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.Float64()*1.2*float64(took)))
			printed, err := clitest.Command(ctx, nil, args(out)...).CombinedOutput()
			if err != nil && ctx.Err() == nil {
				t.Errorf("%v: %s", err, printed)
			}
			cancel()
			if _, err := os.Stat(out); err == nil {
				if _, err := features.ReadFile(out); err != nil {
					t.Error(err)
				}
			}
		}
		if code, printed := clitest.Run(t, nil, args(out)...); code != cli.OK {
			t.Fatal(printed)
		}
		if !bytes.Equal(content(out), want) {
			t.Errorf("%s: other bytes than of an uninterrupted run", ext)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if name := filepath.Join(dir, e.Name()); name != out && name != out+".names.txt" {
				t.Errorf("%s is left", e.Name())
			}
		}
	}
}

// Two runs on one output: the second ends with one clear line, the first does
// its work.
func TestTwoRuns(t *testing.T) {
	photos := copies(t, 3)
	out := filepath.Join(t.TempDir(), "f.npy")
	first, err := features.Create(out, []int{2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := first.Append("a", []float32{1, 2}); err != nil {
		t.Fatal(err)
	}
	code, printed := clitest.Run(t, nil, "--cnn", "../../captioner/testdata/tiny.onnx", photos, "-o", out)
	if want := "extract: cannot write " + out + ": another program is writing it; wait for it or choose another name\n"; code != cli.Failed || printed != want {
		t.Errorf("exit code %d, printed %q; want %q", code, printed, want)
	}
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	if s, err := features.ReadFile(out); err != nil || strings.Join(s.Names, " ") != "a" {
		t.Errorf("%v, %+v", err, s)
	}
}
