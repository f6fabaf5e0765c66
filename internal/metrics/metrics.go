// Package metrics scores captions against references: BLEU-1..4, ROUGE-L and
// CIDEr-D, equal to the COCO caption evaluation code (PyPI pycocoevalcap) on
// the same tokens.
package metrics

import (
	"fmt"
	"math"
)

// Scores of a set of captions, or of one. Papers print them times 100.
type Scores struct {
	BLEU   [4]float64 // BLEU-1..4, 0..1
	ROUGEL float64    // 0..1
	CIDErD float64    // 0..10
}

// Score scores one tokenised caption for each photo against the photo's tokenised
// references. BLEU of the set is no mean of the photos' but counted over all of
// them; the others are. A photo without references scores 0. It panics if the
// number of captions is wrong.
func Score(hyps [][]string, refs [][][]string) Scores {
	if len(hyps) != len(refs) {
		panic(fmt.Sprintf("metrics: %d captions for %d photos", len(hyps), len(refs)))
	}
	set, _ := newScorer(refs).score(hyps)
	return set
}

// scorer is what the scores need of the references.
type scorer struct {
	ids  wordIDs
	df   map[gram]int // photos with the n-gram in a reference
	logN float64      // log of the number of photos
	refs [][]reference
}

// reference is one of a photo's references.
type reference struct {
	words []string
	terms map[gram]term
	norms [maxN]float64 // of the weights of each length
}

// term is an n-gram of a reference: how often it is there, and its tf-idf.
type term struct {
	count  int
	weight float64
}

func newScorer(refs [][][]string) *scorer {
	s := &scorer{ids: wordIDs{}, df: map[gram]int{}, logN: math.Log(float64(len(refs))), refs: make([][]reference, len(refs))}
	grams := make([][][]gramCount, len(refs))
	for i, rs := range refs {
		seen := map[gram]bool{}
		for _, r := range rs {
			ids := make([]int32, len(r))
			for j, w := range r {
				ids[j] = s.ids.add(w)
			}
			counts := countGrams(ids)
			for _, g := range counts {
				if !seen[g.gram] {
					seen[g.gram] = true
					s.df[g.gram]++
				}
			}
			grams[i] = append(grams[i], counts)
			s.refs[i] = append(s.refs[i], reference{words: r})
		}
	}
	for i := range s.refs {
		for j := range s.refs[i] {
			r := &s.refs[i][j]
			var weights []float64
			weights, r.norms = s.weigh(grams[i][j])
			r.terms = make(map[gram]term, len(weights))
			for k, g := range grams[i][j] {
				r.terms[g.gram] = term{g.count, weights[k]}
			}
		}
	}
	return s
}

// score returns the scores of the whole set and of each photo.
func (s *scorer) score(hyps [][]string) (set Scores, photos []Scores) {
	photos = make([]Scores, len(hyps))
	var all bleu
	for i, hyp := range hyps {
		grams := s.count(hyp)
		b := countBLEU(len(hyp), grams, s.refs[i])
		all.add(b)
		photos[i] = Scores{BLEU: b.score(), ROUGEL: rougeL(hyp, s.refs[i]), CIDErD: s.cider(len(hyp), grams, s.refs[i])}
		set.ROUGEL += photos[i].ROUGEL
		set.CIDErD += photos[i].CIDErD
	}
	if n := float64(len(hyps)); n > 0 {
		set = Scores{BLEU: all.score(), ROUGEL: set.ROUGEL / n, CIDErD: set.CIDErD / n}
	}
	return set, photos
}

// count counts a caption's n-grams; words that no reference has get ids of
// their own.
func (s *scorer) count(hyp []string) []gramCount {
	ids := make([]int32, len(hyp))
	unknown := wordIDs{}
	for i, w := range hyp {
		id, ok := s.ids[w]
		if !ok {
			id = int32(len(s.ids)) + unknown.add(w)
		}
		ids[i] = id
	}
	return countGrams(ids)
}
