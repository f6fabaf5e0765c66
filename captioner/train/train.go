package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/rnn"
	"github.com/onetomany/caption/internal/message"
	G "gorgonia.org/gorgonia"
)

// Epoch is the record of an epoch.
type Epoch struct {
	Epoch  int       `json:"epoch"`  // from 1
	Loss   float64   `json:"loss"`   // mean training loss over its steps, in nats a word, with dropout and smoothing
	Scores []float64 `json:"scores"` // CIDEr-D of each validation set, 0..10 as in the COCO code
	Score  float64   `json:"score"`  // their mean
}

// Event reports the progress of a run: after each step, and after each epoch.
type Event struct {
	Epoch, Epochs int     // from 1
	Step, Steps   int     // in the epoch, from 1
	Loss          float64 // of the step
	Rate          float64 // learning rate of the step
	Tokens        int     // words that the step predicted
	Done          *Epoch  // after the last step of an epoch and its validation; else nil
	Best          bool    // with Done: this is the best epoch so far
	Resumed       int     // epochs that came from the checkpoint
}

// Result is the outcome of a run.
type Result struct {
	Decoder *captioner.Decoder // averaged weights of the best epoch
	Best    int                // that epoch, from 1
	History []Epoch            // all epochs, also those before a resume
}

// run is a training run: its data, and its state between two epochs.
type run struct {
	data     *Data
	opt      Options
	digest   string
	examples []example
	features []float32 // [photos,D] standardised

	weights *captioner.Decoder // as trained
	average *captioner.Decoder // moving average
	best    *captioner.Decoder // average after the best epoch
	graph   *graph
	adam    *adam

	history []Epoch // of the finished epochs
	bestAt  int     // epoch of best, from 1; 0 before the first
}

// Run trains a decoder. A nil opt means Defaults. report, unless nil, is called after
// every step, on Run's goroutine.
//
// When ctx is done, Run returns its error at the next step; the checkpoint then holds
// the last finished epoch. A nil ctx is an error.
func Run(ctx context.Context, data *Data, opt *Options, report func(Event)) (_ *Result, err error) {
	defer func() { err = message.Error(err) }() // names of sets and files are the user's
	if ctx == nil {
		return nil, errors.New("train: the context is nil: context.Background() will do")
	}
	if opt == nil {
		opt = Defaults()
	}
	if report == nil {
		report = func(Event) {}
	}
	r, err := newRun(data, *opt)
	if err != nil {
		return nil, err
	}
	if err := r.load(); err != nil {
		return nil, err
	}
	resumed := len(r.history)
	for !r.finished() {
		if err := r.epoch(ctx, func(e Event) {
			e.Resumed = resumed
			report(e)
		}); err != nil {
			return nil, err
		}
	}
	return &Result{Decoder: r.best, Best: r.bestAt, History: r.history}, nil
}

func newRun(data *Data, opt Options) (*run, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	D, err := data.check()
	if err != nil {
		return nil, err
	}
	r := &run{data: data, opt: opt, digest: data.digest()}
	r.examples = data.examples(opt.MaxWords)
	form := captioner.Form{Cell: opt.Cell, Entry: opt.Entry, Features: []int{D}, E: opt.Embed, H: opt.Hidden, V: data.Vocab.Len()}
	if err := form.Validate(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	rows := maxRows(r.examples, opt.Batch)
	if err := checkMemory(form, rows); err != nil {
		return nil, err
	}
	mean, std, v := standardise(data.Features, D)
	r.features = v
	for _, d := range []**captioner.Decoder{&r.weights, &r.average, &r.best} {
		if *d, err = captioner.NewDecoder(form); err != nil {
			return nil, err
		}
		(*d).Weights["feature.mean"], (*d).Weights["feature.std"] = mean, std
	}
	initialise(r.weights, opt.Seed)
	copyWeights(r.average, r.weights)

	if r.graph, err = newGraph(r.weights, rows, opt.Smooth, opt.Threads); err != nil {
		return nil, err
	}
	r.adam = newAdam(values(r.average), opt.Clip, opt.Average, opt.Threads)
	return r, nil
}

// checkMemory refuses a batch size whose largest batch, of so many rows, takes absurd
// memory: the logits, the inputs and the gates of each row, all with their gradients.
func checkMemory(f captioner.Form, rows int) error {
	const limit = min(1<<33, math.MaxInt/2) // bytes
	gates := len(rnn.Find(string(f.Cell)).Gates)
	bytes := 4 * 2 * int64(rows) * int64(f.V+2*f.E+(2*gates+3)*f.H)
	if bytes > limit {
		return &OptionError{"Batch", fmt.Sprintf("a step takes %d MiB, more than the limit of %d", bytes>>20, limit>>20)}
	}
	return nil
}

// finished reports whether all epochs are done, or the score has stopped rising.
func (r *run) finished() bool {
	n := len(r.history)
	return n >= r.opt.Epochs || r.opt.Patience > 0 && len(r.data.Val) > 0 && n-r.bestAt >= r.opt.Patience
}

// epoch trains on every caption once, validates and saves.
func (r *run) epoch(ctx context.Context, report func(Event)) error {
	n := len(r.history)
	order := source(r.opt.Seed, streamShuffle, uint64(n)).Perm(len(r.examples))
	steps := (len(order) + r.opt.Batch - 1) / r.opt.Batch
	e := Event{Epoch: n + 1, Epochs: r.opt.Epochs, Steps: steps}
	picked := make([]example, 0, r.opt.Batch)
	var loss float64
	for i := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		picked = picked[:0]
		for _, k := range order[i*r.opt.Batch : min(len(order), (i+1)*r.opt.Batch)] {
			picked = append(picked, r.examples[k])
		}
		var err error
		e.Step = i + 1
		e.Rate = r.opt.Rate / 2 * (1 + math.Cos(math.Pi*float64(r.adam.step)/float64(steps*r.opt.Epochs)))
		if e.Loss, err = r.step(picked, e.Rate); err != nil {
			return err
		}
		e.Tokens = r.graph.batch.rows() - r.graph.batch.n
		loss += e.Loss
		report(e)
	}
	done, err := r.validate(ctx, Epoch{Epoch: n + 1, Loss: loss / float64(steps)})
	if err != nil {
		return err
	}
	r.history = append(r.history, done)
	if r.bestAt == 0 || len(r.data.Val) == 0 || done.Score > r.history[r.bestAt-1].Score {
		r.bestAt = done.Epoch
		copyWeights(r.best, r.average)
		e.Best = true
	}
	if err := r.save(); err != nil {
		return err
	}
	e.Done = &done
	report(e)
	return nil
}

// step trains on one batch and returns its loss.
func (r *run) step(examples []example, rate float64) (float64, error) {
	b := r.graph.batch
	b.pack(examples, r.features, r.weights.D())
	b.key = keyOf(r.opt.Seed, streamDropoutIn, uint64(r.adam.step))
	b.drop = r.opt.Dropout
	loss, err := r.graph.run()
	if err != nil {
		return 0, err
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return 0, fmt.Errorf("train: the loss of step %d is not finite: lower the learning rate", r.adam.step+1)
	}
	r.adam.rate = rate
	return loss, r.adam.Step(G.NodesToValueGrads(r.graph.params))
}
