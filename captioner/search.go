package captioner

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/vocab"
)

var (
	errNotFinite = errors.New("captioner: the decoder's output is not finite: its weights are broken")
	errNoWord    = errors.New("captioner: no word is possible: the decoder's weights are broken")
)

// next continues a branch: with the state of row, one of the rows whose logits the
// search has just seen, and with word as the next input. The photo is for group.
type next struct{ row, word, photo int }

// search chooses the sentences of one photo.
type search interface {
	// advance takes the logits of the live branches, one row of length V each,
	// and returns the branches of the next step, none at the end. It may change
	// logits, but does not keep it.
	advance(logits []float32) ([]next, error)
	// captions returns the sentences after the last step.
	captions() []Hypothesis
}

// branch is the beginning of a sentence.
type branch struct {
	ids []int
	lps []float64 // of each word
	lp  float64   // their sum
}

// grown returns b with one more word.
func (b branch) grown(word int, lp float64) branch {
	return branch{append(slices.Clip(b.ids), word), append(slices.Clip(b.lps), lp), b.lp + lp}
}

// ended returns b as a whole sentence.
func (b branch) ended(lp float64) Hypothesis { return Hypothesis{b.ids, b.lp + lp, b.lps} }

// candidate is a branch and a word to go on with.
type candidate struct {
	row, word int
	lp        float64 // of the word
	total     float64 // of the branch with the word
}

// logProbs turns the logits of the branch ids into log-probabilities, −∞ for the words
// that cannot follow.
func (o *Options) logProbs(row []float32, ids []int) error {
	vmath.LogSoftmax(row, row)
	if m := vmath.Max(row); m != m {
		return errNotFinite
	}
	o.suppress(row, ids)
	return nil
}

// suppress sets the log-probabilities of the words that cannot follow ids to −∞.
func (o *Options) suppress(lps []float32, ids []int) {
	none := float32(math.Inf(-1))
	n := len(ids)
	if n == o.MaxWords {
		for w := range lps {
			if w != vocab.End {
				lps[w] = none
			}
		}
		return
	}
	lps[vocab.Pad] = none
	lps[vocab.Start] = none
	lps[vocab.Unk] = none
	if n == 0 {
		lps[vocab.End] = none
	}
	if k := o.NoRepeat; k > 0 {
		for i := 0; i+k <= n; i++ {
			if slices.Equal(ids[i:i+k-1], ids[n-k+1:]) {
				lps[ids[i+k-1]] = none
			}
		}
	}
}

// top appends the k most probable words to dst, equal ones in the order of their ids;
// fewer if others are at −∞.
func top(dst []candidate, lps []float32, k int) []candidate {
	base := len(dst)
	if k > 32 { // insertion would be quadratic
		for w, lp := range lps {
			if lp >= -math.MaxFloat32 {
				dst = append(dst, candidate{word: w, lp: float64(lp)})
			}
		}
		slices.SortFunc(dst[base:], func(a, b candidate) int {
			return cmp.Or(cmp.Compare(b.lp, a.lp), cmp.Compare(a.word, b.word))
		})
		return dst[:min(len(dst), base+k)]
	}
	least := float32(math.Inf(-1))
	for w, lp := range lps {
		if !(lp > least) {
			continue
		}
		if len(dst)-base < k {
			dst = append(dst, candidate{})
		}
		i := len(dst) - 1
		for ; i > base && dst[i-1].lp < float64(lp); i-- {
			dst[i] = dst[i-1]
		}
		dst[i] = candidate{word: w, lp: float64(lp)}
		if len(dst)-base == k {
			least = float32(dst[len(dst)-1].lp)
		}
	}
	return dst
}
