package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestOperators checks that each type of operator in the op_*.go files registers
// itself, and has answers that agree.
func TestOperators(t *testing.T) {
	var types []string
	for _, o := range Operators() {
		types = append(types, strings.TrimPrefix(fmt.Sprintf("%T", o), "*plan."))
		f := o.fuses()
		if (f.residual != nil || f.axis != nil) && (f.scale == nil || f.shift == nil || f.act == nil) {
			t.Errorf("%T takes in residuals or scales, but not all that goes with them", o)
		}
	}
	files, err := filepath.Glob("op_*.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^type (\w+) struct ?{\s*(?:common|Linear)\b`).FindAllSubmatch(source, -1) {
			if name := string(m[1]); name != "Linear" && !slices.Contains(types, name) { // that is part of others
				t.Errorf("%s: %s is not registered", f, m[1])
			}
		}
	}
}
