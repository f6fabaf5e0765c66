package captioner

import (
	"errors"
	"fmt"

	"github.com/onetomany/caption/vocab"
)

// Cell is the kind of recurrent cell.
type Cell string

const (
	RNN  Cell = "rnn"
	LSTM Cell = "lstm"
	GRU  Cell = "gru"
)

// gates is the number of row blocks of Wx and Wh, 0 for an unknown cell.
func (c Cell) gates() int {
	switch c {
	case RNN:
		return 1
	case GRU:
		return 3
	case LSTM:
		return 4
	}
	return 0
}

// Entry is how the image enters the decoder.
type Entry string

const (
	// Init feeds the projected features as the first input, in front of
	// <start>, and never again (Vinyals et al. 2015, "Show and Tell").
	Init Entry = "init"
	// Every does that and adds a second projection of the features to the
	// input of every word: h = tanh(Whh·h + Wxh·x + Wih·v + b) with
	// Wih = Wxh·Pevery kept factored.
	Every Entry = "every"
)

// Decoder holds the weights of a recurrent decoder, row-major. With D the
// feature size, E the embedding size, H the hidden size, V the vocabulary size
// and G the number of gates (1 for RNN, 3 for GRU, 4 for LSTM):
//
//	v  = (features − Mean) / Std                                        [D]
//	x₀ = FirstW·v + FirstB; x_t = Embed[w_t] (+ EveryW·v + EveryB)      [E]
//	RNN:  h = tanh(Wx·x + Wh·h + B)
//	LSTM: gates i, f, o, g in this order of rows; c = f∘c + i∘g; h = o∘tanh(c)
//	GRU:  gates r, z, n in this order; n = tanh(Wx·x + B + r∘(Wh·h + BHn)); h = (1−z)∘n + z∘h
//	logits = OutW·h + OutB                                              [V]
//
// The logits after x₀ are not used; <start> is the input of step 1.
type Decoder struct {
	Cell           Cell
	Entry          Entry
	D, E, H, V     int
	Mean, Std      []float32 // [D]
	FirstW, FirstB []float32 // [E,D], [E]
	EveryW, EveryB []float32 // [E,D], [E]; nil for Init
	Embed          []float32 // [V,E]
	Wx, Wh, B      []float32 // [G·H,E], [G·H,H], [G·H]
	BHn            []float32 // [H]; GRU only
	OutW, OutB     []float32 // [V,H], [V]
}

// Limits on the sizes of a decoder: far above what captions need, low enough
// that no file makes a reader ask for absurd memory.
const (
	maxSize    = 1 << 16 // D, E and H
	maxVocab   = vocab.MaxWords
	maxWeights = 1 << 28 // numbers in all, 1 GiB
	minVocab   = 5       // the special tokens and one word
)

// weight is one tensor of a Decoder under the name that it has in a
// decoder.safetensors file.
type weight struct {
	name  string
	shape []int
	data  *[]float32
}

// size is the number of elements: at most 2³⁴ for sizes within their limits.
func (w weight) size() int64 {
	n := int64(1)
	for _, d := range w.shape {
		n *= int64(d)
	}
	return n
}

// weights lists the tensors that a decoder of these sizes has, in file order.
func (d *Decoder) weights() []weight {
	g := d.Cell.gates()
	w := []weight{
		{"feature.mean", []int{d.D}, &d.Mean},
		{"feature.std", []int{d.D}, &d.Std},
		{"image.first.weight", []int{d.E, d.D}, &d.FirstW},
		{"image.first.bias", []int{d.E}, &d.FirstB},
	}
	if d.Entry == Every {
		w = append(w,
			weight{"image.every.weight", []int{d.E, d.D}, &d.EveryW},
			weight{"image.every.bias", []int{d.E}, &d.EveryB})
	}
	w = append(w,
		weight{"embed.weight", []int{d.V, d.E}, &d.Embed},
		weight{"cell.wx", []int{g * d.H, d.E}, &d.Wx},
		weight{"cell.wh", []int{g * d.H, d.H}, &d.Wh},
		weight{"cell.b", []int{g * d.H}, &d.B})
	if d.Cell == GRU {
		w = append(w, weight{"cell.bhn", []int{d.H}, &d.BHn})
	}
	return append(w,
		weight{"out.weight", []int{d.V, d.H}, &d.OutW},
		weight{"out.bias", []int{d.V}, &d.OutB})
}

// Parameters counts the trained weights that a decoder of these sizes has, the
// statistics of the features left out; 0 where ValidateSizes refuses the sizes.
func (d *Decoder) Parameters() int {
	if d.ValidateSizes() != nil {
		return 0
	}
	return int(d.parameters()) // at most maxWeights
}

// parameters is Parameters of sizes that are not known to be valid together.
func (d *Decoder) parameters() int64 {
	n := -2 * int64(d.D)
	for _, w := range d.weights() {
		n += w.size()
	}
	return n
}

// ValidateSizes checks the cell, the entry and the sizes D, E, H and V alone, before
// there are weights: each is within its limit, and all weights together are.
func (d *Decoder) ValidateSizes() error {
	if err := d.checkSizes(); err != nil {
		return fmt.Errorf("captioner: decoder: %w", err)
	}
	return nil
}

func (d *Decoder) checkSizes() error {
	if d == nil {
		return errors.New("none is given")
	}
	if d.Cell.gates() == 0 {
		return fmt.Errorf("cell %.50q is none of rnn, lstm, gru", d.Cell)
	}
	if d.Entry != Init && d.Entry != Every {
		return fmt.Errorf("entry %.50q is neither init nor every", d.Entry)
	}
	for _, s := range []struct {
		name         string
		n, low, high int
	}{
		{"feature size", d.D, 1, maxSize},
		{"embedding size", d.E, 1, maxSize},
		{"hidden size", d.H, 1, maxSize},
		{"vocabulary size", d.V, minVocab, maxVocab},
	} {
		if s.n < s.low || s.n > s.high {
			return fmt.Errorf("%s %d is not in %d..%d", s.name, s.n, s.low, s.high)
		}
	}
	if n := d.parameters(); n > maxWeights {
		return fmt.Errorf("%d weights are more than the limit of %d", n, maxWeights)
	}
	return nil
}

// Validate checks that the sizes are within limits, that every tensor has the
// length that they give, and that every weight is finite and every Std above 0.
func (d *Decoder) Validate() error {
	if err := d.ValidateSizes(); err != nil {
		return err
	}
	for _, w := range d.weights() {
		if err := w.check(); err != nil {
			return fmt.Errorf("captioner: decoder: %s: %w", w.name, err)
		}
	}
	if d.Entry == Init && (d.EveryW != nil || d.EveryB != nil) {
		return fmt.Errorf("captioner: decoder: entry %q has no image.every tensors", d.Entry)
	}
	if d.Cell != GRU && d.BHn != nil {
		return fmt.Errorf("captioner: decoder: cell %q has no cell.bhn", d.Cell)
	}
	return nil
}

// check refuses a wrong length, numbers that are not finite, and a Std that
// cannot divide.
func (w weight) check() error {
	if int64(len(*w.data)) != w.size() {
		return fmt.Errorf("%d numbers, shape %v needs %d", len(*w.data), w.shape, w.size())
	}
	for i, x := range *w.data {
		if x-x != 0 { // NaN or infinite
			return fmt.Errorf("number %d is %v", i, x)
		}
	}
	if w.name == "feature.std" {
		for i, x := range *w.data {
			if x <= 0 {
				return fmt.Errorf("number %d is %v, must be above 0", i, x)
			}
		}
	}
	return nil
}
