package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner/dataset"
	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/message"
)

// dataFlags name data sets, and feature files of their photos.
type dataFlags struct {
	sets     []string
	features []string
}

// open opens the data sets and prints what the user should know about them. With
// --features the photos need not be there.
func (f *dataFlags) open(ctx context.Context, notes io.Writer) ([]*dataset.Set, error) {
	open := dataset.Open
	if len(f.features) > 0 {
		open = dataset.OpenCaptions
	}
	if len(f.sets) == 0 {
		return nil, cli.Usagef("--data is missing: %s", dataset.Forms)
	}
	var sets []*dataset.Set
	for _, p := range f.sets {
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

// split returns the photos of a split, of which there must be some.
func (f *dataFlags) split(sets []*dataset.Set, split string) ([]*dataset.Set, error) {
	parts := dataset.Split(sets, split)
	if len(parts) > 0 {
		return parts, nil
	}
	n := map[string]int{}
	for _, s := range sets {
		for _, p := range s.Photos {
			n[p.Split]++
		}
	}
	return nil, fmt.Errorf("no photos in split %s of %s; in train, val and test are %d, %d and %d",
		split, strings.Join(f.sets, ", "), n[dataset.Train], n[dataset.Val], n[dataset.Test])
}

// cnnOf is the CNN that the features of --features must come from.
type cnnOf struct {
	x          *features.Extractor
	precision  cnn.Precision
	name       string // for messages
	size, hint string // what is said of vectors of another size, and of other features
}

// read gives the photos of sets the features in the files of --features, and compares
// those of one photo with what the CNN gives. Float16 weights and other programs'
// resizing stay far below the difference that is allowed, another CNN or preprocessing
// is far above.
func (f *dataFlags) read(cmd *cobra.Command, photos *cli.PhotoFlags, c cnnOf, sets []*dataset.Set) error {
	ctx, stderr := cmd.Context(), cmd.ErrOrStderr()
	t, err := readFeatures(ctx, f.features...)
	if err != nil {
		return err
	}
	if !slices.Equal(c.x.Shape(), []int{t.Size}) {
		return fmt.Errorf("%s: vectors of %d values, %s", f.features[0], t.Size, c.size)
	}
	if t.Precision != "" && t.Precision != c.precision.String() { // near enough to go on, but to be known
		cli.Message(stderr, "the features were computed in %s, the CNN computes in %v here; --precision %s is the same", t.Precision, c.precision, t.Precision)
	}
	if err := attach(t, sets, photos.Notes(stderr)); err != nil {
		return err
	}
	d, photo, err := dataset.Distance(ctx, c.x, photos.Limits(), sets...)
	switch {
	case err != nil:
		return err
	case photo == "":
		cli.Message(stderr, "no photo is at hand to check that %s gives these features", c.name)
	case !(d <= 0.05):
		return fmt.Errorf("%s: the features of %s are not those that %s gives (relative difference %.2g)%s", f.features[0], photo, c.name, d, c.hint)
	}
	return nil
}

func readFeatures(ctx context.Context, files ...string) (*dataset.Features, error) {
	return cli.Await(ctx, func() (*dataset.Features, error) { return dataset.ReadFeatures(files...) })
}

// attach gives the photos of sets their features and prints which have none.
func attach(t *dataset.Features, sets []*dataset.Set, notes io.Writer) error {
	for _, s := range sets {
		n := len(s.Photos)
		without, err := t.Attach(s)
		if err != nil {
			return err
		}
		if len(without) > 0 {
			cli.Message(notes, "data set %s: no features of %d of %s, such as %s, left out", s.Name, len(without), message.Count(n, "photo"), without[0])
		}
	}
	return nil
}
