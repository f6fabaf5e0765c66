package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/onetomany/caption/captioner/train"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/cli"
	"github.com/onetomany/caption/vocab"
)

// featureTolerance is how far features of --features may be from those that
// the CNN gives here: float16 weights and other resizing programs stay well
// below, another CNN or preprocessing is far above.
const featureTolerance = 0.05

// read takes the features of --features, and checks on one photo that they
// come from this network: a decoder trained on the features of another one
// says nonsense without any error.
func (f *trainFlags) read(ctx context.Context, n *cli.Network, stderr io.Writer, parts ...[]photoSet) error {
	t, err := readFeatures(ctx, f.features)
	if err != nil {
		return err
	}
	t.note(f.network.Precision, stderr)
	for _, p := range parts {
		if err := t.attach(p, cli.Notes(stderr, f.quiet)); err != nil {
			return err
		}
	}
	x, err := features.NewExtractor(n.Net, n.Preprocessing)
	if err != nil {
		return err
	}
	const asForExtract = "give --cnn, --size, --resize, --mean and --std as for extract"
	if want := x.Shape(); !slices.Equal(want, []int{t.size}) {
		return fmt.Errorf("%s: vectors of %d values, %s gives %v; %s", f.features[0], t.size, n.Name, want, asForExtract)
	}
	d, photo, err := compareFeatures(ctx, x, f.memory, slices.Concat(parts...))
	switch {
	case err != nil:
		return err
	case photo == "":
		cli.Message(stderr, "no photo is at hand to check that %s gives these features", n.Name)
	case !(d <= featureTolerance):
		return fmt.Errorf("%s: the features of %s are not those that %s gives (relative difference %.2g); %s", f.features[0], photo, n.Name, d, asForExtract)
	}
	return nil
}

// compareFeatures extracts the features of the first photo that is at hand and
// returns how far those in sets are from them, and its name; "" if none is.
func compareFeatures(ctx context.Context, x *features.Extractor, memory cli.Size, sets []photoSet) (distance float64, photo string, err error) {
	for _, s := range sets {
		for i, p := range s.photos {
			if p.Path == "" {
				continue
			}
			is, err := photoFeatures(ctx, x, memory, p.Path)
			if err != nil {
				return 0, "", fmt.Errorf("%s: %w", p.Path, err)
			}
			return features.Distance(s.features[i], is), p.Name, nil
		}
	}
	return 0, "", nil
}

// photoFeatures extracts the features of the photo in a file.
func photoFeatures(ctx context.Context, x *features.Extractor, memory cli.Size, path string) ([]float32, error) {
	r, err := features.FileSource(path).Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return x.Read(ctx, r, &features.Limits{MaxMemory: memory.Photos()})
}

// captionWords returns the words of all captions.
func captionWords(sets []photoSet) [][]string {
	var words [][]string
	for _, s := range sets {
		for _, p := range s.photos {
			for _, c := range p.Captions {
				words = append(words, vocab.Tokenize(c))
			}
		}
	}
	return words
}

// checkWords says early, before the CNN runs, that no word would be left.
func checkWords(trains []photoSet, minCount int) error {
	if vocab.Build(captionWords(trains), minCount).Len() > vocab.Unk+1 {
		return nil
	}
	return fmt.Errorf("no word is in the training captions --min-count %d times; give more captions or a smaller --min-count", minCount)
}

// trainingData builds the vocabulary and encodes the captions.
func trainingData(trains, vals []photoSet, minCount int) *train.Data {
	words := captionWords(trains)
	data := &train.Data{Vocab: vocab.Build(words, minCount)}
	for _, s := range trains {
		data.Features = append(data.Features, s.features...)
		for _, p := range s.photos {
			var ids [][]int
			for range p.Captions {
				ids = append(ids, data.Vocab.Encode(words[0]))
				words = words[1:]
			}
			data.Captions = append(data.Captions, ids)
		}
	}
	for _, s := range vals {
		v := train.ValSet{Name: s.name, Features: s.features}
		for _, p := range s.photos {
			var refs [][]string
			for _, c := range p.Captions {
				refs = append(refs, vocab.Tokenize(c))
			}
			v.Refs = append(v.Refs, refs)
		}
		data.Val = append(data.Val, v)
	}
	return data
}
