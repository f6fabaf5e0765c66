package dataset

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"path"
	"path/filepath"
	"slices"

	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/message"
)

// Features are the rows of feature files by photo: by its path, its name or, where
// no other photo has it, the last part of its name.
type Features struct {
	Size      int    // of each vector
	Precision string // what the CNN computed in, as features.MetaPrecision; "" where the files do not say

	rows map[string][]float32 // nil where two photos of that name differ
}

// ReadFeatures reads feature files, all of them vectors of the same CNN.
func ReadFeatures(paths ...string) (*Features, error) {
	f := &Features{rows: map[string][]float32{}}
	for _, p := range paths {
		s, err := features.ReadFile(p)
		if err != nil {
			return nil, err
		}
		if err := f.add(p, s); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *Features) add(path string, s *features.Set) error {
	if len(s.Shape) != 2 {
		return fmt.Errorf("%s: features of shape %v are feature maps; the decoder takes vectors: extract with --layer pooled", path, s.Shape)
	}
	if f.Size = cmp.Or(f.Size, s.Shape[1]); f.Size != s.Shape[1] {
		return fmt.Errorf("%s: vectors of %d values, other files have %d; they must come from the same CNN", path, s.Shape[1], f.Size)
	}
	if p := s.Meta[features.MetaPrecision]; p != "" {
		if f.Precision = cmp.Or(f.Precision, p); f.Precision != p {
			return fmt.Errorf("%s: features computed in %s, other files in %s; extract all of them with the same --precision", path, p, f.Precision)
		}
	}
	for i, name := range s.Names {
		whole, base := filepath.Clean(name), filepath.Base(name)
		f.put(whole, s.Row(i))
		if base != whole {
			f.put(base, s.Row(i))
		}
	}
	return nil
}

func (f *Features) put(name string, row []float32) {
	if old, ok := f.rows[name]; ok && !slices.Equal(old, row) {
		row = nil
	}
	f.rows[name] = row
}

func (f *Features) of(p Photo) []float32 {
	for _, name := range []string{p.Path, p.Name, path.Base(p.Name)} {
		if row := f.rows[filepath.Clean(name)]; row != nil {
			return row
		}
	}
	return nil
}

// Attach gives the photos of s their features, and leaves out photos without any,
// whose names it returns. It is an error if no photo of a set that has some is left.
func (f *Features) Attach(s *Set) (without []string, err error) {
	var kept []Photo
	for _, p := range s.Photos {
		if p.Features = f.of(p); p.Features == nil {
			without = append(without, p.Name)
			continue
		}
		kept = append(kept, p)
	}
	if s.Photos = kept; len(kept) == 0 && len(without) > 0 {
		return without, fmt.Errorf("data set %s: no features for any of its %s, such as %s", s.Name, message.Count(len(without), "photo"), without[0])
	}
	return without, nil
}

// Sources are the files of the photos of sets, in order.
func Sources(sets ...*Set) []features.Source {
	var out []features.Source
	for _, s := range sets {
		for _, p := range s.Photos {
			out = append(out, features.FileSource(p.Path))
		}
	}
	return out
}

// Extract computes the features of the photos of sets with x. It calls report, unless
// that is nil, for each photo, in order; an error of report ends it. Photos that fail
// are left out and counted; it is an error if none of a set is left.
func Extract(ctx context.Context, x *features.Extractor, opt *features.StreamOptions, report func(features.Result) error, sets ...*Set) (failed int, err error) {
	next, stop := iter.Pull(x.Stream(ctx, slices.Values(Sources(sets...)), opt))
	defer stop()
	for _, s := range sets {
		var kept []Photo
		for _, p := range s.Photos {
			r, ok := next()
			if !ok {
				return failed, ctx.Err()
			}
			if report != nil {
				if err := report(r); err != nil {
					return failed, err
				}
			}
			if r.Err != nil {
				failed++
				continue
			}
			p.Features = r.Features
			kept = append(kept, p)
		}
		if s.Photos = kept; len(kept) == 0 {
			return failed, fmt.Errorf("data set %s: none of its photos could be read", s.Name)
		}
	}
	return failed, nil
}

// Distance computes the features of the first photo of sets that has a file with x,
// and returns how far those that it has are from them (see features.Distance), and
// its name; "" where no photo has a file. A decoder trained on the features of
// another CNN, or of another preprocessing, says nonsense without any error.
func Distance(ctx context.Context, x *features.Extractor, lim *features.Limits, sets ...*Set) (d float64, photo string, err error) {
	for _, s := range sets {
		i := slices.IndexFunc(s.Photos, func(p Photo) bool { return p.Path != "" })
		if i < 0 {
			continue
		}
		p := s.Photos[i]
		var is []float32
		r, err := features.FileSource(p.Path).Open()
		if err == nil {
			is, err = x.Read(ctx, r, lim)
			r.Close()
		}
		if err != nil {
			return 0, "", fmt.Errorf("%s: %w", p.Path, err)
		}
		return features.Distance(p.Features, is), p.Name, nil
	}
	return 0, "", nil
}
