package captioner

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/onetomany/caption/captioner/rnn"
	"github.com/onetomany/caption/internal/weights"
	"github.com/onetomany/caption/vocab"
)

// Cell is the kind of recurrent cell: the name of one of [rnn.Cells].
type Cell string

const (
	RNN  Cell = "rnn"
	LSTM Cell = "lstm"
	GRU  Cell = "gru"
)

// Cells returns the names of all cells.
func Cells() []string {
	var names []string
	for _, c := range rnn.Cells {
		names = append(names, c.Name)
	}
	return names
}

func (c Cell) find() *rnn.Cell { return rnn.Find(string(c)) }

// Form says what a decoder is made of and how large it is.
type Form struct {
	Cell     Cell
	Entry    Entry
	Features []int // shape of a photo's features: [D]
	E        int   // size of the embedding, which is the cell's input
	H        int   // size of the hidden state
	V        int   // words of the vocabulary
}

// D is the length of a feature vector.
func (f Form) D() int {
	if len(f.Features) == 0 {
		return 0
	}
	return f.Features[len(f.Features)-1]
}

// Decoder is a Form with its weights, row-major, under the names that they have in
// decoder.safetensors. A photo's features and the words before give the logits of
// the next word:
//
//	v  = (features − Mean) / Std                                 [D]
//	x₀ = FirstW·v + FirstB; x_t = Embed[w_t] (+ EveryW·v + EveryB) [E]
//	h  = the cell's state, which starts at 0, after x            [H]
//	logits = OutW·h + OutB                                       [V]
//
// The logits after x₀ are not used; <start> is the input of step 1. The formulas
// of the cells, and which name belongs to which symbol, stand in
// docs/model-folder.md, which is made from [Form.Params].
type Decoder struct {
	Form
	Weights map[string][]float32
}

// NewDecoder returns a decoder whose weights are 0, or 1 where they must be above 0. Its
// error is that of f.Validate.
func NewDecoder(f Form) (d *Decoder, err error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	d = &Decoder{Form: f, Weights: map[string][]float32{}}
	for _, p := range f.Params() {
		d.Weights[p.Name] = make([]float32, elements(f.Shape(p)))
		if p.Positive {
			for i := range d.Weights[p.Name] {
				d.Weights[p.Name][i] = 1
			}
		}
	}
	return d, nil
}

var (
	statistics = []rnn.Param{
		{Name: "feature.mean", Symbol: "Mean", Shape: []rnn.Dim{"D"}, Statistic: true, Doc: "of each feature over the training photos"},
		{Name: "feature.std", Symbol: "Std", Shape: []rnn.Dim{"D"}, Statistic: true, Positive: true, Doc: "of each feature, 1 where it does not vary"},
	}
	embedding = rnn.Param{Name: "embed.weight", Symbol: "Embed", Shape: []rnn.Dim{"V", "E"}, Init: rnn.Uniform(0.1), Lookup: true, Doc: "a row for each word"}
	output    = linear("out", "Out", "V", "H", "the logits")
)

// linear returns the weight and the bias of a linear layer.
func linear(name, symbol string, out, in rnn.Dim, doc string) []rnn.Param {
	return []rnn.Param{
		{Name: name + ".weight", Symbol: symbol + "W", Shape: []rnn.Dim{out, in}, Init: rnn.FanIn, Doc: doc},
		{Name: name + ".bias", Symbol: symbol + "B", Shape: []rnn.Dim{out}},
	}
}

// Params lists the weights of a decoder of this form, in the order of the file.
// All that is done with weights one by one goes through this list.
func (f Form) Params() []rnn.Param {
	var cell []rnn.Param
	if c := f.Cell.find(); c != nil {
		cell = c.Params()
	}
	var entry []rnn.Param
	if e := f.Entry.find(); e != nil {
		entry = e.params
	}
	return slices.Concat(statistics, entry, []rnn.Param{embedding}, cell, output)
}

