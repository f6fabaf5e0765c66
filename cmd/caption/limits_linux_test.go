package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cmd/internal/cli/clitest"
	"github.com/onetomany/caption/internal/hostile"
)

// Every file under 2 MB is captioned or refused within 512 MB and 3 seconds;
// docs/limits.md has the figures. Here other tests run at the same time: what is held
// is the work of two processors in that time.
const (
	smallFileMemory = 512e6
	smallFileWork   = 2 * 3 * time.Second
)

func TestWorstPhotos(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program on 24 large pictures")
	}
	dir := t.TempDir()
	for _, p := range hostile.Photos(1) {
		path := filepath.Join(dir, p.Name)
		if err := os.WriteFile(path, p.Make(), 0o644); err != nil {
			t.Fatal(err)
		}
		code, printed, u := clitest.Measure(t, path)
		t.Logf("%s: exit code %d, %d MB, %v, %v of work", p.Name, code, u.Peak/1e6, u.Took.Round(10*time.Millisecond), u.CPU.Round(10*time.Millisecond))
		if code != 0 && code != 1 || strings.Count(printed, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q", p.Name, code, printed)
		}
		if u.Peak > smallFileMemory || u.CPU > smallFileWork {
			t.Errorf("%s: %d MB, %v of work", p.Name, u.Peak/1e6, u.CPU)
		}
	}
}

// Many photos at a time take what --max-memory says, all together.
func TestWorstPhotosTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes large pictures")
	}
	dir := t.TempDir()
	const n = 8
	for _, p := range hostile.Photos(3) {
		if p.Name != "rgb.png" {
			continue
		}
		data := p.Make()
		for i := range n {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.png", i)), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A photo takes 40 MB; of 256 MiB, 208 are for pixels.
	const model = 150e6
	code, printed, u := clitest.Measure(t, "-q", "-j", fmt.Sprint(n), "--max-memory", "256MiB", dir)
	t.Logf("%d MB, %v", u.Peak/1e6, u.Took.Round(10*time.Millisecond))
	if code != 0 || strings.Count(printed, "\n") != n {
		t.Errorf("exit code %d, %q", code, printed)
	}
	if u.Peak > 256<<20+model {
		t.Errorf("%d MB", u.Peak/1e6)
	}
}

// An interrupt ends the program in the middle of a photo. Half a second is the
// promise; here other tests run at the same time.
func TestInterruptDecoding(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes large pictures")
	}
	tried := 0
	for _, p := range hostile.Photos(1) {
		switch p.Name {
		case "planes.jpg", "strip.jpg", "rgb.png", "lossy.webp", "fax.tif":
			tried++
		default:
			continue
		}
		path := filepath.Join(t.TempDir(), p.Name)
		if err := os.WriteFile(path, p.Make(), 0o644); err != nil {
			t.Fatal(err)
		}
		// One photo, and several, which go through other code.
		for _, args := range [][]string{{path}, {"-q", path, path}} {
			code, printed, took := clitest.InterruptAfter(t, func() { time.Sleep(200 * time.Millisecond) }, args...)
			t.Logf("%s: %v", p.Name, took.Round(time.Millisecond))
			if code != cli.Interrupted || took > 5*time.Second {
				t.Errorf("%s: exit code %d after %v, %q", p.Name, code, took, printed)
			}
		}
	}
	if tried != 5 {
		t.Errorf("%d of 5 pictures are there", tried)
	}
}
