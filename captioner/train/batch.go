package train

import (
	"cmp"
	"slices"

	"github.com/onetomany/caption/vocab"
)

// example is one caption of one photo.
type example struct {
	photo int
	words []int
	whole bool // the caption ends here; not so if it was cut at MaxWords
}

// steps is the number of inputs: the image, <start>, the words. What a caption
// that was cut would say next is not learnt.
func (e example) steps() int {
	if e.whole {
		return len(e.words) + 2
	}
	return len(e.words) + 1
}

// batch is a set of captions packed by time: the rows of step 0 (the image),
// then those of step 1 (<start>), and so on, without padding. Captions are in
// order of falling length, so those still going at step t are the first ones,
// and row off[t]+i belongs to caption i.
type batch struct {
	n       int       // captions; also the number of rows of step 0
	off     []int     // first row of each step; off[steps] is the number of rows
	caption []int     // [rows] which of the n captions
	input   []int     // [rows] word read; −1 in step 0
	target  []int     // [rows] word to be said; −1 in step 0
	feature []float32 // [n,D] standardised features of each caption's photo
	key     uint64    // of the dropout masks
	drop    float64   // probability of dropout; 0 when evaluating
}

func (b *batch) steps() int            { return len(b.off) - 1 }
func (b *batch) rows() int             { return b.off[len(b.off)-1] }
func (b *batch) span(t int) (i, j int) { return b.off[t], b.off[t+1] }

// pack fills b with the examples; features holds D values a photo.
func (b *batch) pack(examples []example, features []float32, D int) {
	slices.SortStableFunc(examples, func(x, y example) int { return cmp.Compare(y.steps(), x.steps()) })
	b.n = len(examples)
	b.off = append(b.off[:0], 0)
	b.caption, b.input, b.target = b.caption[:0], b.input[:0], b.target[:0]
	for t := range examples[0].steps() {
		for i, e := range examples {
			if t >= e.steps() {
				break
			}
			in, out := -1, -1
			if t == 1 {
				in = vocab.Start
			} else if t > 1 {
				in = e.words[t-2]
			}
			if t > 0 {
				out = vocab.End
				if t-1 < len(e.words) {
					out = e.words[t-1]
				}
			}
			b.caption, b.input, b.target = append(b.caption, i), append(b.input, in), append(b.target, out)
		}
		b.off = append(b.off, len(b.input))
	}
	b.feature = grow(b.feature, b.n*D)
	for i, e := range examples {
		copy(b.feature[i*D:(i+1)*D], features[e.photo*D:(e.photo+1)*D])
	}
}

// maxRows is the number of rows that a batch of n of the examples can have.
func maxRows(examples []example, n int) int {
	lens := make([]int, len(examples))
	for i, e := range examples {
		lens[i] = e.steps()
	}
	slices.Sort(lens)
	sum := 0
	for _, l := range lens[max(0, len(lens)-n):] {
		sum += l
	}
	return sum
}
