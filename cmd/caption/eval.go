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
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/cli"
	"github.com/onetomany/caption/internal/dataset"
	"github.com/onetomany/caption/internal/metrics"
	"github.com/onetomany/caption/vocab"
)

type evalFlags struct {
	model     string
	precision cnn.Precision
	data      []string
	split     string
	features  []string
	decoding  decodingFlags
	out       string
	json      bool
	jobs      int
	memory    cli.Size
	quiet     bool
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
	fs.StringVarP(&f.model, "model", "m", cli.DefaultModel, "`NAME` of a model or folder that holds one")
	cli.AddPrecision(cmd, &f.precision)
	fs.StringArrayVar(&f.data, "data", nil, "data set at `PATH`; may be given again")
	fs.StringVar(&f.split, "split", "val", "part of the data set, `SPLIT`: train, val or test")
	fs.StringArrayVar(&f.features, "features", nil, "feature `FILE` of the photos, as extract writes it; may be given again")
	f.decoding.register(fs)
	fs.StringVarP(&f.out, "out", "o", "", "`FILE` to write the captions to, as JSON")
	fs.BoolVar(&f.json, "json", false, "print the scores as JSON")
	fs.IntVarP(&f.jobs, "jobs", "j", 0, "photos at a time (default: one a processor)")
	cli.AddMaxMemory(cmd, &f.memory)
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
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
	if err := cli.CheckJobs(f.jobs); err != nil {
		return err
	}
	if !slices.Contains(splits, f.split) {
		return cli.Usagef("--split %s: want one of %s", f.split, strings.Join(splits, ", "))
	}
	sets, err := openData(cmd.Context(), f.data, len(f.features) > 0, cli.Notes(stderr, f.quiet))
	if err != nil {
		return err
	}
	c, err := cli.OpenModel(cmd.Context(), f.model, captioner.Loader{Precision: f.precision})
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
	parts := take(sets, f.split)
	if len(parts) == 0 {
		return noPhotos(f.data, f.split, sets)
	}
	const kept = "nothing is written; features from extract, given with --features, save the most time"
	failed, err := evalFeatures(cmd, f, c, parts)
	if err != nil {
		return cli.Kept(err, kept)
	}

	var all []scores
	var out []compared
	for _, p := range parts {
		s, rows, err := score(cmd, c, p, opt, f.jobs)
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
func evalFeatures(cmd *cobra.Command, f *evalFlags, c *captioner.Captioner, parts []photoSet) (failed int, err error) {
	if len(f.features) > 0 {
		t, err := readFeatures(cmd.Context(), f.features)
		if err != nil {
			return 0, err
		}
		if want := c.Info().Features; t.size != want {
			return 0, fmt.Errorf("%s: vectors of %d values, the model takes %d: they come from another CNN", f.features[0], t.size, want)
		}
		t.note(f.precision, cmd.ErrOrStderr())
		if err := t.attach(parts, cli.Notes(cmd.ErrOrStderr(), f.quiet)); err != nil {
			return 0, err
		}
		d, photo, err := compareFeatures(cmd.Context(), c.Extractor(), f.memory, parts)
		switch {
		case err != nil:
			return 0, err
		case photo == "":
			cli.Message(cmd.ErrOrStderr(), "no photo is at hand to check that the model's CNN gives these features")
		case !(d <= featureTolerance):
			return 0, fmt.Errorf("%s: the features of %s are not those that the model's CNN gives (relative difference %.2g): extract them with the model's own CNN and preprocessing, or leave --features out", f.features[0], photo, d)
		}
		return 0, nil
	}
	defer cli.LimitMemory(f.memory, c.Info().CNN, f.jobs, 1)()
	stream := &features.StreamOptions{Jobs: f.jobs, Limits: &features.Limits{MaxMemory: f.memory.Photos()}}
	return computeFeatures(cmd, c.Extractor(), stream, f.quiet, parts)
}

// score captions a data set and compares with its captions.
func score(cmd *cobra.Command, c *captioner.Captioner, p photoSet, opt *captioner.Options, jobs int) (scores, []compared, error) {
	captions, err := c.CaptionBatch(cmd.Context(), p.features, opt, jobs)
	if err != nil {
		return scores{}, nil, err
	}
	rows := make([]compared, len(p.photos))
	hyps := make([][]string, len(p.photos))
	refs := make([][][]string, len(p.photos))
	for i, photo := range p.photos {
		text := captions[i][0].Text
		hyps[i] = vocab.Tokenize(text)
		rows[i] = compared{ImageID: cli.RawString(photo.Name), Caption: text, Set: cli.RawString(p.name)}
		for _, ref := range photo.Captions {
			words := vocab.Tokenize(ref)
			refs[i] = append(refs[i], words)
			rows[i].References = append(rows[i].References, strings.Join(words, " "))
		}
	}
	m := metrics.Score(hyps, refs)
	s := scores{Set: cli.RawString(p.name), Photos: len(p.photos), ROUGEL: 100 * m.ROUGEL, CIDErD: 100 * m.CIDErD}
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
