package cli

import (
	"context"
	"io"
	"maps"

	"github.com/onetomany/caption/cmd/internal/byname"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/message"
)

// Extraction is a run over many photos into a feature file.
type Extraction struct {
	PhotoFlags
	Network *byname.CNN
	Path    string // of the feature file
	Stderr  io.Writer
	Program string // for messages

	// Reuse takes the file at Path as it is if an earlier run wrote it with
	// the same network and preprocessing. Each set of photos then needs a Path of
	// its own.
	Reuse bool
}

// Run extracts the features of sources, shows its progress and names each photo that
// fails.
func (e *Extraction) Run(ctx context.Context, sources []features.Source) (features.Summary, error) {
	meta, err := e.Network.Meta()
	if err != nil {
		return features.Summary{}, err
	}
	x, err := features.NewExtractor(e.Network.Net, e.Network.Preprocessing)
	if err != nil {
		return features.Summary{}, err
	}
	if e.Reuse {
		if rows := e.done(x, meta); rows > 0 {
			return features.Summary{Rows: rows, Failed: len(sources) - rows}, nil
		}
	}
	defer e.LimitMemory(e.Network.Net.Info())()
	progress := NewProgress(e.Stderr, "extracting", len(sources), e.Quiet)
	defer progress.Close()
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sum, err := x.WriteFile(running, e.Path, sources, &features.WriteOptions{
		StreamOptions: e.Stream(),
		Meta:          meta,
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

// done returns the number of rows of the feature file, 0 if there is none that comes
// from this network and preprocessing.
func (e *Extraction) done(x *features.Extractor, meta map[string]string) int {
	s, err := features.ReadFile(e.Path)
	if err != nil {
		return 0
	}
	if want, err := x.Meta(meta); err != nil || !maps.Equal(s.Meta, want) {
		return 0
	}
	return len(s.Names)
}
