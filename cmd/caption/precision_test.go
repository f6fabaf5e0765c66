package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cmd/internal/cli/clitest"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
)

// Where the processor has no bf16, each command that runs the CNN says so.
func TestPrecisionRefused(t *testing.T) {
	dir := t.TempDir()
	data := ownPhotos(t, dir)
	for _, args := range [][]string{
		{filepath.Join(images, "cat.jpg")},
		{"eval", "--data", data},
		append(trainTiny(data, filepath.Join(dir, "model")), "--epochs", "1"),
		{"info"},
		{"info", "--cnn", tinyCNN},
	} {
		code, printed := clitest.Run(t, []string{"CAPTION_CPU=generic"}, append(args, "--precision", "bf16")...)
		if code != cli.Failed || strings.Count(printed, "\n") != 1 || !strings.Contains(printed, ": --precision bf16: this machine cannot") || !strings.Contains(printed, "use float32") {
			t.Errorf("%v: exit code %d, printed %q", args, code, printed)
		}
	}
	code, _, errs := run(t, "--precision", "fp16", images)
	if code != cli.WrongUsage || !strings.Contains(errs, "float32 or bf16") {
		t.Errorf("fp16: exit code %d, %q", code, errs)
	}
}

func TestPrecision(t *testing.T) {
	if _, err := cnn.Open(tinyCNN, &cnn.Options{Precision: cnn.BF16}); errors.Is(err, cnn.ErrPrecision) {
		t.Skip(err)
	}
	code, out, errs := run(t, "--precision", "bf16", filepath.Join(images, "cat.jpg"))
	if code != cli.OK || !strings.Contains(out, "cat") {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
	dir := t.TempDir()
	data, model := ownPhotos(t, dir), filepath.Join(dir, "model")
	if code, _, errs := run(t, append(trainTiny(data, model), "--epochs", "1", "--precision", "bf16")...); code != cli.OK {
		t.Fatalf("train: exit code %d, %s", code, errs)
	}
	for _, args := range [][]string{{"eval", "--data", data, "-q"}, {"info"}} {
		code, out, errs := run(t, append(args, "-m", model, "--precision", "bf16")...)
		if code != cli.OK {
			t.Errorf("%v: exit code %d, %q", args, code, errs)
		}
		if args[0] == "info" && (!strings.Contains(out, "bf16\n") || !strings.Contains(out, "--precision bf16")) {
			t.Errorf("info says neither what it computes in nor what it was trained with:\n%s", out)
		}
	}
}

// Files of features in both precisions are not mixed; those in another one than
// the CNN's here are told of.
func TestPrecisionOfFeatures(t *testing.T) {
	dir := t.TempDir()
	data := ownPhotos(t, dir)
	file := func(p cnn.Precision, photos ...string) string {
		network := cli.NetworkFlags{CNN: tinyCNN}
		n, err := network.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		x, err := features.NewExtractor(n.Net, n.Preprocessing)
		if err != nil {
			t.Fatal(err)
		}
		meta, err := x.Meta(map[string]string{features.MetaPrecision: p.String()})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, p.String()+".safetensors")
		w, err := features.Create(path, x.Shape(), meta)
		if err != nil {
			t.Fatal(err)
		}
		for _, photo := range photos {
			row, err := x.Read(t.Context(), bytes.NewReader(read(t, filepath.Join(dir, photo))), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Append(photo, row); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one, other := file(cnn.Float32, "astronaut.jpg", "cat.jpg"), file(cnn.BF16, "coffee.jpg", "rocket.jpg")
	args := append(trainTiny(data, filepath.Join(dir, "model")), "--epochs", "1", "--features", other)
	if code, _, errs := run(t, append(args, "--features", one)...); code != cli.Failed || !strings.Contains(errs, "--precision") {
		t.Errorf("both: exit code %d, %s", code, errs)
	}
	_, _, errs := run(t, args...)
	if want := "computed in bf16, the CNN computes in float32"; !strings.Contains(errs, want) {
		t.Errorf("%q is not said: %s", want, errs)
	}
}
