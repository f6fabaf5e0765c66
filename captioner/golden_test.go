package captioner

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/onetomany/caption/vocab"
)

// golden is one case of testdata/golden.json: a decoder and every sentence of
// at most MaxWords words with its log-probabilities from PyTorch.
type golden struct {
	Raw       map[string]json.RawMessage `json:"decoder"` // sizes, and weights by their symbols
	Decoder   *Decoder                   `json:"-"`
	Features  []float32
	MaxWords  int
	Sentences []struct {
		IDs      []int
		LogProbs []float64 // of the words and of the end
	}
	word map[string]float64 // log-probability of a prefix's last word
}

// read returns the decoder of Raw.
func (c *golden) read(t testing.TB) *Decoder {
	get := func(name string, to any) {
		if err := json.Unmarshal(c.Raw[name], to); err != nil {
			t.Fatal(name, err)
		}
	}
	f := Form{Features: []int{0}}
	for name, to := range map[string]any{"Cell": &f.Cell, "Entry": &f.Entry, "D": &f.Features[0], "E": &f.E, "H": &f.H, "V": &f.V} {
		get(name, to)
	}
	d := &Decoder{Form: f, Weights: map[string][]float32{}}
	for _, p := range f.Params() {
		var w []float32
		get(p.Symbol, &w)
		d.Weights[p.Name] = w
	}
	return d
}

func key(ids ...int) string { return fmt.Sprint(ids) }

func readGolden(t testing.TB) []*golden {
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []*golden
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 6 {
		t.Fatalf("%d cases, want every cell with every entry", len(cases))
	}
	for _, c := range cases {
		c.Decoder = c.read(t)
		c.word = map[string]float64{}
		for _, s := range c.Sentences {
			ids := append(slices.Clone(s.IDs), vocab.End)
			for i := range ids {
				c.word[key(ids[:i+1]...)] = s.LogProbs[i]
			}
		}
	}
	return cases
}

func eachGolden(t *testing.T, f func(t *testing.T, c *golden, g *Generator)) {
	for _, c := range readGolden(t) {
		t.Run(fmt.Sprint(c.Decoder.Cell, "/", c.Decoder.Entry), func(t *testing.T) {
			g, err := NewGenerator(c.Decoder)
			if err != nil {
				t.Fatal(err)
			}
			f(t, c, g)
		})
	}
}

// sentence is a whole sentence of the reference searches.
type sentence struct {
	ids   []int
	lp    float64
	score float64
}

// all returns every sentence that may be written, best first.
func (c *golden) all(power float64) []sentence {
	var out []sentence
	for _, s := range c.Sentences {
		lp := 0.0
		for _, x := range s.LogProbs {
			lp += x
		}
		out = append(out, sentence{s.IDs, lp, lp / math.Pow(float64(len(s.LogProbs)), power)})
	}
	sortSentences(out)
	return out
}

func sortSentences(s []sentence) {
	slices.SortFunc(s, func(a, b sentence) int { return cmp.Compare(b.score, a.score) })
}

// search is a beam search over the table of PyTorch's log-probabilities,
// without early stopping.
func (c *golden) search(width int, power float64) []sentence {
	live := []sentence{{}}
	var done []sentence
	for len(live) > 0 {
		var cand []sentence
		for _, b := range live {
			for w := range c.Decoder.V {
				ids := append(slices.Clone(b.ids), w)
				if lp, ok := c.word[key(ids...)]; ok { // the table has no suppressed words
					cand = append(cand, sentence{ids: ids, lp: b.lp + lp, score: b.lp + lp})
				}
			}
		}
		sortSentences(cand)
		live = nil
		for _, b := range cand[:min(width, len(cand))] {
			n := len(b.ids)
			if b.ids[n-1] == vocab.End {
				done = append(done, sentence{b.ids[:n-1], b.lp, b.lp / math.Pow(float64(n), power)})
			} else {
				live = append(live, b)
			}
		}
	}
	sortSentences(done)
	return done
}

