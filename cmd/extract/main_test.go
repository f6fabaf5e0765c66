package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/features"
)

const images = "../../testdata/images"

func run(t *testing.T, args ...string) (code int, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	code = cli.Run(cmd, args)
	if out.Len() > 0 {
		t.Errorf("standard output: %q", out.String())
	}
	return code, errs.String()
}

func TestExtract(t *testing.T) {
	dir := t.TempDir()
	var first *features.Set
	for _, ext := range features.Extensions() {
		path := filepath.Join(dir, "f"+ext)
		if code, errs := run(t, "-q", "--batch", "2", images, "-o", path); code != cli.OK || errs != "" {
			t.Fatalf("%s: exit code %d, %s", ext, code, errs)
		}
		s, err := features.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Names) != 5 || filepath.Base(s.Names[2]) != "cat.jpg" || s.Shape[0] != 5 || s.Shape[1] != 1280 {
			t.Errorf("%s: names %v, shape %v", ext, s.Names, s.Shape)
		}
		if first == nil {
			first = s
		}
		for i, v := range s.Data {
			if v != first.Data[i] {
				t.Fatalf("%s: value %d is %v, in %s %v", ext, i, v, features.Extensions()[0], first.Data[i])
			}
		}
	}
}

func TestExtractMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.npy")
	if code, errs := run(t, "-q", "--layer", "map", filepath.Join(images, "cat.jpg"), "-o", path); code != cli.OK {
		t.Fatal(code, errs)
	}
	s, err := features.ReadFile(path)
	if err != nil || len(s.Shape) != 4 || s.Shape[1] != 9 || s.Shape[2] != 9 || s.Shape[3] != 1280 {
		t.Errorf("%v, shape %v", err, s.Shape)
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.jpg")
	if err := os.WriteFile(bad, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(images, "cat.jpg")
	out := filepath.Join(dir, "f.npy")
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing given", []string{"-o", out}, cli.WrongUsage, "no photo given"},
		{"no output", []string{good}, cli.WrongUsage, "-o FILE"},
		{"unknown format", []string{good, "-o", filepath.Join(dir, "f.txt")}, cli.WrongUsage, ".safetensors"},
		{"no such folder", []string{good, "-o", filepath.Join(dir, "absent", "f.npy")}, cli.Failed, "absent"},
		{"some fail", []string{"-q", good, bad, "-o", out}, cli.Partial, "bad.jpg"},
		{"unknown layer", []string{good, "--layer", "fc9", "-o", out}, cli.Failed, "fc9"},
		{"bad mean", []string{good, "--mean", "1,2", "-o", out}, cli.WrongUsage, "--mean"},
		{"bad resize", []string{good, "--resize", "stretch", "-o", out}, cli.WrongUsage, "stretch"},
		{"bad batch", []string{good, "--batch", "0", "-o", out}, cli.WrongUsage, "--batch"},
		{"no memory", []string{good, "--max-memory", "0GiB", "-o", out}, cli.WrongUsage, "--max-memory"},
		{"missing value", []string{good, "-o"}, cli.WrongUsage, "-o"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, errs := run(t, tt.args...)
			if code != tt.code || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, tt.want) {
				t.Errorf("exit code %d, stderr %q; want %d and one line with %q", code, errs, tt.code, tt.want)
			}
		})
	}
}

// The help fits a terminal, however many formats of feature files there are.
func TestHelpWidth(t *testing.T) {
	for line := range strings.Lines(newCommand().Long) {
		if n := len(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d bytes: %s", n, line)
		}
	}
}
