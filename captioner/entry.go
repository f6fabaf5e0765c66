package captioner

import (
	"slices"

	"github.com/onetomany/caption/captioner/rnn"
)

// Entry is how the image enters the decoder: the name of one of the entries.
type Entry string

const (
	// Init feeds the projected features as the first input, in front of
	// <start>, and never again (Vinyals et al. 2015, "Show and Tell").
	Init Entry = "init"
	// Every does that and adds a second projection of the features to the
	// input of every word: h = tanh(Whh·h + Wxh·x + Wih·v + b) with
	// Wih = Wxh·EveryW kept factored.
	Every Entry = "every"
)

// entry is what captioning must know of an Entry; package train has a table of
// what training must.
type entry struct {
	name   Entry
	when   string // it enters, for people
	params []rnn.Param

	// atWords computes in s.img what each of n photos, whose features are in s.v,
	// adds to the gates at every word, B included.
	atWords func(g *Generator, s *scratch, n int)
}

var entries = []entry{
	{
		name: Init, when: "once at its init", params: first,
		atWords: func(g *Generator, s *scratch, n int) {
			for i := range n {
				copy(s.img[i*g.gates:], g.vectors["cell.b"])
			}
		},
	},
	{
		name: Every, when: "at every word",
		params: append(first, linear("image.every", "Every", "E", "D", "added to the embedding of every word")...),
		atWords: func(g *Generator, s *scratch, n int) {
			g.mul("image.every.weight", s, n, s.v, s.x, g.vectors["image.every.bias"])
			g.mul("cell.wx", s, n, s.x, s.img, g.vectors["cell.b"])
		},
	},
}

// first are the weights of the first input.
var first = slices.Clip(linear("image.first", "First", "E", "D", "the first input: weight·v + bias"))

// Entries returns the names of all entries.
func Entries() []string {
	var names []string
	for _, e := range entries {
		names = append(names, string(e.name))
	}
	return names
}

// When says for people when the image enters the decoder; "" for an unknown entry.
func (e Entry) When() string {
	if x := e.find(); x != nil {
		return x.when
	}
	return ""
}

// find returns nil for an unknown entry.
func (e Entry) find() *entry {
	i := slices.IndexFunc(entries, func(x entry) bool { return x.name == e })
	if i < 0 {
		return nil
	}
	return &entries[i]
}
