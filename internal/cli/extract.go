package cli

import (
	"context"
	"fmt"
	"io"
	"maps"

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

	// Reuse takes the file at Path as it is if an earlier run wrote it with
	// the same network and preprocessing.
	Reuse bool
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
	if e.Reuse && e.done(x, id) {
		return features.Summary{}, nil
	}
	progress := NewProgress(e.Stderr, "extracting", len(sources), e.Quiet)
	defer progress.Close()
	return x.WriteFile(ctx, e.Path, sources, &features.WriteOptions{
		StreamOptions: features.StreamOptions{Jobs: e.Jobs, Batch: e.Batch},
		Meta:          e.meta(id),
		Report: func(r features.Result) {
			if r.Err != nil {
				progress.Printf("%s: %s: %s", e.Program, r.Name, OneLine(r.Err))
			}
			progress.Step()
		},
	})
}

// meta identifies the network in the feature file.
func (e *Extraction) meta(id string) map[string]string {
	return map[string]string{"cnn": e.Network.Name, "sha256": id}
}

// done reports whether the feature file is there and comes from this network
// and preprocessing.
func (e *Extraction) done(x *features.Extractor, id string) bool {
	s, err := features.ReadFile(e.Path)
	if err != nil {
		return false
	}
	want, err := x.Meta(e.meta(id))
	return err == nil && maps.Equal(s.Meta, want)
}

// identity is the SHA-256 of the network's files.
func (n *Network) identity() (string, error) {
	sum, err := hashFiles(n.FS, n.Files)
	if err != nil {
		return "", fmt.Errorf("hashing the CNN %s: %w", n.Name, err)
	}
	return sum, nil
}
