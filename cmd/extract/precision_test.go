package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cmd/internal/cli/clitest"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
)

const tiny = "../../captioner/testdata/tiny.onnx"

func TestPrecisionRefused(t *testing.T) {
	out := filepath.Join(t.TempDir(), "f.npz")
	code, printed := clitest.Run(t, []string{"CAPTION_CPU=generic"}, "--precision", "bf16", "--cnn", tiny, images, "-o", out)
	if code != cli.Failed || !strings.HasPrefix(printed, "extract: --precision bf16: this machine cannot") || !strings.Contains(printed, "use float32") {
		t.Errorf("exit code %d, printed %q", code, printed)
	}
}

func TestPrecision(t *testing.T) {
	if _, err := cnn.Open(tiny, &cnn.Options{Precision: cnn.BF16}); errors.Is(err, cnn.ErrPrecision) {
		t.Skip(err)
	}
	rows := map[string]*features.Set{}
	for _, p := range []string{"float32", "bf16"} {
		path := filepath.Join(t.TempDir(), "f.npz")
		if code, errs := run(t, "-q", "--precision", p, images, "-o", path); code != cli.OK || errs != "" {
			t.Fatalf("%s: exit code %d, %s", p, code, errs)
		}
		s, err := features.ReadFile(path)
		if err != nil || s.Meta[features.MetaPrecision] != p {
			t.Fatalf("%s: %v, noted %v", p, err, s.Meta)
		}
		rows[p] = s
	}
	for i, name := range rows["bf16"].Names {
		if d := features.Distance(rows["bf16"].Row(i), rows["float32"].Row(i)); !(d < 0.05 && d > 1e-4) {
			t.Errorf("%s: features in bf16 are %.3g from those in float32", name, d)
		}
	}
}
