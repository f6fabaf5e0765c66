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
