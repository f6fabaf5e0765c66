package cli

import (
	"context"
	"fmt"
	"io"
	"maps"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/message"
)

// Extraction is a run over many photos into a feature file.
type Extraction struct {
	Network *Network
	Path    string // of the feature file
	Jobs    int
	Batch   int
	Memory  Size // of photos being decoded
	Quiet   bool
	Stderr  io.Writer
	Program string // for messages

	// Reuse takes the file at Path as it is if an earlier run wrote it with
	// the same network and preprocessing. Path must then differ for other
	// photos.
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
	if e.Reuse {
		if rows := e.done(x, id); rows > 0 {
			return features.Summary{Rows: rows, Failed: len(sources) - rows}, nil
		}
	}
	defer LimitMemory(e.Memory, e.Network.Net.Info(), e.Jobs, e.Batch)()
	progress := NewProgress(e.Stderr, "extracting", len(sources), e.Quiet)
	defer progress.Close()
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sum, err := x.WriteFile(running, e.Path, sources, &features.WriteOptions{
		StreamOptions: features.StreamOptions{Jobs: e.Jobs, Batch: e.Batch, Limits: &features.Limits{MaxMemory: e.Memory.Photos()}},
		Meta:          e.meta(id),
		Report: func(r features.Result) {
			if err := progress.Photo(e.Program, r); err != nil {
				stop(err)
			}
		},
	})
	if sum.Dropped > 0 {
		progress.Printf("%s: left out %s of an interrupted run to %s: of photos that are not among these or have changed",
			e.Program, message.Count(sum.Dropped, "row"), e.Path)
	}
	if cause := context.Cause(running); cause != nil && ctx.Err() == nil {
		return sum, cause
	}
	if sum.Rows == 0 {
		return sum, Kept(err, "no photo was done yet")
	}
	return sum, Kept(err, "the features of %s are kept in %s; the same command goes on from there", message.Count(sum.Rows, "photo"), features.JournalPath(e.Path))
}

// meta identifies the network in the feature file.
func (e *Extraction) meta(id string) map[string]string {
	return map[string]string{"cnn": e.Network.Name, "sha256": id}
}

// done returns the rows of the feature file, 0 where it is not there or does
// not come from this network and preprocessing.
func (e *Extraction) done(x *features.Extractor, id string) int {
	s, err := features.ReadFile(e.Path)
	if err != nil {
		return 0
	}
	if want, err := x.Meta(e.meta(id)); err != nil || !maps.Equal(s.Meta, want) {
		return 0
	}
	return len(s.Names)
}

// identity is the SHA-256 of the network's files.
func (n *Network) identity() (string, error) {
	if n.sum != "" {
		return n.sum, nil
	}
	sum, err := hashFiles(n.FS, n.Files)
	if err != nil {
		return "", fmt.Errorf("hashing the CNN %s: %w", n.Name, err)
	}
	return sum, nil
}
