package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/cli"
)

// captionFlags are the flags of caption itself.
type captionFlags struct {
	model     string
	precision cnn.Precision
	format    string
	jobs      int
	memory    cli.Size
	quiet     bool
	decoding  decodingFlags
}

// newCommand is the whole command line: captioning photos, and the sub-commands.
func newCommand() *cobra.Command {
	var f captionFlags
	cmd := &cobra.Command{
		Use:   "caption [flags] PATH...",
		Short: "Say what is in photos",
		Long: `caption writes a sentence for each photo: JPEG, PNG, GIF, WebP, BMP or TIFF.

A PATH is a photo, a folder (searched with its sub-folders), a glob, or - for a
photo on standard input. One photo gives its caption alone, several give lines
of PATH, tab, caption, in order. A photo that cannot be read is named on
standard error and the others go on. Names that a terminal would not print as they
are, are quoted as in Go; in CSV, ' stands before what would be a formula.

Exit codes: 0 all done, 1 failed, 2 wrong usage, 3 some photos failed and all
others were done, 130 interrupted.`,
		Example: `  caption photo.jpg
  caption holidays/ > captions.tsv
  caption -n 3 photo.jpg                 three captions, best first
  caption --sample --seed 7 photo.jpg    another wording at each seed
  caption -f jsonl photos/*.jpg          with log-probabilities
  caption -m my-model photo.jpg          a model of your own
  caption --precision bf16 holidays/     faster, where the processor can
  cat photo.jpg | caption -`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Usagef("no photo given; name a photo or a folder, or see caption --help")
			}
			return caption(cmd, &f, args)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.model, "model", "m", cli.DefaultModel, "`NAME` of a model or folder that holds one")
	cli.AddPrecision(cmd, &f.precision)
	fs.IntVarP(&f.decoding.num, "num", "n", 1, "captions a photo, best first")
	f.decoding.register(fs)
	fs.StringVarP(&f.format, "format", "f", "text", "`FORMAT` of the output: "+formatNames)
	fs.IntVarP(&f.jobs, "jobs", "j", 0, "photos at a time (default: one a processor)")
	cli.AddMaxMemory(cmd, &f.memory)
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "no progress; failures are still named")
	cli.Complete(cmd, "format", formats...)

	cmd.AddCommand(newTrain(), newEval(), newVerify(), newInfo(), newModels())
	return cmd
}

// result is the outcome for one photo, as the JSON formats write it.
type result struct {
	Path     cli.RawString       `json:"path"`
	Captions []captioner.Caption `json:"captions"`
	Error    string              `json:"error,omitempty"`
}

func caption(cmd *cobra.Command, f *captionFlags, args []string) error {
	ctx := cmd.Context()
	opt, err := f.decoding.options(cmd.Flags())
	if err != nil {
		return err
	}
	if err := cli.CheckJobs(f.jobs); err != nil {
		return err
	}
	sources := stdin(features.Expand(args), cmd.InOrStdin())
	out, err := newWriter(f.format, cmd.OutOrStdout(), opt.Num, len(sources) > 1)
	if err != nil {
		return err
	}
	if len(sources) == 1 {
		defer cli.CollectLate(f.memory)()
	}
	c, results, err := f.open(ctx, sources)
	if err != nil {
		return err
	}
	if len(sources) > 1 {
		defer cli.LimitMemory(f.memory, c.Info().CNN, f.jobs, 1)()
	}
	progress := cli.NewProgress(cmd.ErrOrStderr(), "captioning", len(sources), f.quiet || len(sources) < 2)
	defer progress.Close()

	done, failed := 0, 0
	for r := range results {
		res := result{Path: cli.RawString(r.Name)}
		if r.Err == nil {
			res.Captions, r.Err = c.CaptionFeatures(ctx, r.Features, opt)
		}
		if ctx.Err() != nil {
			break
		}
		if oe := flagError(r.Err); oe != r.Err {
			return oe
		}
		if err := progress.Photo("caption", r); err != nil {
			out.close() // so that JSON is whole
			return err
		}
		if r.Err != nil {
			failed++
			res.Error = cli.Text(r.Err.Error())
		}
		if err := out.write(res); err != nil {
			return fmt.Errorf("writing the captions: %w", err)
		}
		done++
	}
	if err := out.close(); err != nil {
		return fmt.Errorf("writing the captions: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return cli.Kept(err, "%d of %d photos were done, their captions are written", done, len(sources))
	}
	return cli.PhotosFailed(failed, len(sources))
}

// open opens the model; results yields the features of the photos.
func (f *captionFlags) open(ctx context.Context, sources []features.Source) (c *captioner.Captioner, results iter.Seq[features.Result], err error) {
	l := captioner.Loader{Precision: f.precision}
	if len(sources) == 1 {
		return f.openForOne(ctx, l, sources[0])
	}
	if c, err = cli.OpenModel(ctx, f.model, l); err != nil {
		return nil, nil, err
	}
	return c, c.Extractor().Stream(ctx, slices.Values(sources), &features.StreamOptions{Jobs: f.jobs, Limits: &features.Limits{MaxMemory: f.memory.Photos()}}), nil
}

// openForOne is open for a single photo, which is read while the model is being
// opened, and which gets all processors.
func (f *captionFlags) openForOne(ctx context.Context, l captioner.Loader, src features.Source) (*captioner.Captioner, iter.Seq[features.Result], error) {
	type prepared struct {
		picture []float32
		err     error
	}
	ready := make(chan prepared, 1)
	l.Threads = runtime.GOMAXPROCS(0)
	l.Trusted = f.model == cli.DefaultModel // a start of 40 ms is too short to look at all of the program
	read := func(pre features.Preprocessing) {
		var p prepared
		r, err := src.Open()
		if err != nil {
			p.err = err
		} else {
			p.picture, p.err = pre.Read(ctx, r, &features.Limits{MaxMemory: f.memory.Photos()})
			r.Close()
		}
		ready <- p
	}
	l.Prepare = func(pre features.Preprocessing) { go read(pre) }
	c, err := cli.OpenModel(ctx, f.model, l)
	if err != nil {
		return nil, nil, err
	}
	return c, func(yield func(features.Result) bool) {
		var p prepared
		select {
		case p = <-ready:
		case <-ctx.Done():
			return // the photo may be a pipe that nobody writes to
		}
		r := features.Result{Name: src.Name, Err: p.err}
		if p.err == nil {
			r.Features, r.Err = c.Extractor().Prepared(ctx, p.picture)
		}
		yield(r)
	}, nil
}

// stdin lets the source "-" read from in, which tests replace.
func stdin(sources []features.Source, in io.Reader) []features.Source {
	for i := range sources {
		if sources[i].Name == "-" {
			sources[i].Open = func() (io.ReadCloser, error) { return io.NopCloser(in), nil }
		}
	}
	return sources
}
