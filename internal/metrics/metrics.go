// Package metrics scores captions against references: BLEU-1..4, ROUGE-L and
// CIDEr-D, equal to the COCO caption evaluation code (PyPI pycocoevalcap) on
// the same tokens. Scores say how good a set of captions is: report those of
// captions that the model wrote by itself.
package metrics

import "fmt"

// Scores of a set of captions, or of one. Papers print them times 100.
type Scores struct {
	BLEU   [4]float64 // BLEU-1..4, 0..1
	ROUGEL float64    // 0..1
	CIDErD float64    // 0..10
}

// Scorer scores captions of the same photos again and again, as after every
// epoch; all that depends on the references alone is computed once. It is safe
// for concurrent use.
type Scorer struct {
	bleu  *bleu
	cider *CIDEr
	refs  [][][]string
}

// NewScorer takes the tokenised references of each photo. They must not change
// while the Scorer is in use. A photo without references scores 0.
func NewScorer(refs [][][]string) *Scorer {
	cider := NewCIDEr(refs)
	return &Scorer{bleu: newBLEU(cider), cider: cider, refs: refs}
}

// Score takes one tokenised caption for each photo, in the order of the
// references, and returns the scores of the whole set and of each photo. BLEU
// of the set is no mean of the photos' but counted over all of them. It panics
// if the number of captions is wrong.
func (s *Scorer) Score(hyps [][]string) (set Scores, photos []Scores) {
	check(len(hyps), len(s.refs))
	photos = make([]Scores, len(hyps))
	var all bleuStats
	for i, hyp := range hyps {
		grams := s.cider.count(hyp)
		stats := s.bleu.stats(i, len(hyp), grams)
		all.add(stats)
		photos[i] = Scores{
			BLEU:   stats.score(),
			ROUGEL: rougeL(hyp, s.refs[i]),
			CIDErD: s.cider.photo(i, len(hyp), grams),
		}
		set.ROUGEL += photos[i].ROUGEL
		set.CIDErD += photos[i].CIDErD
	}
	if n := float64(len(hyps)); n > 0 {
		set = Scores{BLEU: all.score(), ROUGEL: set.ROUGEL / n, CIDErD: set.CIDErD / n}
	}
	return set, photos
}

// Score scores one tokenised caption for each photo against the photo's
// tokenised references.
func Score(hyps [][]string, refs [][][]string) Scores {
	set, _ := NewScorer(refs).Score(hyps)
	return set
}

// CIDErD is the CIDEr-D of Score alone.
func CIDErD(hyps [][]string, refs [][][]string) float64 { return NewCIDEr(refs).Score(hyps) }

func check(hyps, refs int) {
	if hyps != refs {
		panic(fmt.Sprintf("metrics: %d captions for %d photos", hyps, refs))
	}
}
