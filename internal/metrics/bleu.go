package metrics

import "math"

// bleu holds what BLEU needs of the references (Papineni et al. 2002, with the
// closest reference length, as bleu_scorer.py of the COCO code has it).
type bleu struct {
	max     []map[gram]int // of each photo: most of each n-gram in one reference
	lengths [][]int        // of each photo's references
}

func newBLEU(c *CIDEr) *bleu {
	b := &bleu{max: make([]map[gram]int, len(c.refs)), lengths: make([][]int, len(c.refs))}
	for i, refs := range c.refs {
		b.max[i] = map[gram]int{}
		for _, ref := range refs {
			for _, g := range ref.grams {
				b.max[i][g.gram] = max(b.max[i][g.gram], g.count)
			}
			b.lengths[i] = append(b.lengths[i], ref.words)
		}
	}
	return b
}

// bleuStats are the counts that BLEU is computed of.
type bleuStats struct {
	words, refWords int
	guess, correct  [maxN]int // n-grams, and those of them in a reference
}

func (b *bleu) stats(photo, words int, grams []gramCount) bleuStats {
	s := bleuStats{words: words}
	for n := range maxN {
		s.guess[n] = max(0, words-n)
	}
	for _, g := range grams {
		s.correct[g.n()] += min(g.count, b.max[photo][g.gram])
	}
	for i, l := range b.lengths[photo] {
		// Of two lengths equally close the shorter counts.
		d, best := abs(l-words), abs(s.refWords-words)
		if i == 0 || d < best || d == best && l < s.refWords {
			s.refWords = l
		}
	}
	return s
}

func (s *bleuStats) add(t bleuStats) {
	s.words += t.words
	s.refWords += t.refWords
	for n := range maxN {
		s.guess[n] += t.guess[n]
		s.correct[n] += t.correct[n]
	}
}

// score computes BLEU-1..4, with the COCO code's guards against zeros.
func (s *bleuStats) score() (b [maxN]float64) {
	const small, tiny = 1e-9, 1e-15
	p := 1.0
	for n := range maxN {
		p *= (float64(s.correct[n]) + tiny) / (float64(s.guess[n]) + small)
		b[n] = math.Pow(p, 1/float64(n+1))
	}
	if ratio := (float64(s.words) + tiny) / (float64(s.refWords) + small); ratio < 1 {
		for n := range b {
			b[n] *= math.Exp(1 - 1/ratio)
		}
	}
	return b
}

func abs(x int) int { return max(x, -x) }
