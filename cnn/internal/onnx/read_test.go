package onnx

import (
	"os"
	"path/filepath"
	"testing"
)

// TestShared reads the CNNs that lie beside the repository.
func TestShared(t *testing.T) {
	for _, tt := range []struct {
		file          string
		nodes, inits  int
		opset, ir     int
		input, output string
	}{
		{"default-cnn/efficientnet-lite0.onnx", 95, 102, 13, 7, "image", "probabilities"},
		{"default-cnn/efficientnet-lite2.onnx", 125, 132, 13, 7, "image", "probabilities"},
		{"models/mobilenetv2.onnx", 101, 108, 11, 6, "data", "features"},
		{"models/squeezenet1.1.onnx", 68, 52, 11, 6, "data", "features"},
	} {
		t.Run(tt.file, func(t *testing.T) {
			path := filepath.Join("../../../../shared", tt.file)
			if _, err := os.Stat(path); err != nil {
				t.Skipf("the data folder ../shared of the repository lacks it: %v", err)
			}
			g, err := Open(path, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if len(g.Nodes) != tt.nodes || len(g.Init) != tt.inits || g.Opset != tt.opset || g.IR != tt.ir {
				t.Errorf("%d nodes, %d initialisers, opset %d, IR %d", len(g.Nodes), len(g.Init), g.Opset, g.IR)
			}
			if g.Inputs[0].Name != tt.input || g.Outputs[0].Name != tt.output {
				t.Errorf("input %v, output %v", g.Inputs, g.Outputs)
			}
		})
	}
}
