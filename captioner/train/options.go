package train

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/onetomany/caption/captioner"
)

// Options says what is trained and how. nil means Defaults; start from those to
// change some, for zero is a value like any other (Dropout 0 is no dropout).
type Options struct {
	Cell   captioner.Cell  // kind of recurrent cell
	Entry  captioner.Entry // how the image enters
	Embed  int             // size of the cell's input
	Hidden int             // size of the cell's state

	Epochs  int     // passes over the captions; the learning rate reaches 0 with the last one
	Batch   int     // captions a step
	Rate    float64 // learning rate of Adam at the start; falls as half a cosine, step by step
	Dropout float64 // share of the cell's inputs, and of its outputs, set to 0 in training
	Smooth  float64 // label smoothing: share of the target's probability spread over all words
	Clip    float64 // largest norm of the gradient of a step; 0 is no limit
	Average float64 // decay of the moving average of the weights, which is what is validated and kept; 0 is no average

	// MaxWords is the number of words after which a training caption is truncated;
	// that it ends there is not learnt.
	MaxWords int

	// Patience is the number of epochs without a better score on the
	// validation photos after which training stops; 0 is no early stopping.
	Patience int

	// Generate says how sentences are written for the validation photos; nil
	// means captioner.Defaults.
	Generate *captioner.Options

	// Seed of all that is random. The same data, options and seed give the same
	// weights, bit for bit, on processors with the same vector instructions.
	Seed int64

	// Threads is the number of goroutines that compute; 0 means one a
	// processor. The result does not depend on it.
	Threads int

	// Checkpoint is a file for the state of the run after each epoch; "" means
	// none. If it exists, the run resumes from it, and ends with the same bits as
	// a run without interruption.
	Checkpoint string
}

// Defaults returns the options of the default model: an LSTM of 512 units that sees
// the image at every step.
func Defaults() *Options {
	return &Options{
		Cell: captioner.LSTM, Entry: captioner.Every, Embed: 512, Hidden: 512,
		Epochs: 12, Batch: 100, Rate: 1e-3, Dropout: 0.5, Smooth: 0.1, Clip: 5, Average: 0.998,
		MaxWords: 40, Patience: 4, Seed: 1,
	}
}

// An OptionError reports a field of Options that is out of range.
type OptionError struct {
	Field   string // name of the field
	Problem string
}

func (e *OptionError) Error() string {
	return "train: option " + e.Field + ": " + e.Problem + "; Defaults gives all options a value"
}

// Validate says what is wrong with o, as an *OptionError; nil if nothing.
func (o *Options) Validate() error {
	if o == nil {
		return nil
	}
	v := *o
	return v.check()
}

// check fills in the number of threads and checks all else.
func (o *Options) check() error {
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	for _, f := range []struct {
		name, x string
		all     []string
	}{
		{"Cell", string(o.Cell), captioner.Cells()},
		{"Entry", string(o.Entry), captioner.Entries()},
	} {
		if !slices.Contains(f.all, f.x) {
			return &OptionError{f.name, fmt.Sprintf("%.50q is not one of %s", f.x, strings.Join(f.all, ", "))}
		}
	}
	if err := o.Generate.Validate(); err != nil {
		return &OptionError{"Generate", err.Error()}
	}
	for _, f := range []struct {
		name         string
		x, low, high float64
	}{
		{"Embed", float64(o.Embed), 1, 1 << 14},
		{"Hidden", float64(o.Hidden), 1, 1 << 14},
		{"Epochs", float64(o.Epochs), 1, 1 << 20},
		{"Batch", float64(o.Batch), 1, 1 << 16},
		{"Rate", o.Rate, 0, 1},
		{"Dropout", o.Dropout, 0, 0.99},
		{"Smooth", o.Smooth, 0, 0.99},
		{"Clip", o.Clip, 0, 1e9},
		{"Average", o.Average, 0, 0.999999},
		{"MaxWords", float64(o.MaxWords), 1, 1000},
		{"Patience", float64(o.Patience), 0, 1 << 20},
		{"Threads", float64(o.Threads), 1, 1 << 10},
	} {
		if !(f.x >= f.low && f.x <= f.high) { // NaN fails too
			return &OptionError{f.name, fmt.Sprintf("%.15g is not in %.15g..%.15g", f.x, f.low, f.high)}
		}
	}
	return nil
}
