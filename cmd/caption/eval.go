package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/dataset"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/cli"
	"github.com/onetomany/caption/internal/metrics"
	"github.com/onetomany/caption/vocab"
)

type evalFlags struct {
	model    cli.ModelFlags
	data     dataFlags
	split    string
	decoding decodingFlags
	out      string
	json     bool
	photos   cli.PhotoFlags
}

func newEval() *cobra.Command {
	var f evalFlags
	cmd := &cobra.Command{
		Use:   "eval [flags] --data PATH",
		Short: "Score a model on photos with captions",
		Long: `eval captions the photos of a data set and compares with its captions:
BLEU-1 to 4, ROUGE-L and CIDEr-D, as the COCO caption evaluation computes them,
in percent. Captions are compared as lower-case words without punctuation.

--data takes a Flickr8k folder, a COCO or Karpathy JSON file, or a CSV, TSV or
JSONL file with the columns image, caption and split; give it again for more
data sets, each scored by itself.

--out writes what was compared as JSON, a list of {"image_id", "caption",
"references", "set"}; the COCO caption code gives the same scores on it.`,
		Example: `  caption eval --data flickr8k
  caption eval -m my-model --data flickr8k --data photos.csv --split test --json
  caption eval -m my-model --data flickr8k --features flickr8k.npy --out captions.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return eval(cmd, &f) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	f.model.Register(cmd)
	cli.AddPrecision(cmd, &f.model.Precision)
	fs.StringArrayVar(&f.data.sets, "data", nil, "data set at `PATH`; may be given again")
	fs.StringVar(&f.split, "split", "val", "part of the data set, `SPLIT`: train, val or test")
	fs.StringArrayVar(&f.data.features, "features", nil, "feature `FILE` of the photos, as extract writes it; may be given again")
	f.decoding.register(fs)
	fs.StringVarP(&f.out, "out", "o", "", "`FILE` to write the captions to, as JSON")
	fs.BoolVar(&f.json, "json", false, "print the scores as JSON")
	f.photos.Register(cmd, "photos at a time", "no progress")
	cli.Complete(cmd, "split", splits...)
	return cmd
}

// splits are the values of --split.
var splits = []string{dataset.Train, dataset.Val, dataset.Test}

// scores are those of one data set, in percent.
type scores struct {
	Set    cli.RawString `json:"set"`
	Split  string        `json:"split"`
	Photos int           `json:"photos"`
	BLEU   [4]float64    `json:"bleu"`
	ROUGEL float64       `json:"rouge_l"`
	CIDErD float64       `json:"cider_d"`
}

// compared is a photo of --out.
type compared struct {
	ImageID    cli.RawString `json:"image_id"`
	Caption    string        `json:"caption"`
	References []string      `json:"references"`
	Set        cli.RawString `json:"set"`
}

func eval(cmd *cobra.Command, f *evalFlags) error {
	stderr := cmd.ErrOrStderr()
	opt, err := f.decoding.options(cmd.Flags())
	if err != nil {
		return err
	}
	if err := f.photos.Check(); err != nil {
		return err
	}
	if !slices.Contains(splits, f.split) {
		return cli.Usagef("--split %s: want one of %s", f.split, strings.Join(splits, ", "))
	}
	sets, err := f.data.open(cmd.Context(), f.photos.Notes(stderr))
	if err != nil {
		return err
	}
	c, err := f.model.Open(cmd.Context(), captioner.Loader{})
	if err != nil {
		return err
	}
	var file *atomicfile.File
	if f.out != "" { // now, so that a slip in the path does not cost the evaluation
		if file, err = atomicfile.Create(f.out); err != nil {
			return err
		}
		defer file.Close()
	}
	parts, err := f.data.split(sets, f.split)
	if err != nil {
		return err
	}
	const kept = "nothing is written; features from extract, given with --features, save the most time"
	failed, err := evalFeatures(cmd, f, c, parts)
	if err != nil {
		return cli.Kept(err, kept)
	}

	var all []scores
	var out []compared
	for _, p := range parts {
		s, rows, err := score(cmd, c, p, opt, f.photos.Jobs)
		if err != nil {
			return cli.Kept(flagError(err), kept)
		}
		s.Split = f.split
		all, out = append(all, s), append(out, rows...)
	}
	if file != nil {
		if err := writeRows(file, out); err != nil {
			return err
		}
		if err := file.Commit(); err != nil {
			return err
		}
	}
	if f.json {
		err = cli.WriteJSON(cmd.OutOrStdout(), all)
	} else {
		err = printScores(cmd.OutOrStdout(), all)
	}
	if err != nil {
		return err
	}
	return cli.PhotosFailed(failed, len(out)+failed)
}

// evalFeatures gives the photos their features: from files, or by the model's
// own CNN. It returns how many photos failed.
func evalFeatures(cmd *cobra.Command, f *evalFlags, c *captioner.Captioner, parts []*dataset.Set) (failed int, err error) {
	ctx, stderr := cmd.Context(), cmd.ErrOrStderr()
	if files := f.data.features; len(files) > 0 {
		t, err := readFeatures(ctx, files...)
		if err != nil {
			return 0, err
		}
		if want := c.Info().Features; t.Size != want {
			return 0, fmt.Errorf("%s: vectors of %d values, the model takes %d: they come from another CNN", files[0], t.Size, want)
		}
		notePrecision(t, f.model.Precision, stderr)
		if err := attach(t, parts, f.photos.Notes(stderr)); err != nil {
			return 0, err
		}
		return 0, f.data.check(ctx, c.Extractor(), f.photos.Limits(), stderr, "the model's CNN",
			": extract them with the model's own CNN and preprocessing, or leave --features out", parts...)
	}
	defer f.photos.LimitMemory(c.Info().CNN)()
	stream := f.photos.Stream()
	n := 0
	for _, s := range parts {
		n += len(s.Photos)
	}
	progress := cli.NewProgress(stderr, "extracting", n, f.photos.Quiet)
	defer progress.Close()
	report := func(r features.Result) error { return progress.Photo(cmd.CommandPath(), r) }
	return dataset.Extract(ctx, c.Extractor(), &stream, report, parts...)
}

// score captions a data set and compares with its captions.
func score(cmd *cobra.Command, c *captioner.Captioner, set *dataset.Set, opt *captioner.Options, jobs int) (scores, []compared, error) {
	vectors := make([][]float32, len(set.Photos))
	for i, p := range set.Photos {
		vectors[i] = p.Features
	}
	captions, err := c.CaptionBatch(cmd.Context(), vectors, opt, jobs)
	if err != nil {
		return scores{}, nil, err
	}
	rows := make([]compared, len(captions))
	hyps := make([][]string, len(captions))
	refs := make([][][]string, len(captions))
	for i, p := range set.Photos {
		text := captions[i][0].Text
		hyps[i] = vocab.Tokenize(text)
		rows[i] = compared{ImageID: cli.RawString(p.Name), Caption: text, Set: cli.RawString(set.Name)}
		for _, ref := range p.Captions {
			words := vocab.Tokenize(ref)
			refs[i] = append(refs[i], words)
			rows[i].References = append(rows[i].References, strings.Join(words, " "))
		}
	}
	m := metrics.Score(hyps, refs)
	s := scores{Set: cli.RawString(set.Name), Photos: len(rows), ROUGEL: 100 * m.ROUGEL, CIDErD: 100 * m.CIDErD}
	for i := range s.BLEU {
		s.BLEU[i] = 100 * m.BLEU[i]
	}
	return s, rows, nil
}

func printScores(w io.Writer, all []scores) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "set\tsplit\tphotos\tBLEU-1\tBLEU-2\tBLEU-3\tBLEU-4\tROUGE-L\tCIDEr-D\t")
	for _, s := range all {
		cli.Fprintf(t, "%s\t%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", string(s.Set), s.Split, s.Photos, s.BLEU[0], s.BLEU[1], s.BLEU[2], s.BLEU[3], s.ROUGEL, s.CIDErD)
	}
	return t.Flush()
}

// writeRows writes a JSON array, an element a line.
func writeRows(w io.Writer, rows []compared) error {
	b := bufio.NewWriter(w)
	before := "[\n"
	for _, r := range rows {
		row, err := cli.JSON(r)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "%s%s", before, row)
		before = ",\n"
	}
	b.WriteString("\n]\n") // the first error stays in b
	return b.Flush()
}
