package captioner

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/onetomany/caption/"

// goList returns what go list prints.
func goList(t *testing.T, args ...string) string {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command here")
	}
	out, err := exec.Command(goTool, append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestDependencies holds that a program which captions with its own model links
// neither the training with Gorgonia nor the embedded default model.
func TestDependencies(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range strings.Fields(goList(t, "-deps", module+"captioner", module+"captioner/dataset", module+"features", module+"cnn", module+"vocab")) {
		seen[p] = true
		for _, no := range []string{"gorgonia.org/gorgonia", module + "models", module + "captioner/train"} {
			if p == no || strings.HasPrefix(p, no+"/") {
				t.Errorf("%s is linked", p)
			}
		}
	}
	if !seen[module+"captioner"] || !seen[module+"cnn"] {
		t.Errorf("go list gave %d packages without ours", len(seen))
	}
}

// floors are the packages from the ground up: each imports those of its own floor and
// of the floors below. What is not named is on the floor of the folder that it is in.
var floors = [][]string{
	{"internal", "vocab", "models"},
	{"cnn"},
	{"features"},
	{"captioner"},
	{"captioner/train"},
	{"cmd", "bench"},
}

// TestFloors holds that no package imports one of a higher floor.
func TestFloors(t *testing.T) {
	floor := func(path string) int {
		for ; ; path = path[:max(0, strings.LastIndexByte(path, '/'))] {
			for i, names := range floors {
				if slices.Contains(names, path) {
					return i
				}
			}
			if path == "" {
				return -1
			}
		}
	}
	packages := 0
	for line := range strings.Lines(goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...")) {
		words := strings.Fields(line)
		own := strings.TrimPrefix(words[0], module)
		at := floor(own)
		if at < 0 {
			t.Errorf("%s is on no floor", own)
		}
		packages++
		for _, p := range words[1:] {
			if p, ok := strings.CutPrefix(p, module); ok && floor(p) > at {
				t.Errorf("%s imports %s, which is above it", own, p)
			}
		}
	}
	if packages < 20 {
		t.Errorf("go list gave %d packages", packages)
	}
}
