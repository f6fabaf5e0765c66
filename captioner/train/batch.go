package train

import (
	"cmp"
	"slices"

	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/vocab"
)

// example is one caption of one photo.
type example struct {
	photo int
	words []int
	whole bool // false where the caption was truncated at MaxWords
}

// steps is the number of inputs: the image, <start>, the words. The last word of a
// truncated caption is no input, for what comes next is not learnt.
func (e example) steps() int {
	if e.whole {
		return len(e.words) + 2
	}
	return len(e.words) + 1
}

// at is element t of the image (−1), <start>, the words, <end>.
func (e example) at(t int) int {
	switch {
	case t == 0:
		return -1
	case t == 1:
		return vocab.Start
	case t-2 < len(e.words):
		return e.words[t-2]
	}
	return vocab.End
}

// batch is a set of captions packed by time: the rows of step 0 (the image),
// then those of step 1 (<start>), and so on, without padding. The longest captions
// come first, so that those which still have a step t are the first ones, and row
// off[t]+i belongs to caption i.
type batch struct {
	n       int       // captions; also the number of rows of step 0
	off     []int     // first row of each step; off[steps] is the number of rows
	caption []int     // [rows] which of the n captions
	input   []int     // [rows] word read; −1 in step 0
	target  []int     // [rows] next word, to be predicted; −1 in step 0
	feature []float32 // [n,D] standardised features of each caption's photo
	key     uint64    // of the dropout masks
	drop    float64   // probability of dropout
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
			target := -1
			if t > 0 {
				target = e.at(t + 1)
			}
			b.caption, b.input, b.target = append(b.caption, i), append(b.input, e.at(t)), append(b.target, target)
		}
		b.off = append(b.off, len(b.input))
	}
	b.feature = grow(b.feature, b.n*D)
	for i, e := range examples {
		copy(b.feature[i*D:(i+1)*D], features[e.photo*D:(e.photo+1)*D])
	}
}

// dropout draws the mask of a row that starts at element from, and multiplies x with
// it.
func (b *batch) dropout(x, mask []float32, stream uint64, from int) {
	if b.drop > 0 {
		dropMask(mask, mix(b.key+stream), from, b.drop)
		vmath.Mul(x, x, mask)
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
