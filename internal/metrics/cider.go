package metrics

import "math"

// CIDEr computes CIDEr-D (Vedantam et al. 2015): n-grams of 1 to 4 words
// weighted by tf-idf, clipped, with a gaussian penalty on the difference in
// length (sigma 6), times 10, as cider_scorer.py of the COCO code has it. The
// document frequencies are those of the references. It is safe for concurrent
// use.
type CIDEr struct {
	ids  wordIDs
	df   map[gram]int // photos with the n-gram in a reference
	logN float64      // log of the number of photos
	refs [][]reference
}

// reference is a reference's n-gram vector.
type reference struct {
	words   int
	grams   []gramCount
	weights map[gram]float64
	norms   [maxN]float64
}

// NewCIDEr takes the tokenised references of each photo.
func NewCIDEr(refs [][][]string) *CIDEr {
	c := &CIDEr{ids: wordIDs{}, df: map[gram]int{}, refs: make([][]reference, len(refs))}
	c.logN = math.Log(float64(len(refs)))
	for i, rs := range refs {
		seen := map[gram]bool{}
		for _, r := range rs {
			ids := make([]int32, len(r))
			for j, w := range r {
				ids[j] = c.ids.add(w)
			}
			grams := countGrams(ids)
			for _, g := range grams {
				if !seen[g.gram] {
					seen[g.gram] = true
					c.df[g.gram]++
				}
			}
			c.refs[i] = append(c.refs[i], reference{words: len(r), grams: grams})
		}
	}
	for _, rs := range c.refs {
		for i := range rs {
			r := &rs[i]
			r.weights = make(map[gram]float64, len(r.grams))
			for _, g := range r.grams {
				w := c.weight(g)
				r.weights[g.gram] = w
				r.norms[g.n()] += w * w
			}
			sqrt(&r.norms)
		}
	}
	return c
}

// Score returns the mean CIDEr-D of one tokenised caption for each photo. It
// panics if the number of captions is wrong.
func (c *CIDEr) Score(hyps [][]string) float64 {
	photos := c.Photos(hyps)
	var sum float64
	for _, s := range photos {
		sum += s
	}
	return sum / max(1, float64(len(photos)))
}

// Photos returns the CIDEr-D of each photo.
func (c *CIDEr) Photos(hyps [][]string) []float64 {
	check(len(hyps), len(c.refs))
	out := make([]float64, len(hyps))
	for i, hyp := range hyps {
		out[i] = c.photo(i, len(hyp), c.count(hyp))
	}
	return out
}

// count counts a caption's n-grams; words that no reference has get ids of
// their own.
func (c *CIDEr) count(hyp []string) []gramCount {
	ids := make([]int32, len(hyp))
	var unknown wordIDs
	for i, w := range hyp {
		id, ok := c.ids[w]
		if !ok {
			if unknown == nil {
				unknown = wordIDs{}
			}
			id = int32(len(c.ids)) + unknown.add(w)
		}
		ids[i] = id
	}
	return countGrams(ids)
}

// weight is the tf-idf of an n-gram; one that no reference has counts as if
// one had.
func (c *CIDEr) weight(g gramCount) float64 {
	return float64(g.count) * (c.logN - math.Log(float64(max(1, c.df[g.gram]))))
}

func (c *CIDEr) photo(photo, words int, grams []gramCount) float64 {
	weights := make([]float64, len(grams))
	var norms [maxN]float64
	for i, g := range grams {
		weights[i] = c.weight(g)
		norms[g.n()] += weights[i] * weights[i]
	}
	sqrt(&norms)
	var sum float64
	for i := range c.refs[photo] {
		r := &c.refs[photo][i]
		var dot [maxN]float64
		for j, g := range grams {
			w := r.weights[g.gram]
			dot[g.n()] += min(weights[j], w) * w
		}
		// The COCO code takes the number of two-word n-grams for the length.
		d := float64(max(0, words-1) - max(0, r.words-1))
		penalty := math.Exp(-d * d / (2 * 6 * 6))
		for n := range maxN {
			if norms[n] != 0 && r.norms[n] != 0 {
				dot[n] /= norms[n] * r.norms[n]
			}
			sum += dot[n] * penalty
		}
	}
	return 10 * sum / maxN / max(1, float64(len(c.refs[photo])))
}

func sqrt(v *[maxN]float64) {
	for n := range v {
		v[n] = math.Sqrt(v[n])
	}
}
