package vocab

import (
	"cmp"
	"slices"
)

// Ids of the special tokens, the first four words of every vocabulary.
const (
	Pad   = iota // fills up short captions of a training batch
	Start        // the first input of the decoder
	End          // closes a caption
	Unk          // stands for every word that is not in the vocabulary
)

// specials are the special tokens in id order.
var specials = [...]string{Pad: "<pad>", Start: "<start>", End: "<end>", Unk: "<unk>"}

// Vocab is an immutable list of words; the index of a word is its id. It is
// safe for concurrent use. The zero value, and a nil *Vocab, have no words at all,
// not even the special tokens.
type Vocab struct {
	words []string
	ids   map[string]int
}

// newVocab takes over words, the special tokens included.
func newVocab(words []string) *Vocab {
	v := &Vocab{words: words, ids: make(map[string]int, len(words))}
	for id, w := range words {
		v.ids[w] = id
	}
	return v
}

// Build returns the vocabulary of all words seen at least minCount times (less
// than 1 counts as 1) in tokenised captions: after the special tokens the most
// frequent word first, words of equal frequency in the order of their bytes.
// Words that a vocabulary file cannot hold (see Read) are left out, and of
// more than MaxWords the rarest.
func Build(captions [][]string, minCount int) *Vocab {
	counts := map[string]int{}
	for _, c := range captions {
		for _, w := range c {
			counts[w]++
		}
	}
	for _, s := range specials {
		delete(counts, s)
	}
	words := make([]string, 0, len(counts))
	for w, n := range counts {
		if n >= minCount && checkWord(w) == "" {
			words = append(words, w)
		}
	}
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	words = words[:min(len(words), MaxWords-len(specials))]
	return newVocab(append(specials[:], words...))
}

// Len returns the number of words, special tokens included.
func (v *Vocab) Len() int {
	if v == nil {
		return 0
	}
	return len(v.words)
}

// Word returns the word of an id, "" where the vocabulary does not have it.
func (v *Vocab) Word(id int) string {
	if id < 0 || id >= v.Len() {
		return ""
	}
	return v.words[id]
}

// ID returns the id of a word, or Unk.
func (v *Vocab) ID(word string) int {
	if v != nil {
		if id, ok := v.ids[word]; ok {
			return id
		}
	}
	return Unk
}

// Encode returns the ids of tokens, without Start and End.
func (v *Vocab) Encode(tokens []string) []int {
	ids := make([]int, len(tokens))
	for i, t := range tokens {
		ids[i] = v.ID(t)
	}
	return ids
}

// Decode returns the sentence of ids up to the first End (see Join). Special
// tokens, and ids that the vocabulary does not have, are left out.
func (v *Vocab) Decode(ids []int) string {
	words := make([]string, 0, len(ids))
	for _, id := range ids {
		if id == End {
			break
		}
		if id >= len(specials) && id < v.Len() {
			words = append(words, v.words[id])
		}
	}
	return Join(words)
}
