package captioner

import (
	"fmt"
	"math"
)

// Options says how sentences are chosen. nil means Defaults; start from those to
// change some, for zero is a value like any other: NoRepeat 0 forbids nothing, as
// does --no-repeat 0 on the command line, and Beam 0 is refused.
//
// <pad>, <start> and <unk> are never written, and a caption has at least one word.
type Options struct {
	// Num is the number of captions a photo. Beam search returns them best
	// first, all different; sampling in the order of drawing.
	Num int

	// Beam is the width of the beam search, raised to Num where it is less;
	// 1 takes the most probable word at each step (greedy).
	Beam int

	// LengthPower is the exponent α of the length normalisation: beams are
	// ranked by log-probability / length^α, the length counted with the end
	// of the sentence. 0 ranks by the log-probability, which favours short ones.
	LengthPower float64

	// Sample draws words at random instead of searching; Beam and LengthPower
	// are not used then. Caption i of a photo depends on the features, the
	// options and Seed, and on nothing else.
	Sample bool

	// TopK restricts the draw to the k most probable words; 0 does not.
	TopK int

	// TopP restricts the draw to the smallest set of words, most probable
	// first, that reaches this probability; 1 does not. It restricts what TopK
	// leaves: set that to 0 to draw by TopP alone.
	TopP float64

	// Temperature divides the logits before TopK and TopP.
	Temperature float64

	// Seed of the random numbers, above 0.
	Seed uint64

	// MaxWords is the largest number of words. A sentence that reaches it is
	// ended there, and its log-probability includes that end.
	MaxWords int

	// NoRepeat is the number of words in a row that are never written twice:
	// with 3, "in a shirt and a shirt" is possible and "in a shirt and in a
	// shirt" is not. 0 is no restriction.
	NoRepeat int
}

// Defaults returns the options that are used where none are given: one caption by
// beam search. They scored best on the validation photos of the default model.
func Defaults() *Options {
	return &Options{
		Num: 1, Beam: 3, LengthPower: 0.7, MaxWords: 20, NoRepeat: 3,
		TopK: 3, TopP: 1, Temperature: 1, Seed: 1,
	}
}

const (
	maxBeam  = 1 << 10 // bounds the memory of a search: a row of logits a beam
	maxWords = 1 << 10
)

// An OptionError reports a field of Options that is out of range.
type OptionError struct {
	Field   string // name of the field
	Problem string
}

func (e *OptionError) Error() string {
	return "captioner: option " + e.Field + ": " + e.Problem + "; Defaults gives all options a value"
}

// Validate says what is wrong with o, as an *OptionError; nil if nothing.
func (o *Options) Validate() error {
	if o == nil {
		return nil
	}
	for _, f := range []struct {
		name         string
		x, low, high float64
	}{
		{"Num", float64(o.Num), 1, maxBeam},
		{"Beam", float64(o.Beam), 1, maxBeam},
		{"MaxWords", float64(o.MaxWords), 1, maxWords},
		{"NoRepeat", float64(o.NoRepeat), 0, math.Inf(1)},
		{"LengthPower", o.LengthPower, 0, 10},
		{"TopK", float64(o.TopK), 0, math.Inf(1)},
		{"TopP", o.TopP, math.SmallestNonzeroFloat64, 1},
		{"Temperature", o.Temperature, 1e-3, 1e3},
		{"Seed", float64(o.Seed), 1, math.Inf(1)},
	} {
		if !(f.x >= f.low && f.x <= f.high) { // NaN fails too
			return &OptionError{f.name, fmt.Sprintf("%.15g is not in %.15g..%.15g", f.x, f.low, f.high)}
		}
	}
	return nil
}

// checked returns a copy of o as the searches take it, or an *OptionError.
func (o *Options) checked() (Options, error) {
	if o == nil {
		o = Defaults()
	}
	v := *o
	if v.Beam = max(v.Beam, v.Num); v.TopK == 0 {
		v.TopK = maxVocab
	}
	return v, o.Validate()
}

// newSearch returns the search that o asks for, and how many branches begin with <start>.
func newSearch(o *Options, v int) (search, int) {
	if o.Sample {
		return newSampler(o, v), o.Num
	}
	return &beam{o: o, vocab: v, live: make([]branch, 1)}, 1
}

// Hypothesis is a sentence as word ids.
type Hypothesis struct {
	IDs []int // without <start> and <end>

	// LogProb is the natural logarithm of the probability that the model gives
	// to the whole sentence, its end included. It and LogProbs come from the
	// softmax over all words, at temperature 1, suppressed words counted: the
	// strategy decides what is written, never what it is worth.
	LogProb  float64
	LogProbs []float64 // of each word
}
