package metrics

import "math"

// cider is CIDEr-D (Vedantam et al. 2015) of a caption: n-grams of 1 to 4 words
// weighted by tf-idf, clipped, with a gaussian penalty on the difference in
// length (sigma 6), times 10, as cider_scorer.py of the COCO code has it. The
// document frequencies are those of the references.
func (s *scorer) cider(words int, grams []gramCount, refs []reference) float64 {
	weights, norms := s.weigh(grams)
	var sum float64
	for _, r := range refs {
		var dot [maxN]float64
		for j, g := range grams {
			w := r.terms[g.gram].weight
			dot[g.n()] += min(weights[j], w) * w
		}
		// The COCO code takes the number of two-word n-grams for the length.
		d := float64(max(0, words-1) - max(0, len(r.words)-1))
		penalty := math.Exp(-d * d / (2 * 6 * 6))
		for n := range maxN {
			if norms[n] != 0 && r.norms[n] != 0 {
				dot[n] /= norms[n] * r.norms[n]
			}
			sum += dot[n] * penalty
		}
	}
	return 10 * sum / maxN / max(1, float64(len(refs)))
}

// weigh returns the tf-idf of each n-gram, and the norm of those of each length. An
// n-gram that no reference has counts as if one had.
func (s *scorer) weigh(grams []gramCount) (weights []float64, norms [maxN]float64) {
	weights = make([]float64, len(grams))
	for i, g := range grams {
		w := float64(g.count) * (s.logN - math.Log(float64(max(1, s.df[g.gram]))))
		weights[i] = w
		norms[g.n()] += w * w
	}
	for n := range norms {
		norms[n] = math.Sqrt(norms[n])
	}
	return weights, norms
}
