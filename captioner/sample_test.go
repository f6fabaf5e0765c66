package captioner

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/onetomany/caption/vocab"
)

// probabilities returns the probability of every sentence under sampling with
// o, from the table of PyTorch's log-probabilities.
func (c *golden) probabilities(temperature float64, topK int, topP float64) map[string]float64 {
	out := map[string]float64{}
	var walk func(ids []int, p float64)
	walk = func(ids []int, p float64) {
		if n := len(ids); n > 0 && ids[n-1] == vocab.End {
			out[key(ids[:n-1]...)] = p
			return
		}
		type choice struct {
			word int
			p    float64
		}
		var cs []choice
		for w := range c.Decoder.V {
			if lp, ok := c.word[key(append(slices.Clone(ids), w)...)]; ok {
				cs = append(cs, choice{w, math.Exp(lp / temperature)})
			}
		}
		slices.SortFunc(cs, func(a, b choice) int { return cmp.Compare(b.p, a.p) })
		cs = cs[:min(topK, len(cs))]
		normalise := func() {
			sum := 0.0
			for _, x := range cs {
				sum += x.p
			}
			for i := range cs {
				cs[i].p /= sum
			}
		}
		normalise()
		sum := 0.0
		for i, x := range cs {
			if sum += x.p; sum >= topP-1e-12 {
				cs = cs[:i+1]
				break
			}
		}
		normalise()
		for _, x := range cs {
			walk(append(slices.Clone(ids), x.word), p*x.p)
		}
	}
	walk(nil, 1)
	return out
}

// TestSampling draws many sentences and compares their frequencies with the
// exact probabilities: none is drawn that has none, and each is within five
// standard deviations.
func TestSampling(t *testing.T) {
	eachGolden(t, func(t *testing.T, c *golden, g *Generator) {
		for _, o := range []Options{
			{TopK: -1},
			{TopK: -1, Temperature: 2},
			{TopK: 2},
			{},
			{TopK: -1, TopP: 0.8},
			{TopK: 3, TopP: 0.6, Temperature: 1.5},
		} {
			t.Run(fmt.Sprintf("k%d p%v t%v", o.TopK, o.TopP, o.Temperature), func(t *testing.T) {
				k := o.TopK
				if k < 0 {
					k = c.Decoder.V
				}
				want := c.probabilities(cmp.Or(o.Temperature, 1), cmp.Or(k, 3), cmp.Or(o.TopP, 1))
				o.Sample, o.Num, o.MaxWords = true, maxBeam, c.MaxWords
				count := map[string]int{}
				const rounds = 6
				for seed := range uint64(rounds) {
					o.Seed = seed + 1
					hyps, err := g.Captions(context.Background(), c.Features, with(o))
					if err != nil {
						t.Fatal(err)
					}
					for _, h := range hyps {
						count[key(h.IDs...)]++
						lp := 0.0
						for i := range h.IDs {
							lp += c.word[key(h.IDs[:i+1]...)]
						}
						lp += c.word[key(append(slices.Clone(h.IDs), vocab.End)...)]
						if math.Abs(lp-h.LogProb) > 1e-5 {
							t.Fatalf("%v: log-probability %v, PyTorch %v", h.IDs, h.LogProb, lp)
						}
					}
				}
				n := float64(rounds * maxBeam)
				for s := range count {
					if want[s] == 0 {
						t.Errorf("%s was drawn %d times and has no probability", s, count[s])
					}
				}
				for s, p := range want {
					got := float64(count[s])
					if d := math.Abs(got - n*p); d > 5*math.Sqrt(n*p*(1-p))+1 {
						t.Errorf("%s was drawn %v times of %v, probability %v", s, got, n, p)
					}
				}
			})
		}
	})
}

// TestSeed holds that a seed decides the sentences, and that more captions are
// the same ones and some more.
func TestSeed(t *testing.T) {
	g := newGenerator(randomDecoder(GRU, Every, 8, 8, 16, 50))
	f := randomFeatures(1, 8)[0]
	draw := func(seed uint64, num int) []Hypothesis {
		h, err := g.Captions(context.Background(), f, with(Options{Sample: true, TopK: -1, Num: num, Seed: seed}))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if a, b := draw(5, 4), draw(5, 4); !reflect.DeepEqual(a, b) {
		t.Errorf("one seed, two results: %v, %v", a, b)
	}
	if a, b := draw(5, 2), draw(5, 4)[:2]; !reflect.DeepEqual(a, b) {
		t.Errorf("the first two of four are %v, two alone are %v", b, a)
	}
	if a, b := draw(5, 4), draw(6, 4); reflect.DeepEqual(a, b) {
		t.Error("two seeds, one result")
	}
	if h := draw(5, 2); slices.Equal(h[0].IDs, h[1].IDs) {
		t.Error("both captions are drawn with the same random numbers")
	}
}
