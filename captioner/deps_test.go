package captioner

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDependencies holds that a program which captions with its own model links
// neither the training with Gorgonia nor the embedded default model.
func TestDependencies(t *testing.T) {
	const module = "github.com/onetomany/caption/"
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command here")
	}
	out, err := exec.Command(goTool, "list", "-deps", module+"captioner", module+"captioner/dataset", module+"features", module+"cnn", module+"vocab").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range strings.Fields(string(out)) {
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
