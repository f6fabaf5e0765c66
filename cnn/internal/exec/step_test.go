package exec

import (
	"testing"

	"github.com/onetomany/caption/cnn/internal/plan"
)

// TestSteps checks that each operator of a plan has something to run it.
func TestSteps(t *testing.T) {
	for _, o := range plan.Operators() {
		if !runs(o) {
			t.Errorf("%T has no row in newStep", o)
		}
	}
}

// runs reports whether newStep knows o: with a node that is too empty for it, it
// may panic.
func runs(o plan.Op) (ok bool) {
	defer func() { ok = ok || recover() != nil }()
	st := newStep(&plan.Node{Op: o}, nil)
	return st.run != nil || st.part != nil
}
