package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/train"
	"github.com/onetomany/caption/cnn"
	"github.com/onetomany/caption/features"
	"github.com/onetomany/caption/internal/atomicfile"
	"github.com/onetomany/caption/internal/cli"
	"github.com/onetomany/caption/internal/dataset"
)

type trainFlags struct {
	data     []string
	out      string
	features []string
	network  cli.NetworkFlags
	cell     string
	image    string
	minCount int
	float16  bool
	name     string
	photo    string
	card     string
	rights   string
	keep     bool
	memory   cli.Size
	quiet    bool
	options  *train.Options
}

func newTrain() *cobra.Command {
	f := trainFlags{options: train.Defaults()}
	o := f.options
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
		RunE: func(cmd *cobra.Command, args []string) error { return runTrain(cmd, &f) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringArrayVar(&f.data, "data", nil, "data set at `PATH`; may be given again")
	fs.StringVarP(&f.out, "out", "o", "", "`DIR` of the model to write")
	f.network.Register(cmd)
	fs.StringArrayVar(&f.features, "features", nil, "feature `FILE` that extract wrote with this CNN, instead of running it; may be given again")
	fs.StringVar(&f.cell, "cell", string(o.Cell), "recurrent `CELL`: rnn, lstm or gru")
	fs.StringVar(&f.image, "image", string(o.Entry), "`WHEN` the image enters the decoder: once at its init, or at every word")
	fs.IntVar(&o.Hidden, "hidden", o.Hidden, "size of the hidden state")
	fs.IntVar(&o.Embed, "embed", o.Embed, "size of the word embedding")
	fs.IntVar(&f.minCount, "min-count", 5, "words seen less often in the training captions are unknown")
	fs.IntVar(&o.Epochs, "epochs", o.Epochs, "passes over the captions")
	fs.IntVar(&o.Batch, "batch", o.Batch, "captions a step")
	fs.Float64Var(&o.Rate, "rate", o.Rate, "learning rate at the start")
	fs.Float64Var(&o.Dropout, "dropout", o.Dropout, "share of the decoder's inputs and outputs dropped in training")
	fs.Float64Var(&o.Smooth, "smooth", o.Smooth, "label smoothing")
	fs.Float64Var(&o.Clip, "clip", o.Clip, "largest norm of a step's gradient; 0 is no limit")
	fs.Float64Var(&o.Average, "average", o.Average, "decay of the moving average of the weights; 0 is none")
	fs.IntVar(&o.Patience, "patience", o.Patience, "stop after so many epochs without a better score; 0 is never")
	fs.Int64Var(&o.Seed, "seed", o.Seed, "the same data, options and seed give the same model")
	fs.IntVarP(&o.Threads, "jobs", "j", 0, "threads (default: one a processor)")
	cli.AddMaxMemory(cmd, &f.memory)
	fs.BoolVar(&f.float16, "float16", false, "store the weights of CNN and decoder in half the room")
	fs.StringVar(&f.name, "name", "", "name of the model (default: that of DIR)")
	fs.StringVar(&f.photo, "photo", "", "`FILE` of a photo that goes into the model for caption verify (default: one of the val split)")
	fs.StringVar(&f.card, "card", "", "`FILE` that becomes the model card, README.md (default: a short one)")
	fs.StringVar(&f.rights, "rights", "", "what the data allow, for the model card")
	fs.BoolVar(&f.keep, "keep", false, "keep DIR.train when the model is written")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	cli.Complete(cmd, "cell", captioner.Cells()...)
	cli.Complete(cmd, "image", captioner.Entries()...)
	cli.Complete(cmd, "resize", features.Squash, features.Crop)
	cli.CompleteCNN(cmd)
	cmd.MarkFlagDirname("out")
	return cmd
}

func runTrain(cmd *cobra.Command, f *trainFlags) error {
	ctx, stderr, o := cmd.Context(), cmd.ErrOrStderr(), f.options
	switch {
	case f.out == "":
		return cli.Usagef("-o DIR is missing: say where to write the model")
	case f.minCount < 1:
		return cli.Usagef("--min-count %d: want 1 or more", f.minCount)
	}
	if err := cli.CheckJobs(o.Threads); err != nil {
		return err
	}
	o.Cell, o.Entry = captioner.Cell(f.cell), captioner.Entry(f.image)
	if err := o.Validate(); err != nil {
		return trainFlagError(err)
	}
	out, err := outFolder(f.out)
	if err != nil {
		return err
	}
	extras, err := f.readExtras()
	if err != nil {
		return err
	}
	sets, err := openData(ctx, f.data, len(f.features) > 0, cli.Notes(stderr, f.quiet))
	if err != nil {
		return err
	}
	trains, vals := take(sets, dataset.Train), take(sets, dataset.Val)
	if len(trains) == 0 {
		return noPhotos(f.data, dataset.Train, sets)
	}
	if err := checkWords(trains, f.minCount); err != nil {
		return err
	}
	network, err := f.network.Open(ctx, 1)
	if err != nil {
		return err
	}
	work := out + ".train"
	release, err := lockWork(work, out)
	if err != nil {
		return err
	}
	defer release()
	if f.float16 {
		if network, err = halve(network, work); err != nil {
			return err
		}
	}

	failed := 0
	if len(f.features) > 0 {
		err = f.read(ctx, network, stderr, trains, vals)
	} else {
		failed, err = f.extract(ctx, network, work, stderr, trains, vals)
	}
	if err != nil {
		return err
	}

	data := trainingData(trains, vals, f.minCount)
	o.Checkpoint = filepath.Join(work, "checkpoint")
	if !f.quiet {
		photos, captions := count(trains)
		cli.Message(stderr, "training on %s of %s, %d words, %s %d", cli.Count(captions, "caption"), cli.Count(photos, "photo"), data.Vocab.Len(), o.Cell, o.Hidden)
	}
	log := newTrainLog(stderr, f.quiet, vals)
	result, err := train.Run(ctx, data, o, log.event)
	log.close()
	if err != nil {
		err = trainFlagError(err)
		switch {
		case log.finished > 0:
			return cli.Kept(err, "%d finished epochs are kept in %s; the same command goes on from there", log.finished, work)
		case len(f.features) > 0:
			return cli.Kept(err, "no epoch was finished yet")
		}
		return cli.Kept(err, "the features are kept in %s; the same command goes on from there", work)
	}
	m, err := f.model(cmd, out, network, result, data.Vocab, extras, trains, vals)
	if err != nil {
		return err
	}
	if err := captioner.Save(out, m); err != nil {
		return err
	}
	if !f.keep {
		if err := os.RemoveAll(work); err != nil {
			return err
		}
	}
	if !f.quiet {
		cli.Message(stderr, "model written to %s", f.out)
	}
	return cli.PhotosFailed(failed, failed+1)
}

// trainFlagError names the flag of an option that train refuses.
func trainFlagError(err error) error {
	oe, ok := errors.AsType[*train.OptionError](err)
	if !ok {
		return err
	}
	flag := map[string]string{"Entry": "image", "Threads": "jobs"}[oe.Field]
	return cli.Usagef("--%s: %s", cmp.Or(flag, kebab(oe.Field)), oe.Problem)
}

// halve opens the network with its weights rounded to float16, so that the
// decoder is trained on what the model will hold.
func halve(n *cli.Network, work string) (*cli.Network, error) {
	b, err := cnn.Float16(n.FS, n.Files[0])
	if err != nil {
		return nil, err
	}
	const file = "cnn.onnx"
	err = atomicfile.WriteFile(filepath.Join(work, file), func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	half := *n
	half.FS, half.Files = os.DirFS(work), []string{file}
	info := n.Net.Info()
	half.Net, err = cnn.OpenFS(half.FS, file, &cnn.Options{Layer: n.Layer, Height: info.Height, Width: info.Width, Precision: info.Precision, Threads: 1})
	return &half, err
}

// extract runs the photos through the network. Their features are kept in the
// folder work, in a file that is named after the photos, so that a run on other
// photos does not take them for its own.
func (f *trainFlags) extract(ctx context.Context, n *cli.Network, work string, stderr io.Writer, parts ...[]photoSet) (failed int, err error) {
	var sources []features.Source
	id := sha256.New()
	for _, p := range slices.Concat(parts...) {
		for _, photo := range p.photos {
			src := features.FileSource(photo.Path)
			fmt.Fprintf(id, "%q %q\n", src.Name, src.Stamp)
			sources = append(sources, src)
		}
	}
	file := filepath.Join(work, fmt.Sprintf("features-%.4x.safetensors", id.Sum(nil)))
	e := cli.Extraction{
		Network: n, Path: file, Jobs: f.options.Threads, Memory: f.memory,
		Quiet: f.quiet, Stderr: stderr, Program: "caption train", Reuse: true,
	}
	sum, err := e.Run(ctx, sources)
	if err != nil {
		return 0, err
	}
	t, err := readFeatures(ctx, []string{file})
	if err != nil {
		return 0, err
	}
	for _, p := range parts {
		if err := t.attach(p, stderr); err != nil {
			return 0, err
		}
	}
	return sum.Failed, nil
}

func count(sets []photoSet) (photos, captions int) {
	for _, s := range sets {
		photos += len(s.photos)
		for _, p := range s.photos {
			captions += len(p.Captions)
		}
	}
	return photos, captions
}
