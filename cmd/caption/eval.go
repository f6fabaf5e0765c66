package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/dataset"
	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/metrics"
	"github.com/onetomany/caption/vocab"
)

// evaluation is the command caption eval: its flags, and what they come to.
type evaluation struct {
	model    cli.ModelFlags
	data     dataFlags
	split    string
	decoding decodingFlags
	out      string
	json     bool
	photos   cli.PhotoFlags

	cmd    *cobra.Command
	c      *captioner.Captioner
	scores []scores // of each data set
	rows   []string // of --out
}

func newEval() *cobra.Command {
	var e evaluation
	cmd := &cobra.Command{
		Use:   "eval [flags] --data PATH",
		Short: "Score a model on photos with captions",
		Long: `eval captions the photos of a data set and scores that against the captions there:
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
		RunE: func(cmd *cobra.Command, args []string) error { return e.run(cmd) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	e.model.Register(cmd)
	cli.AddPrecision(cmd, &e.model.Precision)
	fs.StringArrayVar(&e.data.sets, "data", nil, "data set at `PATH`; may be given again")
	fs.StringVar(&e.split, "split", "val", "part of the data set, `SPLIT`: train, val or test")
	fs.StringArrayVar(&e.data.features, "features", nil, "feature `FILE` of the photos, as extract writes it; may be given again")
	e.decoding.register(fs, "num")
	fs.StringVarP(&e.out, "out", "o", "", "`FILE` to write the captions to, as JSON")
	fs.BoolVar(&e.json, "json", false, "print the scores as JSON")
	e.photos.Register(cmd, "photos at a time", "no progress")
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

func (e *evaluation) run(cmd *cobra.Command) error {
	e.cmd = cmd
	ctx := cmd.Context()
	opt, err := e.decoding.options(cmd.Flags())
	if err != nil {
		return err
	}
	if err := e.photos.Check(); err != nil {
		return err
	}
	if !slices.Contains(splits, e.split) {
		return cli.Usagef("--split %s: want one of %s", e.split, strings.Join(splits, ", "))
	}
	sets, err := e.data.open(ctx, e.photos.Notes(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	if e.c, err = e.model.Open(ctx, captioner.Loader{}); err != nil {
		return err
	}
	var file *atomicfile.File
	if e.out != "" { // now, so that a slip in the path does not cost the evaluation
		if file, err = atomicfile.Create(e.out); err != nil {
			return err
		}
		defer file.Close()
	}
	parts, err := e.data.split(sets, e.split)
	if err != nil {
		return err
	}
	const kept = "nothing is written; features from extract, given with --features, save the most time"
	failed := 0
	if len(e.data.features) > 0 {
		err = e.data.read(cmd, &e.photos, cnnOf{
			e.c.Extractor(), e.model.Precision, "the model's CNN",
			fmt.Sprintf("the model takes %d: they come from another CNN", e.c.Info().Features),
			": extract them with the model's own CNN and preprocessing, or leave --features out",
		}, parts)
	} else {
		failed, err = e.extract(parts)
	}
	if err != nil {
		return cli.Kept(err, kept)
	}
	for _, p := range parts {
		if err := e.score(p, opt); err != nil {
			return cli.Kept(flagError(err), kept)
		}
	}
	if file != nil {
		fmt.Fprintf(file, "[\n%s\n]\n", strings.Join(e.rows, ",\n")) // Commit has its error
		if err := file.Commit(); err != nil {
			return err
		}
	}
	if e.json {
		err = cli.WriteJSON(cmd.OutOrStdout(), e.scores)
	} else {
		err = printScores(cmd.OutOrStdout(), e.scores)
	}
	if err != nil {
		return err
	}
	return cli.PhotosFailed(failed, len(e.rows)+failed)
}

// extract gives the photos the features that the model's CNN computes.
func (e *evaluation) extract(parts []*dataset.Set) (failed int, err error) {
	defer e.photos.LimitMemory(e.c.Info().CNN)()
	stream := e.photos.Stream()
	n := 0
	for _, s := range parts {
		n += len(s.Photos)
	}
	progress := cli.NewProgress(e.cmd.ErrOrStderr(), "extracting", n, e.photos.Quiet)
	defer progress.Close()
	report := func(r features.Result) error { return progress.Photo(e.cmd.CommandPath(), r) }
	return dataset.Extract(e.cmd.Context(), e.c.Extractor(), &stream, report, parts...)
}

// score captions the photos of a data set and scores that against their captions.
func (e *evaluation) score(set *dataset.Set, opt *captioner.Options) error {
	n := len(set.Photos)
	vectors, hyps, refs := make([][]float32, n), make([][]string, n), make([][][]string, n)
	for i, p := range set.Photos {
		vectors[i] = p.Features
	}
	captions, err := e.c.CaptionBatch(e.cmd.Context(), vectors, opt, e.photos.Jobs)
	if err != nil {
		return err
	}
	for i, p := range set.Photos {
		text := captions[i][0].Text
		hyps[i] = vocab.Tokenize(text)
		row := compared{ImageID: cli.RawString(p.Name), Caption: text, Set: cli.RawString(set.Name)}
		for _, c := range p.Captions {
			words := vocab.Tokenize(c)
			refs[i] = append(refs[i], words)
			row.References = append(row.References, strings.Join(words, " "))
		}
		b, err := cli.JSON(row)
		if err != nil {
			return err
		}
		e.rows = append(e.rows, string(b))
	}
	m := metrics.Score(hyps, refs)
	for i := range m.BLEU {
		m.BLEU[i] *= 100
	}
	e.scores = append(e.scores, scores{cli.RawString(set.Name), e.split, n, m.BLEU, 100 * m.ROUGEL, 100 * m.CIDErD})
	return nil
}

func printScores(w io.Writer, all []scores) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "set\tsplit\tphotos\tBLEU-1\tBLEU-2\tBLEU-3\tBLEU-4\tROUGE-L\tCIDEr-D\t")
	for _, s := range all {
		cli.Fprintf(t, "%s\t%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", string(s.Set), s.Split, s.Photos, s.BLEU[0], s.BLEU[1], s.BLEU[2], s.BLEU[3], s.ROUGEL, s.CIDErD)
	}
	return t.Flush()
}
