package captioner

import (
	"context"
	"errors"
	"testing"

	"github.com/onetomany/caption/cnn"
)

// TestPrecision opens the default model in bf16. Where the processor has none,
// that is no fault of the model.
func TestPrecision(t *testing.T) {
	l := Loader{Precision: cnn.BF16}
	c, err := l.Open("../models/default")
	if errors.Is(err, cnn.ErrPrecision) {
		if _, ok := errors.AsType[*ModelError](err); ok {
			t.Errorf("the model is blamed: %v", err)
		}
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Info().CNN.Precision; p != cnn.BF16 {
		t.Errorf("it computes in %v", p)
	}
	r, err := c.Verify(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.Distance < VerifyTolerance || r.Distance > VerifyToleranceBF16 {
		t.Errorf("features are %g from those in the model", r.Distance)
	}
}
