package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/onetomany/caption/features"
)

// Extraction is a run over many photos into a feature file.
type Extraction struct {
	Network *Network
	Path    string // of the feature file
	Jobs    int
	Batch   int
	Quiet   bool
	Stderr  io.Writer
	Program string // for messages
}

// Run extracts the features of sources, shows how far it is and names each
// photo that fails.
func (e *Extraction) Run(ctx context.Context, sources []features.Source) (features.Summary, error) {
	id, err := e.Network.identity()
	if err != nil {
		return features.Summary{}, err
	}
	x, err := features.NewExtractor(e.Network.Net, e.Network.Preprocessing)
	if err != nil {
		return features.Summary{}, err
	}
	progress := NewProgress(e.Stderr, "extracting", len(sources), e.Quiet)
	defer progress.Close()
	return x.WriteFile(ctx, e.Path, sources, &features.WriteOptions{
		StreamOptions: features.StreamOptions{Jobs: e.Jobs, Batch: e.Batch},
		Meta:          map[string]string{"cnn": e.Network.Name, "sha256": id},
		Report: func(r features.Result) {
			if r.Err != nil {
				progress.Printf("%s: %s: %s", e.Program, r.Name, OneLine(r.Err))
			}
			progress.Step()
		},
	})
}

// identity is the SHA-256 of the network's files.
func (n *Network) identity() (string, error) {
	sum, err := hashFiles(n.FS, n.Files)
	if err != nil {
		return "", fmt.Errorf("hashing the CNN %s: %w", n.Name, err)
	}
	return sum, nil
}
