package main

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/dataset"
	"github.com/onetomany/caption/captioner/train"
	"github.com/onetomany/caption/cmd/internal/byname"
	"github.com/onetomany/caption/cmd/internal/cli"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/message"
	"github.com/onetomany/caption/vocab"
)

// training is the command caption train: its flags, and what they come to.
type training struct {
	data     dataFlags
	out      string
	network  cli.NetworkFlags
	options  *train.Options
	minCount int
	model    captioner.Model // to be written
	photo    string
	card     string
	keep     bool
	photos   cli.PhotoFlags

	cmd          *cobra.Command
	notes        io.Writer // that -q leaves out
	work         string    // folder of what is kept until the model is written
	cnn          *byname.CNN
	trains, vals []*dataset.Set
}

func newTrain() *cobra.Command {
	o := train.Defaults()
	t := training{options: o}
	var when []string
	for _, e := range captioner.Entries() {
		when = append(when, captioner.Entry(e).When())
	}
	cmd := &cobra.Command{
		Use:   "train [flags] --data PATH -o DIR",
		Short: "Train a model on photos with captions",
		Long: `train runs the photos of a data set through a CNN, trains a recurrent decoder to
say their captions, and writes a model folder that caption -m takes.

--data takes a Flickr8k folder, a COCO or Karpathy JSON file, or a CSV, TSV or
JSONL file with the columns image, caption and split; give it again to train on
several data sets together. The decoder learns from their train splits; after
each epoch it captions the val splits, and the epoch with the best CIDEr-D is
kept.

Features and, after each epoch, the state of the training are kept in DIR.train
until the model is written. The same command goes on after an interruption, and
ends with the same model as if there had been none.`,
		Example: `  caption train --data flickr8k -o my-model
  caption train --data photos.csv --cnn resnet50.onnx -o my-model
  extract --cnn resnet50.onnx flickr8k/images -o flickr8k.npy
  caption train --data flickr8k --cnn resnet50.onnx --features flickr8k.npy -o my-model`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return t.run(cmd) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringArrayVar(&t.data.sets, "data", nil, "data set at `PATH`; may be given again")
	fs.StringVarP(&t.out, "out", "o", "", "`DIR` of the model to write")
	t.network.Register(cmd)
	fs.StringArrayVar(&t.data.features, "features", nil, "feature `FILE` that extract wrote with this CNN, instead of running it; may be given again")
	fs.StringVar((*string)(&o.Cell), "cell", string(o.Cell), "recurrent `CELL`: "+message.List("or", captioner.Cells()))
	fs.StringVar((*string)(&o.Entry), "image", string(o.Entry), "`WHEN` the image enters the decoder: "+strings.Join(when, ", or "))
	fs.IntVar(&o.Hidden, "hidden", o.Hidden, "size of the hidden state")
	fs.IntVar(&o.Embed, "embed", o.Embed, "size of the word embedding")
	fs.IntVar(&t.minCount, "min-count", 5, "words seen less often in the training captions are unknown")
	fs.IntVar(&o.Epochs, "epochs", o.Epochs, "passes over the captions")
	fs.IntVar(&o.Batch, "batch", o.Batch, "captions per step")
	fs.Float64Var(&o.Rate, "rate", o.Rate, "learning rate at the start")
	fs.Float64Var(&o.Dropout, "dropout", o.Dropout, "share of the decoder's inputs and outputs dropped in training")
	fs.Float64Var(&o.Smooth, "smooth", o.Smooth, "label smoothing")
	fs.Float64Var(&o.Clip, "clip", o.Clip, "largest norm of a step's gradient; 0 is no limit")
	fs.Float64Var(&o.Average, "average", o.Average, "decay of the moving average of the weights; 0 is none")
	fs.IntVar(&o.Patience, "patience", o.Patience, "stop after so many epochs without a better score; 0 is never")
	fs.Int64Var(&o.Seed, "seed", o.Seed, "the same data, options and seed give the same model")
	t.photos.RegisterJobs(cmd, "threads")
	fs.BoolVar(&t.model.Float16, "float16", false, "store the weights of CNN and decoder in half the room")
	fs.StringVar(&t.model.Name, "name", "", "name of the model (default: that of DIR)")
	fs.StringVar(&t.photo, "photo", "", "`FILE` of a photo that goes into the model for caption verify (default: one of the val split)")
	fs.StringVar(&t.card, "card", "", "`FILE` that becomes the model card, README.md (default: a short one)")
	fs.StringVar(&t.model.Rights, "rights", "", "what the data allow, for the model card")
	fs.BoolVar(&t.keep, "keep", false, "keep DIR.train when the model is written")
	t.photos.RegisterQuiet(cmd, "no progress")
	cli.Complete(cmd, "cell", captioner.Cells()...)
	cli.Complete(cmd, "image", captioner.Entries()...)
	cmd.MarkFlagDirname("out")
	return cmd
}

func (t *training) run(cmd *cobra.Command) error {
	t.cmd, t.notes = cmd, t.photos.Notes(cmd.ErrOrStderr())
	switch {
	case t.out == "":
		return cli.Usagef("-o DIR is missing: say where to write the model")
	case t.minCount < 1:
		return cli.Usagef("--min-count %d: want 1 or more", t.minCount)
	}
	if err := t.photos.Check(); err != nil {
		return err
	}
	t.options.Threads = t.photos.Jobs
	if err := t.options.Validate(); err != nil {
		return flagError(err)
	}
	out, err := outFolder(t.out)
	if err != nil {
		return err
	}
	if err := t.readExtras(); err != nil {
		return err
	}
	if err := t.openData(); err != nil {
		return err
	}
	if t.cnn, err = t.network.Open(cmd.Context()); err != nil {
		return err
	}
	t.work = out + ".train"
	release, err := lockWork(t.work, out)
	if err != nil {
		return err
	}
	defer release()
	if t.model.Float16 {
		if t.cnn, err = t.cnn.Float16(t.work); err != nil {
			return err
		}
	}

	failed := 0
	if len(t.data.features) > 0 {
		err = t.read()
	} else {
		failed, err = t.extract()
	}
	if err != nil {
		return err
	}
	if err := t.train(); err != nil {
		return err
	}
	t.model.Name = cmp.Or(t.model.Name, filepath.Base(out))
	if err := captioner.Save(out, &t.model); err != nil {
		return err
	}
	if !t.keep {
		if err := os.RemoveAll(t.work); err != nil {
			return err
		}
	}
	cli.Message(t.notes, "model written to %s", t.out)
	return cli.PhotosFailed(failed, failed+1)
}

func (t *training) openData() error {
	sets, err := t.data.open(t.cmd.Context(), t.notes)
	if err != nil {
		return err
	}
	if t.trains, err = t.data.split(sets, dataset.Train); err != nil {
		return err
	}
	t.vals = dataset.Split(sets, dataset.Val)
	data := train.NewData(t.trains, nil, t.minCount)
	if data.Vocab.Len() <= vocab.Unk+1 {
		return fmt.Errorf("no word is in the training captions --min-count %d times; give more captions or a smaller --min-count", t.minCount)
	}
	words, unknown := 0, 0
	for _, caption := range slices.Concat(data.Captions...) {
		words += len(caption)
		for _, id := range caption {
			if id == vocab.Unk {
				unknown++
			}
		}
	}
	if unknown > words/2 { // in Flickr8k it is 3 %
		cli.Message(t.cmd.ErrOrStderr(), "--min-count %d drops %d of the %d words of the training captions; give more captions or a smaller --min-count", t.minCount, unknown, words)
	}
	return nil
}

// extract runs the photos through the network. Their features are kept in the
// working folder, in a file that is named after the photos, so that a run on other
// photos does not take them for its own.
func (t *training) extract() (failed int, err error) {
	ctx, stderr := t.cmd.Context(), t.cmd.ErrOrStderr()
	sets := slices.Concat(t.trains, t.vals)
	sources := dataset.Sources(sets...)
	id := sha256.New()
	for _, src := range sources {
		fmt.Fprintf(id, "%q %q\n", src.Name, src.Stamp)
	}
	file := filepath.Join(t.work, fmt.Sprintf("features-%.4x.safetensors", id.Sum(nil)))
	e := cli.Extraction{PhotoFlags: t.photos, Network: t.cnn, Path: file, Stderr: stderr, Program: t.cmd.CommandPath(), Reuse: true}
	sum, err := e.Run(ctx, sources)
	if err != nil {
		return 0, err
	}
	f, err := readFeatures(ctx, file)
	if err != nil {
		return 0, err
	}
	return sum.Failed, attach(f, sets, stderr)
}

// read takes the features of --features.
func (t *training) read() error {
	x, err := features.NewExtractor(t.cnn.Net, t.cnn.Preprocessing)
	if err != nil {
		return err
	}
	const asForExtract = "; give --cnn, --size, --resize, --mean and --std as for extract"
	size := fmt.Sprintf("%s gives %v%s", t.cnn.Name, x.Shape(), asForExtract)
	return t.data.read(t.cmd, &t.photos, cnnOf{x, t.network.Precision, t.cnn.Name, size, asForExtract}, slices.Concat(t.trains, t.vals))
}

// train makes the decoder, and puts it and its history into the model.
func (t *training) train() error {
	o := t.options
	o.Checkpoint = filepath.Join(t.work, "checkpoint")
	data := train.NewData(t.trains, t.vals, t.minCount)
	photos, captions := len(data.Features), 0
	for _, s := range t.trains {
		captions += s.Captions()
	}
	cli.Message(t.notes, "training on %s of %s, %d words, %s %d", message.Count(captions, "caption"), message.Count(photos, "photo"), data.Vocab.Len(), o.Cell, o.Hidden)
	log := trainLog{stderr: t.cmd.ErrOrStderr(), notes: t.notes, quiet: t.photos.Quiet, vals: t.vals}
	result, err := train.Run(t.cmd.Context(), data, o, log.event)
	log.close()
	if err != nil {
		err = flagError(err)
		switch {
		case log.finished > 0:
			return cli.Kept(err, "%d finished epochs are kept in %s; the same command goes on from there", log.finished, t.work)
		case len(t.data.features) > 0:
			return cli.Kept(err, "no epoch was finished yet")
		}
		return cli.Kept(err, "the features are kept in %s; the same command goes on from there", t.work)
	}
	return t.fill(result, data.Vocab, photos, captions)
}
