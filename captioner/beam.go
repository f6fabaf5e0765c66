package captioner

import (
	"cmp"
	"math"
	"slices"

	"github.com/onetomany/caption/vocab"
)

// beam is a beam search: at each step the Beam most probable continuations of
// all live branches are kept; those that end leave the beam. It stops when no
// live branch can still beat the Num best sentences found.
type beam struct {
	o     *Options
	vocab int
	live  []branch
	done  []Hypothesis // best first
	cand  []candidate
	top   []candidate
}

func (b *beam) captions() []Hypothesis { return b.done }

// score ranks a sentence of n words and its end.
func (b *beam) score(lp float64, n int) float64 {
	return lp / math.Pow(float64(n+1), b.o.LengthPower)
}

func (b *beam) advance(logits []float32) ([]next, error) {
	b.cand = b.cand[:0]
	for r, br := range b.live {
		row := logits[r*b.vocab : (r+1)*b.vocab]
		if err := b.o.logProbs(row, br.ids); err != nil {
			return nil, err
		}
		b.top = top(b.top[:0], row, b.o.Beam)
		for _, c := range b.top {
			c.row = r
			c.total = br.lp + c.lp
			b.cand = append(b.cand, c)
		}
	}
	if len(b.cand) == 0 {
		return nil, errNoWord
	}
	slices.SortFunc(b.cand, func(x, y candidate) int {
		return cmp.Or(cmp.Compare(y.total, x.total), cmp.Compare(x.row, y.row), cmp.Compare(x.word, y.word))
	})
	b.cand = b.cand[:min(len(b.cand), b.o.Beam)]

	var live []branch
	var out []next
	for _, c := range b.cand {
		if c.word == vocab.End {
			b.finish(b.live[c.row].ended(c.lp))
		}
	}
	for _, c := range b.cand {
		if c.word != vocab.End && b.hopeful(c.total) {
			live = append(live, b.live[c.row].grown(c.word, c.lp))
			out = append(out, next{row: c.row, word: c.word})
		}
	}
	b.live = live
	return out, nil
}

// finish puts a sentence in its place among the Num best.
func (b *beam) finish(h Hypothesis) {
	s := b.score(h.LogProb, len(h.IDs))
	i := 0
	for i < len(b.done) && b.score(b.done[i].LogProb, len(b.done[i].IDs)) >= s {
		i++
	}
	b.done = slices.Insert(b.done, i, h)
	b.done = b.done[:min(len(b.done), b.o.Num)]
}

// hopeful reports whether a branch of this log-probability can still become one
// of the Num best: no word adds to it, and no sentence is longer than MaxWords.
func (b *beam) hopeful(lp float64) bool {
	if len(b.done) < b.o.Num {
		return true
	}
	worst := b.done[len(b.done)-1]
	return b.score(lp, b.o.MaxWords) > b.score(worst.LogProb, len(worst.IDs))
}
