package features

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// WriteOptions configures WriteFile.
type WriteOptions struct {
	StreamOptions

	// Meta is kept in the file, beside the preprocessing, the layer and the
	// precision. It should identify the CNN (its SHA-256): rows of an interrupted run are
	// taken up only where all of it is the same.
	Meta map[string]string

	// Report, if not nil, is called for each source in order. A photo taken
	// up from an interrupted run has neither features nor an error.
	Report func(Result)
}

// MetaPrecision is the key of Set.Meta under which WriteFile notes what the CNN
// computed in, a cnn.Precision. Files without it, from elsewhere, do not say.
const MetaPrecision = "precision"

// Meta is what WriteFile keeps in a file that can hold it (Set.Meta): extra, and
// the preprocessing, layer and precision of x.
func (x *Extractor) Meta(extra map[string]string) (map[string]string, error) {
	if x == nil || x.net == nil {
		return nil, errZero
	}
	pre, err := json.Marshal(x.pre)
	if err != nil {
		return nil, err
	}
	info := x.net.Info()
	meta := map[string]string{"preprocessing": string(pre), "layer": info.FeatureNode, MetaPrecision: info.Precision.String()}
	maps.Copy(meta, extra)
	return meta, nil
}

// Summary counts the photos of WriteFile.
type Summary struct {
	Rows   int // in the file; after an interruption, in FILE.part
	Kept   int // of these, taken up from an interrupted run
	Failed int // reported, without a row

	// Dropped counts the rows of an interrupted run that are of photos not
	// among the sources, or changed since.
	Dropped int
}

// WriteFile extracts the features of the sources, in their order, to the
// feature file at path. A photo that fails is reported and has no row. If ctx
// ends, or the machine does, the rows done so far wait in FILE.part, and the
// same call goes on from there: the file comes out the same.
func (x *Extractor) WriteFile(ctx context.Context, path string, sources []Source, opt *WriteOptions) (Summary, error) {
	if opt == nil {
		opt = new(WriteOptions)
	}
	var sum Summary
	if err := x.usable(ctx); err != nil {
		return sum, err
	}
	meta, err := x.Meta(opt.Meta)
	if err != nil {
		return sum, err
	}
	w, err := Create(path, x.shape, meta)
	if err != nil {
		return sum, err
	}
	defer w.Close()
	report := opt.Report
	if report == nil {
		report = func(Result) {}
	}

	var todo []Source
	for _, s := range sources {
		if _, done := w.find(s); !done {
			todo = append(todo, s)
		}
	}
	// keep takes up the photos at the head of sources that are done.
	keep := func() {
		for len(sources) > 0 {
			rec, done := w.find(sources[0])
			if !done {
				return
			}
			w.rows = append(w.rows, rec)
			sum.Kept++
			report(Result{Name: sources[0].Name})
			sources = sources[1:]
		}
	}
	for r := range x.Stream(ctx, slices.Values(todo), &opt.StreamOptions) {
		keep()
		if r.Err == nil {
			r.Err = checkName(r.Name)
		}
		if r.Err != nil {
			sum.Failed++
		} else if err := w.append(r.Name, sources[0].Stamp, r.Features); err != nil {
			return sum, err
		}
		report(r)
		sources = sources[1:]
	}
	if err := ctx.Err(); err != nil {
		sum.Rows = len(w.old) + w.Rows() - sum.Kept
		return sum, err
	}
	keep()
	if sum.Rows = w.Rows(); sum.Rows == 0 {
		return sum, fmt.Errorf("%s is not written: no photo could be read", path)
	}
	sum.Dropped = max(0, len(w.old)-sum.Kept) // a photo given twice is kept twice
	return sum, w.Commit()
}
