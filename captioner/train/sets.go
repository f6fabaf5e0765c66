package train

import (
	"github.com/onetomany/caption/captioner/dataset"
	"github.com/onetomany/caption/vocab"
)

// NewData makes data of photos with their features: words that the captions of
// trains have at least minCount times are the vocabulary, vals are validated on.
// Without features only the vocabulary is of use.
func NewData(trains, vals []*dataset.Set, minCount int) *Data {
	var words [][]string
	for _, s := range trains {
		for _, p := range s.Photos {
			words = append(words, tokenize(p)...)
		}
	}
	d := &Data{Vocab: vocab.Build(words, minCount)}
	for _, s := range trains {
		for _, p := range s.Photos {
			var ids [][]int
			for _, tokens := range words[:len(p.Captions)] {
				ids = append(ids, d.Vocab.Encode(tokens))
			}
			words = words[len(p.Captions):]
			d.Features, d.Captions = append(d.Features, p.Features), append(d.Captions, ids)
		}
	}
	for _, s := range vals {
		v := ValSet{Name: s.Name}
		for _, p := range s.Photos {
			v.Features, v.Refs = append(v.Features, p.Features), append(v.Refs, tokenize(p))
		}
		d.Val = append(d.Val, v)
	}
	return d
}

func tokenize(p dataset.Photo) [][]string {
	var refs [][]string
	for _, c := range p.Captions {
		refs = append(refs, vocab.Tokenize(c))
	}
	return refs
}
