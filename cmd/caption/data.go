package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/cli"
	"github.com/onetomany/caption/internal/dataset"
)

// photoSet is the part of a data set that is worked on, with its features.
type photoSet struct {
	name     string
	photos   []dataset.Photo
	features [][]float32 // of photos
}

// openData opens the data sets of --data and tells what the user should know of
// them. If their features are at hand, the photos need not be.
func openData(ctx context.Context, paths []string, haveFeatures bool, notes io.Writer) ([]*dataset.Set, error) {
	open := dataset.Open
	if haveFeatures {
		open = dataset.OpenCaptions
	}
	if len(paths) == 0 {
		return nil, cli.Usagef("--data is missing: a Flickr8k folder, a COCO or Karpathy JSON file, or a CSV, TSV or JSONL file")
	}
	var sets []*dataset.Set
	for _, p := range paths {
		s, err := cli.Await(ctx, func() (*dataset.Set, error) { return open(p) })
		if err != nil {
			return nil, err
		}
		s.EnsureVal()
		for _, note := range s.Notes {
			cli.Message(notes, "data set %s: %s", s.Name, note)
		}
		sets = append(sets, s)
	}
	return sets, nil
}

// take returns the photos of a split of each set that has one.
func take(sets []*dataset.Set, split string) []photoSet {
	var out []photoSet
	for _, s := range sets {
		if photos := s.Split(split); len(photos) > 0 {
			out = append(out, photoSet{name: s.Name, photos: photos})
		}
	}
	return out
}

// noPhotos says that a split is empty, and which are not.
func noPhotos(paths []string, split string, sets []*dataset.Set) error {
	n := map[string]int{}
	for _, s := range sets {
		for _, p := range s.Photos {
			n[p.Split]++
		}
	}
	return fmt.Errorf("no photos in split %s of %s; in train, val and test are %d, %d and %d",
		split, strings.Join(paths, ", "), n[dataset.Train], n[dataset.Val], n[dataset.Test])
}

// featureTable finds the features of a photo by its path, its name or, where
// it is the only one of that name, the last part of it.
type featureTable struct {
	rows      map[string][]float32
	size      int
	precision string // what they were computed in, "" where the files do not say
}

// readFeatures reads feature files into one table.
func readFeatures(ctx context.Context, paths []string) (*featureTable, error) {
	t := &featureTable{rows: map[string][]float32{}}
	for _, p := range paths {
		s, err := cli.Await(ctx, func() (*features.Set, error) { return features.ReadFile(p) })
		if err != nil {
			return nil, err
		}
		if err := t.add(p, s); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *featureTable) add(path string, s *features.Set) error {
	if len(s.Shape) != 2 {
		return fmt.Errorf("%s: features of shape %v are feature maps; the decoder takes vectors: extract with --layer pooled", path, s.Shape)
	}
	if t.size = cmp.Or(t.size, s.Shape[1]); t.size != s.Shape[1] {
		return fmt.Errorf("%s: vectors of %d values, other files have %d; they must come from the same CNN", path, s.Shape[1], t.size)
	}
	if p := s.Meta[features.MetaPrecision]; p != "" {
		if t.precision = cmp.Or(t.precision, p); t.precision != p {
			return fmt.Errorf("%s: features computed in %s, other files in %s; extract all of them with the same --precision", path, p, t.precision)
		}
	}
	for i, name := range s.Names {
		row := s.Data[i*t.size : (i+1)*t.size]
		t.put(filepath.Clean(name), row)
		if base := filepath.Base(name); base != filepath.Clean(name) {
			t.put(base, row)
		}
	}
	return nil
}

// note says where the features were computed in another precision than p, which
// the CNN computes in here: near enough to go on, but to be known.
func (t *featureTable) note(p cnn.Precision, stderr io.Writer) {
	if t.precision != "" && t.precision != p.String() {
		cli.Message(stderr, "the features were computed in %s, the CNN computes in %v here; --precision %s is the same", t.precision, p, t.precision)
	}
}

// put files a row; of two different rows under one name neither can be told
// apart, so the name is blocked with a nil.
func (t *featureTable) put(name string, row []float32) {
	if old, ok := t.rows[name]; ok && !slices.Equal(old, row) {
		row = nil
	}
	t.rows[name] = row
}

func (t *featureTable) get(p dataset.Photo) []float32 {
	for _, name := range []string{p.Path, p.Name, path.Base(p.Name)} {
		if row := t.rows[filepath.Clean(name)]; row != nil {
			return row
		}
	}
	return nil
}

// attach gives every photo its features. Photos without are left out and
// counted; a set of which nothing is left is an error.
func (t *featureTable) attach(sets []photoSet, notes io.Writer) error {
	for i := range sets {
		s := &sets[i]
		kept := s.photos[:0:0]
		missing := ""
		for _, p := range s.photos {
			f := t.get(p)
			if f == nil {
				missing = cmp.Or(missing, p.Name)
				continue
			}
			kept = append(kept, p)
			s.features = append(s.features, f)
		}
		if len(kept) == 0 {
			return fmt.Errorf("data set %s: no features for any of its %s, such as %s", s.name, cli.Count(len(s.photos), "photo"), missing)
		}
		if n := len(s.photos) - len(kept); n > 0 {
			cli.Message(notes, "data set %s: no features of %d of %s, such as %s, left out", s.name, n, cli.Count(len(s.photos), "photo"), missing)
		}
		s.photos = kept
	}
	return nil
}

// computeFeatures gives the photos of sets their features. Photos that fail are
// named, left out and counted.
func computeFeatures(cmd *cobra.Command, x *features.Extractor, opt *features.StreamOptions, quiet bool, sets []photoSet) (failed int, err error) {
	var sources []features.Source
	for _, s := range sets {
		for _, p := range s.photos {
			sources = append(sources, features.FileSource(p.Path))
		}
	}
	progress := cli.NewProgress(cmd.ErrOrStderr(), "extracting", len(sources), quiet)
	defer progress.Close()
	next, stop := iter.Pull(x.Stream(cmd.Context(), slices.Values(sources), opt))
	defer stop()
	for i := range sets {
		s := &sets[i]
		kept := s.photos[:0:0]
		for _, p := range s.photos {
			r, ok := next()
			if !ok {
				return failed, cmd.Context().Err()
			}
			progress.Step()
			if err := cli.TooManyFiles(r.Name, r.Err); err != nil {
				return failed, err
			}
			if r.Err != nil {
				failed++
				progress.Printf("%s: %s: %s", cmd.CommandPath(), r.Name, r.Err)
				continue
			}
			kept = append(kept, p)
			s.features = append(s.features, r.Features)
		}
		if s.photos = kept; len(kept) == 0 {
			return failed, fmt.Errorf("data set %s: none of its photos could be read", s.name)
		}
	}
	return failed, nil
}
