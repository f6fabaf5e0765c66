package captioner

import (
	"fmt"
	"math"
)

// Options says how sentences are chosen. The zero value, and a nil *Options,
// mean the defaults: beam search of width 3, one caption.
//
// <pad>, <start> and <unk> are never written, and a caption has at least one word.
type Options struct {
	// Num is the number of captions a photo. 0 means 1. Beam search returns
	// them best first, all different; sampling in the order of drawing.
	Num int

	// Beam is the width of the beam search, raised to Num where it is less.
	// 0 means 3; 1 takes the most probable word at each step (greedy).
	Beam int

	// LengthPower is the exponent α of the length normalisation: beams are
	// ranked by log-probability / length^α, the length counted with the end
	// of the sentence. 0 means 0.7; a negative value means no normalisation.
	LengthPower float64

	// Sample draws words at random instead of searching; Beam and LengthPower
	// are not used then. Caption i of a photo depends on the features, the
	// options and Seed, and on nothing else.
	Sample bool

	// TopK restricts the draw to the k most probable words. 0 means 3, or no
	// restriction where TopP is set; a negative value means no restriction.
	TopK int

	// TopP restricts the draw to the smallest set of words, most probable
	// first, that reaches this probability. 0 means 1, no restriction.
	TopP float64

	// Temperature divides the logits before TopK and TopP. 0 means 1.
	Temperature float64

	// Seed of the random numbers. 0 means 1.
	Seed uint64

	// MaxWords is the largest number of words. 0 means 20. A sentence that
	// reaches it is ended there, and its log-probability includes that end.
	MaxWords int

	// NoRepeat is the number of words in a row that are never written twice:
	// with 3, "in a shirt and a shirt" is possible and "in a shirt and in a
	// shirt" is not. 0 means 3, which scored best on the validation photos of
	// the default model; a negative value means no restriction.
	NoRepeat int
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

func (e *OptionError) Error() string { return "captioner: option " + e.Field + ": " + e.Problem }

// Validate says what is wrong with o, as an *OptionError; nil if nothing.
func (o *Options) Validate() error {
	_, err := o.withDefaults()
	return err
}

// withDefaults returns a copy of o with every default filled in, or an *OptionError.
func (o *Options) withDefaults() (Options, error) {
	var v Options
	if o != nil {
		v = *o
	}
	set(&v.Num, 1)
	set(&v.Beam, 3)
	set(&v.MaxWords, 20)
	set(&v.Temperature, 1)
	set(&v.Seed, 1)
	set(&v.LengthPower, 0.7)
	set(&v.NoRepeat, 3)
	v.LengthPower = max(v.LengthPower, 0)
	switch {
	case v.TopK == 0 && v.TopP == 0:
		v.TopK = 3
	case v.TopK <= 0:
		v.TopK = maxVocab
	}
	set(&v.TopP, 1)

	for _, f := range []struct {
		name         string
		x, low, high float64
	}{
		{"Num", float64(v.Num), 1, maxBeam},
		{"Beam", float64(v.Beam), 1, maxBeam},
		{"MaxWords", float64(v.MaxWords), 1, maxWords},
		{"LengthPower", v.LengthPower, 0, 10},
		{"TopP", v.TopP, math.SmallestNonzeroFloat64, 1},
		{"Temperature", v.Temperature, 1e-3, 1e3},
	} {
		if !(f.x >= f.low && f.x <= f.high) { // NaN fails too
			return v, &OptionError{f.name, fmt.Sprintf("%.15g is not in %.15g..%.15g", f.x, f.low, f.high)}
		}
	}
	v.Beam = max(v.Beam, v.Num)
	return v, nil
}

func set[T comparable](x *T, def T) {
	var zero T
	if *x == zero {
		*x = def
	}
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