func check(t *testing.T, c *golden, got []Hypothesis, want []sentence) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d sentences, want %d", len(got), len(want))
	}
	for i, h := range got {
		if !slices.Equal(h.IDs, want[i].ids) {
			t.Errorf("sentence %d is %v, want %v", i, h.IDs, want[i].ids)
			continue
		}
		if math.Abs(h.LogProb-want[i].lp) > 1e-5 {
			t.Errorf("sentence %d: log-probability %v, PyTorch %v", i, h.LogProb, want[i].lp)
		}
		for j, lp := range h.LogProbs {
			if w := c.word[key(h.IDs[:j+1]...)]; math.Abs(lp-w) > 1e-5 {
				t.Errorf("sentence %v word %d: log-probability %v, PyTorch %v", h.IDs, j, lp, w)
			}
		}
	}
}

func TestWideBeamIsExhaustive(t *testing.T) {
	eachGolden(t, func(t *testing.T, c *golden, g *Generator) {
		for _, power := range []float64{0, 0.7, 2} {
			all := c.all(power)
			for _, num := range []int{1, 5, len(all)} {
				got, err := g.Captions(context.Background(), c.Features,
					with(Options{Beam: len(all), Num: num, MaxWords: c.MaxWords, LengthPower: cmp.Or(power, -1)}))
				if err != nil {
					t.Fatal(err)
				}
				check(t, c, got, all[:num])
			}
		}
	})
}

func TestBeamEqualsReference(t *testing.T) {
	eachGolden(t, func(t *testing.T, c *golden, g *Generator) {
		for _, power := range []float64{0, 0.7, 2} {
			for width := 1; width <= 12; width++ {
				want := c.search(width, power)
				num := min(width, len(want))
				got, err := g.Captions(context.Background(), c.Features,
					with(Options{Beam: width, Num: num, MaxWords: c.MaxWords, LengthPower: cmp.Or(power, -1)}))
				if err != nil {
					t.Fatal(err)
				}
				check(t, c, got, want[:num])
			}
		}
	})
}

func TestBeamOneIsGreedy(t *testing.T) {
	eachGolden(t, func(t *testing.T, c *golden, g *Generator) {
		var want sentence
		for {
			best, lp := -1, math.Inf(-1)
			for w := range c.Decoder.V {
				if x, ok := c.word[key(append(slices.Clone(want.ids), w)...)]; ok && x > lp {
					best, lp = w, x
				}
			}
			want.lp += lp
			if best == vocab.End {
				break
			}
			want.ids = append(want.ids, best)
		}
		got, err := g.Captions(context.Background(), c.Features, with(Options{Beam: 1, MaxWords: c.MaxWords}))
		if err != nil {
			t.Fatal(err)
		}
		check(t, c, got, []sentence{want})
	})
}

// TestBatch holds that photos which share matrix products do not touch each
// other: each gets what it gets alone, bit for bit.
func TestBatch(t *testing.T) {
	for _, cell := range Cells() {
		t.Run(string(cell), func(t *testing.T) {
			g := newGenerator(randomDecoder(Cell(cell), Every, 300, 70, 130, 331))
			photos := randomFeatures(2*groupSize+3, 300)
			for _, o := range []*Options{nil, with(Options{Beam: 1}), with(Options{Num: 2, Beam: 7}), with(Options{Num: 3, Sample: true})} {
				got, err := g.Batch(context.Background(), photos, o, 2)
				if err != nil {
					t.Fatal(err)
				}
				for i, f := range photos {
					want, err := g.Captions(context.Background(), f, o)
					if err != nil {
						t.Fatal(err)
					}
					if !reflect.DeepEqual(got[i], want) {
						t.Errorf("options %+v, photo %d: %v, alone %v", o, i, got[i], want)
					}
				}
			}
		})
	}
}
