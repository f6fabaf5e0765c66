package captioner

import (
	"math"
	"math/rand/v2"

	"github.com/onetomany/caption/vocab"
)

// sampler draws Num sentences, each with random numbers of its own.
type sampler struct {
	o     *Options
	vocab int
	live  []draw
	done  []Hypothesis
	cand  []candidate
}

// draw is a sentence being drawn.
type draw struct {
	branch
	index int // in done
	rng   *rand.Rand
}

func newSampler(o *Options, v int) *sampler {
	s := &sampler{o: o, vocab: v, done: make([]Hypothesis, o.Num)}
	for i := range o.Num {
		s.live = append(s.live, draw{index: i, rng: rand.New(rand.NewPCG(o.Seed, uint64(i)))})
	}
	return s
}

func (s *sampler) captions() []Hypothesis { return s.done }

func (s *sampler) advance(logits []float32) ([]next, error) {
	var live []draw
	var out []next
	for r, d := range s.live {
		row := logits[r*s.vocab : (r+1)*s.vocab]
		if err := s.o.logProbs(row, d.ids); err != nil {
			return nil, err
		}
		c, err := s.pick(row, d.rng)
		if err != nil {
			return nil, err
		}
		if c.word == vocab.End {
			s.done[d.index] = d.ended(c.lp)
			continue
		}
		d.branch = d.grown(c.word, c.lp)
		live = append(live, d)
		out = append(out, next{row: r, word: c.word})
	}
	s.live = live
	return out, nil
}

// pick draws a word: from the TopK most probable, and of these from the fewest that
// reach the probability TopP (Holtzman et al. 2020, section 3.1).
func (s *sampler) pick(lps []float32, rng *rand.Rand) (candidate, error) {
	s.cand = top(s.cand[:0], lps, s.o.TopK)
	if len(s.cand) == 0 {
		return candidate{}, errNoWord
	}
	sum := 0.0
	for i := range s.cand {
		c := &s.cand[i]
		c.total = math.Exp((c.lp - s.cand[0].lp) / s.o.Temperature)
		sum += c.total
	}
	nucleus := 0.0
	n := 0
	for n < len(s.cand) && nucleus < s.o.TopP*sum {
		nucleus += s.cand[n].total
		n++
	}
	u := rng.Float64() * nucleus
	for _, c := range s.cand[:n-1] {
		if u -= c.total; u < 0 {
			return c, nil
		}
	}
	return s.cand[n-1], nil
}