// Shape returns the shape of p in a decoder of this form.
func (f Form) Shape(p rnn.Param) []int {
	sizes := map[rnn.Dim]int{"D": f.D(), "E": f.E, "H": f.H, "V": f.V}
	if c := f.Cell.find(); c != nil {
		sizes["G·H"] = len(c.Gates) * f.H
	}
	var shape []int
	for _, d := range p.Shape {
		shape = append(shape, sizes[d])
	}
	return shape
}

// elements is at most 2³⁴ for sizes within their limits.
func elements(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

// Limits on the sizes of a decoder: far above what captions need, low enough
// that no file makes a reader ask for absurd memory.
const (
	maxSize    = 1 << 16 // D, E and H
	maxVocab   = vocab.MaxWords
	maxWeights = 1 << 28 // numbers in all, 1 GiB
	minVocab   = 5       // the special tokens and one word
)

// Parameters counts the weights that are learnt. The form must be valid.
func (f Form) Parameters() int64 {
	var n int64
	for _, p := range f.Params() {
		if !p.Statistic {
			n += elements(f.Shape(p))
		}
	}
	return n
}

// Validate checks that cell and entry are known, that each size is within its
// limit, and that all weights together are.
func (f Form) Validate() error {
	if err := f.check(); err != nil {
		return fmt.Errorf("captioner: decoder: %w", err)
	}
	return nil
}

func (f Form) check() error {
	if f.Cell.find() == nil {
		return fmt.Errorf("cell %.50q is none of %s", f.Cell, strings.Join(Cells(), ", "))
	}
	if f.Entry.find() == nil {
		return fmt.Errorf("entry %.50q is neither %s", f.Entry, strings.Join(Entries(), " nor "))
	}
	if len(f.Features) > 1 {
		return fmt.Errorf("entry %s takes a vector of features, not one of the shape %v", f.Entry, f.Features)
	}
	for _, s := range []struct {
		name         string
		n, low, high int
	}{
		{"feature size", f.D(), 1, maxSize},
		{"embedding size", f.E, 1, maxSize},
		{"hidden size", f.H, 1, maxSize},
		{"vocabulary size", f.V, minVocab, maxVocab},
	} {
		if s.n < s.low || s.n > s.high {
			return fmt.Errorf("%s %d is not in %d..%d", s.name, s.n, s.low, s.high)
		}
	}
	if n := f.Parameters(); n > maxWeights {
		return fmt.Errorf("%d weights are more than the limit of %d", n, maxWeights)
	}
	return nil
}

// Validate checks the form, and that the weights are those that it needs: of the
// right length, finite, and above 0 where they divide.
func (d *Decoder) Validate() error {
	if d == nil {
		return errors.New("captioner: decoder: none is given")
	}
	if err := d.Form.Validate(); err != nil {
		return err
	}
	params := d.Params()
	for _, p := range params {
		if err := d.checkValues(p, weights.Of(d.Weights[p.Name])); err != nil {
			return fmt.Errorf("captioner: decoder: %s: %w", p.Name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Weights)) {
		if err := d.checkName(name); err != nil {
			return fmt.Errorf("captioner: decoder: %s: %w", name, err)
		}
	}
	return nil
}

// checkName refuses names that no weight of this form has.
func (f Form) checkName(name string) error {
	if !slices.ContainsFunc(f.Params(), func(p rnn.Param) bool { return p.Name == name }) {
		return fmt.Errorf("a %s decoder with entry %s has no such tensor", f.Cell, f.Entry)
	}
	return nil
}

// checkValues refuses a wrong length, numbers that are not finite, and numbers that
// should be above 0.
func (f Form) checkValues(p rnn.Param, x weights.Data) error {
	if shape := f.Shape(p); int64(x.Len()) != elements(shape) {
		return fmt.Errorf("%d numbers, shape %v needs %d", x.Len(), shape, elements(shape))
	}
	if i := x.NotFinite(); i >= 0 {
		return fmt.Errorf("number %d is %v", i, x.Part(i, i+1).Floats()[0])
	}
	if p.Positive {
		for i, v := range x.Floats() {
			if v <= 0 {
				return fmt.Errorf("number %d is %v, must be above 0", i, v)
			}
		}
	}
	return nil
}
