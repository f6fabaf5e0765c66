package vocab

import "io"

// Ids of the special tokens, the first four words of every vocabulary.
const (
	Pad = iota
	Start
	End
	Unk
)

// Vocab is an immutable list of words; the index of a word is its id.
type Vocab struct {
	words []string
	ids   map[string]int
}

// Tokenize splits a caption into lower-case words without punctuation.
func Tokenize(caption string) []string { return nil }

// Build returns the vocabulary of all words seen at least minCount times.
func Build(captions [][]string, minCount int) *Vocab { return nil }

// Read parses a vocabulary file.
func Read(r io.Reader) (*Vocab, error) { return nil, nil }

// Write writes the vocabulary file: one word a line, in id order.
func (v *Vocab) Write(w io.Writer) error { return nil }

// Len returns the number of words, special tokens included.
func (v *Vocab) Len() int { return len(v.words) }

// Word returns the word of an id.
func (v *Vocab) Word(id int) string { return v.words[id] }

// ID returns the id of a word, or Unk.
func (v *Vocab) ID(word string) int {
	if id, ok := v.ids[word]; ok {
		return id
	}
	return Unk
}

// Encode returns the ids of tokens, without Start and End.
func (v *Vocab) Encode(tokens []string) []int { return nil }

// Decode joins the words of ids with spaces, up to the first End, without special tokens.
func (v *Vocab) Decode(ids []int) string { return "" }
