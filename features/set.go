package features

import "errors"

// Set is a feature file in memory: row i holds the features of Names[i].
type Set struct {
	Names []string
	Shape []int // [N,D], or [N,H,W,C] for maps
	Data  []float32
	Meta  map[string]string // what the writer said of the features; nil in .npy and .jsonl
}

// ReadFile reads a feature file; the extension gives the format.
func ReadFile(path string) (*Set, error) { return nil, errors.New("features: not built yet") }
