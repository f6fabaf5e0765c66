package main

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/cmd/internal/byname"
	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/message"
)

// captionFlags are the flags of caption itself.
type captionFlags struct {
	model    cli.ModelFlags
	format   string
	photos   cli.PhotoFlags
	decoding decodingFlags
}

// newCommand is the whole command line: captioning photos, and the sub-commands.
func newCommand() *cobra.Command {
	var f captionFlags
	cmd := &cobra.Command{
		Use:   "caption [flags] PATH...",
		Short: "Say what is in photos",
		Long: `caption writes a sentence for each photo: ` + message.List("or", features.PictureFormats()) + `.

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
	f.model.Register(cmd)
	cli.AddPrecision(cmd, &f.model.Precision)
	f.decoding.register(fs, "")
	fs.StringVarP(&f.format, "format", "f", "text", "`FORMAT` of the output: "+strings.Join(formatNames(), "|"))
	f.photos.Register(cmd, "photos at a time", "no progress; failures are still named")
	cli.Complete(cmd, "format", formatNames()...)

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
	if err := f.photos.Check(); err != nil {
		return err
	}
	sources := features.Expand(args)
	out, err := newWriter(f.format, cmd.OutOrStdout(), len(sources) > 1)
	if err != nil {
		return err
	}
	if len(sources) == 1 {
		defer f.photos.CollectLate()()
	}
	c, results, err := f.open(ctx, sources)
	if err != nil {
		return err
	}
	if len(sources) > 1 {
		defer f.photos.LimitMemory(c.Info().CNN)()
	}
	progress := cli.NewProgress(cmd.ErrOrStderr(), "captioning", len(sources), f.photos.Quiet || len(sources) < 2)
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
	if len(sources) == 1 {
		return f.openForOne(ctx, sources[0])
	}
	if c, err = f.model.Open(ctx, captioner.Loader{}); err != nil {
		return nil, nil, err
	}
	stream := f.photos.Stream()
	return c, c.Extractor().Stream(ctx, slices.Values(sources), &stream), nil
}

// openForOne is open for a single photo, which is read while the model is being
// opened, and which gets all processors.
func (f *captionFlags) openForOne(ctx context.Context, src features.Source) (*captioner.Captioner, iter.Seq[features.Result], error) {
	ready := make(chan features.Result, 1) // with the picture in place of its features
	read := func(pre features.Preprocessing) {
		p := features.Result{Name: src.Name}
		photo, err := src.Open()
		if p.Err = err; err == nil {
			p.Features, p.Err = pre.Read(ctx, photo, f.photos.Limits())
			photo.Close()
		}
		ready <- p
	}
	c, err := f.model.Open(ctx, captioner.Loader{
		Threads: runtime.GOMAXPROCS(0),
		Trusted: f.model.Name == byname.Default, // a start of 40 ms is too short to look at all of the program
		Prepare: func(pre features.Preprocessing) { go read(pre) },
	})
	if err != nil {
		return nil, nil, err
	}
	return c, func(yield func(features.Result) bool) {
		select {
		case r := <-ready:
			if r.Err == nil {
				r.Features, r.Err = c.Extractor().Prepared(ctx, r.Features)
			}
			yield(r)
		case <-ctx.Done(): // the photo may be a pipe that nobody writes to
		}
	}, nil
}
