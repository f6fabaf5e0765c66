package captioner

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/onetomany/caption/vocab"
)

var (
	errNotFinite = errors.New("captioner: the decoder's output is not finite: its weights are broken")
	errNoWord    = errors.New("captioner: no word is possible: the decoder's weights are broken")
)

// logSumExp returns log Σ exp(x).
func logSumExp(x []float32) (float64, error) {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v) // NaN stays NaN
	}
	if math.IsNaN(float64(m)) || math.IsInf(float64(m), 0) {
		return 0, errNotFinite
	}
	s := 0.0
	for _, v := range x {
		s += math.Exp(float64(v - m))
	}
	return float64(m) + math.Log(s), nil
}

// suppress sets the logits of the words that cannot follow ids to −∞.
func (o *Options) suppress(logits []float32, ids []int) {
	none := float32(math.Inf(-1))
	n := len(ids)
	if n == o.MaxWords {
		for w := range logits {
			if w != vocab.End {
				logits[w] = none
			}
		}
		return
	}
	logits[vocab.Pad] = none
	logits[vocab.Start] = none
	logits[vocab.Unk] = none
	if n == 0 {
		logits[vocab.End] = none
	}
	if o.BlockRepeats && n > 0 {
		logits[ids[n-1]] = none
	}
	if o.BlockTrigrams {
		for i := 0; i+2 < n; i++ {
			if ids[i] == ids[n-2] && ids[i+1] == ids[n-1] {
				logits[ids[i+2]] = none
			}
		}
	}
}

// top appends the at most k words of the largest logits to dst, largest first,
// equal ones by id; lp is the logit. Words at −∞ are left out.
func top(dst []candidate, logits []float32, k int) []candidate {
	base := len(dst)
	if k > 32 { // insertion would be quadratic
		for w, l := range logits {
			if x := float64(l); !math.IsInf(x, -1) {
				dst = append(dst, candidate{word: w, lp: x})
			}
		}
		slices.SortFunc(dst[base:], func(a, b candidate) int {
			return cmp.Or(cmp.Compare(b.lp, a.lp), cmp.Compare(a.word, b.word))
		})
		return dst[:min(len(dst), base+k)]
	}
	least := math.Inf(-1)
	for w, l := range logits {
		x := float64(l)
		if x <= least {
			continue
		}
		if len(dst)-base < k {
			dst = append(dst, candidate{})
		}
		i := len(dst) - 1
		for ; i > base && dst[i-1].lp < x; i-- {
			dst[i] = dst[i-1]
		}
		dst[i] = candidate{word: w, lp: x}
		if len(dst)-base == k {
			least = dst[len(dst)-1].lp
		}
	}
	return dst
}
