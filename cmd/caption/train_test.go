package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/captioner/dataset"
	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/features"
)

const tinyCNN = "../../captioner/testdata/tiny.onnx"

// trainTiny is the command that trains a small model.
func trainTiny(data, model string) []string {
	return []string{"train", "--data", data, "-o", model, "--cnn", tinyCNN,
		"--hidden", "8", "--embed", "8", "--min-count", "1", "--patience", "0", "-q"}
}

// Features kept by a run on other photos are not taken for those of this one,
// and a run that finds its features again tells of failed photos all the same.
func TestTrainKeepsFeaturesByPhotos(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "model")
	data := ownPhotos(t, dir)
	args := append(trainTiny(data, model), "--epochs", "1", "--keep")
	train := func(want int) (stderr string) {
		t.Helper()
		code, _, stderr := run(t, args...)
		if code != want {
			t.Fatalf("exit code %d, want %d: %s", code, want, stderr)
		}
		return stderr
	}
	kept := func() int {
		names, err := filepath.Glob(filepath.Join(model+".train", "features-*.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	train(cli.OK)
	if n := kept(); n != 1 {
		t.Fatalf("%d files of features are kept", n)
	}

	write(t, filepath.Join(dir, "broken.jpg"), []byte("no picture"))
	write(t, data, append(read(t, data), "broken.jpg,a thing,train\n"...))
	os.Remove(filepath.Join(model+".train", "checkpoint")) // it is of other data
	for range 2 {
		if stderr := train(cli.Partial); !strings.Contains(stderr, "broken.jpg") {
			t.Errorf("stderr %q does not name the broken photo", stderr)
		}
		if n := kept(); n != 2 {
			t.Errorf("%d files of features are kept", n)
		}
	}
}

// A small table with the default --min-count is told what to do before any work.
func TestTrainNoWords(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "model")
	code, _, stderr := run(t, append(trainTiny(ownPhotos(t, dir), model), "--min-count", "5")...)
	if code != cli.Failed || !strings.Contains(stderr, "a smaller --min-count") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if _, err := os.Stat(model + ".train"); err == nil {
		t.Error("a working folder is left")
	}
}

// A table of which hardly a word is left is trained on, with a warning.
func TestTrainFewWords(t *testing.T) {
	dir := t.TempDir()
	table := ownPhotos(t, dir)
	write(t, table, []byte("image,caption,split\ncat.jpg,a a a a a cat on red cloth that looks,train\n"))
	train := func(minCount string) string {
		args := append(trainTiny(table, filepath.Join(dir, "model"+minCount)), "--epochs", "1", "--min-count", minCount)
		code, _, stderr := run(t, args...)
		if code != cli.OK {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		return stderr
	}
	if stderr := train("5"); !strings.Contains(stderr, "--min-count 5 drops 6 of the 11 words of the training captions; give more captions or a smaller --min-count") {
		t.Errorf("stderr %q", stderr)
	}
	if stderr := train("1"); stderr != "" {
		t.Errorf("without cause: %q", stderr)
	}
}

// Two trainings on one folder: the second is told, and the first is left alone.
func TestTrainTwice(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "model")
	data := ownPhotos(t, dir)
	release, err := lockWork(model+".train", model)
	if err != nil {
		t.Fatal(err)
	}
	args := append(trainTiny(data, model), "--epochs", "1")
	code, _, stderr := run(t, args...)
	if code != cli.Failed || !strings.Contains(stderr, "another training is writing "+model) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "model*", "*")); len(names) != 1 {
		t.Errorf("the second training wrote %q", names)
	}
	release()
	if code, _, stderr := run(t, args...); code != cli.OK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if _, err := os.Stat(model + ".train"); err == nil {
		t.Error("a working folder is left")
	}
}

// With --features the photos may be elsewhere; where one is at hand, features
// of another network or preprocessing are refused.
func TestTrainOnFeatures(t *testing.T) {
	dir := t.TempDir()
	data := ownPhotos(t, dir)
	network := cli.NetworkFlags{CNN: tinyCNN}
	n, err := network.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "f.npz")
	e := cli.Extraction{Network: n, Path: file, PhotoFlags: cli.PhotoFlags{Quiet: true}, Stderr: os.Stderr}
	if sum, err := e.Run(t.Context(), features.Expand([]string{dir})); err != nil || sum.Rows != 4 {
		t.Fatal(sum, err)
	}
	train := func(model string, more ...string) (code int, stderr string) {
		args := append(trainTiny(data, filepath.Join(dir, model)), "--epochs", "1", "--features", file)
		code, _, stderr = run(t, append(args, more...)...)
		return code, stderr
	}
	if code, stderr := train("a"); code != cli.OK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if code, stderr := train("b", "--mean", "0.9,0.1,0.5"); code != cli.Failed || !strings.Contains(stderr, "--mean") {
		t.Errorf("another preprocessing: exit code %d: %s", code, stderr)
	}
	eval := func(features string) (code int, stderr string) {
		code, _, stderr = run(t, "eval", "-q", "-m", filepath.Join(dir, "a"), "--data", data, "--features", features)
		return code, stderr
	}
	if code, stderr := eval(file); code != cli.OK {
		t.Errorf("eval: exit code %d: %s", code, stderr)
	}
	network.Mean = []string{"0.9", "0.1", "0.5"}
	if n, err = network.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.npz")
	e = cli.Extraction{Network: n, Path: other, PhotoFlags: cli.PhotoFlags{Quiet: true}, Stderr: os.Stderr}
	if _, err := e.Run(t.Context(), features.Expand([]string{dir})); err != nil {
		t.Fatal(err)
	}
	if code, stderr := eval(other); code != cli.Failed || !strings.Contains(stderr, "not those that the model's CNN gives") {
		t.Errorf("eval with another preprocessing: exit code %d: %s", code, stderr)
	}
	for _, name := range []string{"astronaut.jpg", "cat.jpg", "coffee.jpg", "rocket.jpg"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if code, stderr := train("c"); code != cli.OK || strings.Contains(stderr, "left out") {
		t.Errorf("without photos: exit code %d: %s", code, stderr)
	}
}

// The help of the commands that take --data names every form of data sets.
func TestDataHelp(t *testing.T) {
	for _, command := range []string{"train", "eval"} {
		_, stdout, _ := run(t, command, "--help")
		if help := strings.Join(strings.Fields(stdout), " "); !strings.Contains(help, "--data takes "+dataset.Forms) {
			t.Errorf("the help of %s does not say %q", command, dataset.Forms)
		}
	}
}
