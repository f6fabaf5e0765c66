package cli

import (
	"strings"
	"testing"
)

func TestSizeThatTheCNNDoesNotTake(t *testing.T) {
	f := NetworkFlags{CNN: "../../../captioner/testdata/tiny.onnx", Size: 5}
	if _, err := f.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "--size 5") {
		t.Error(err)
	}
	f.Size = 16
	if _, err := f.Open(t.Context()); err != nil {
		t.Error(err)
	}
}
