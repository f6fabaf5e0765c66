package metrics

import "math"

// bleu are the counts that BLEU is computed of (Papineni et al. 2002, with the
// closest reference length, as bleu_scorer.py of the COCO code has it).
type bleu struct {
	words, refWords int
	guess, correct  [maxN]int // n-grams, and those of them in a reference
}

func countBLEU(words int, grams []gramCount, refs []reference) bleu {
	b := bleu{words: words}
	for n := range maxN {
		b.guess[n] = max(0, words-n)
	}
	for _, g := range grams {
		most := 0 // in one reference
		for _, r := range refs {
			most = max(most, r.terms[g.gram].count)
		}
		b.correct[g.n()] += min(g.count, most)
	}
	for i, r := range refs {
		// Of two lengths equally close the shorter counts.
		l := len(r.words)
		d, best := abs(l-words), abs(b.refWords-words)
		if i == 0 || d < best || d == best && l < b.refWords {
			b.refWords = l
		}
	}
	return b
}

func (b *bleu) add(c bleu) {
	b.words += c.words
	b.refWords += c.refWords
	for n := range maxN {
		b.guess[n] += c.guess[n]
		b.correct[n] += c.correct[n]
	}
}

// score computes BLEU-1..4, with the COCO code's guards against zeros.
func (b *bleu) score() (s [maxN]float64) {
	const small, tiny = 1e-9, 1e-15
	p := 1.0
	for n := range maxN {
		p *= (float64(b.correct[n]) + tiny) / (float64(b.guess[n]) + small)
		s[n] = math.Pow(p, 1/float64(n+1))
	}
	if ratio := (float64(b.words) + tiny) / (float64(b.refWords) + small); ratio < 1 {
		for n := range s {
			s[n] *= math.Exp(1 - 1/ratio)
		}
	}
	return s
}

func abs(x int) int { return max(x, -x) }
