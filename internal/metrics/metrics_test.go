package metrics

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// golden is a set of captions with the COCO code's scores (testdata/golden.py).
type golden struct {
	Name   string
	Hyps   []string
	Refs   [][]string
	Set    Scores
	Photos []Scores
}

func (g golden) tokens() (hyps [][]string, refs [][][]string) {
	for i, h := range g.Hyps {
		hyps = append(hyps, strings.Fields(h))
		var rs [][]string
		for _, r := range g.Refs[i] {
			rs = append(rs, strings.Fields(r))
		}
		refs = append(refs, rs)
	}
	return hyps, refs
}

func readGolden(t testing.TB) []golden {
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var gs []golden
	if err := json.Unmarshal(data, &gs); err != nil {
		t.Fatal(err)
	}
	return gs
}

// same compares with the accuracy that is promised.
func same(t *testing.T, what string, got, want Scores) {
	t.Helper()
	g := append(got.BLEU[:], got.ROUGEL, got.CIDErD)
	w := append(want.BLEU[:], want.ROUGEL, want.CIDErD)
	for i := range g {
		if !(math.Abs(g[i]-w[i]) <= 1e-9) { // promised are 1e-6
			t.Errorf("%s: got %+v, want %+v", what, got, want)
			return
		}
	}
}

func TestGolden(t *testing.T) {
	for _, g := range readGolden(t) {
		hyps, refs := g.tokens()
		s := newScorer(refs)
		s.score(make([][]string, len(refs))) // must leave no trace
		set, photos := s.score(hyps)
		same(t, g.Name, set, g.Set)
		for i := range photos {
			same(t, g.Name+": "+g.Hyps[i], photos[i], g.Photos[i])
		}
		if got := Score(hyps, refs); got != set {
			t.Errorf("%s: Score gives %v, a scorer %v", g.Name, got, set)
		}
	}
}

// The golden sets must tell apart what they are there for.
func TestGoldenCovers(t *testing.T) {
	gs := readGolden(t)
	if len(gs) < 14 {
		t.Fatalf("%d sets", len(gs))
	}
	var some int
	for _, g := range gs {
		if g.Set.CIDErD > 0.1 && g.Set.BLEU[3] > 0.01 && g.Set.BLEU[3] < 0.99 {
			some++
		}
	}
	if some < 3 {
		t.Errorf("only %d sets with scores between nothing and perfect", some)
	}
}

func TestNoPhotos(t *testing.T) {
	if s := Score(nil, nil); s != (Scores{}) {
		t.Errorf("no photos: %v", s)
	}
	hyps, refs := [][]string{{"a"}, {"a", "dog"}}, [][][]string{nil, {{"a", "dog"}}}
	s, photos := newScorer(refs).score(hyps)
	if photos[0].ROUGEL != 0 || photos[0].CIDErD != 0 || math.IsNaN(s.BLEU[3]+s.ROUGEL+s.CIDErD) {
		t.Errorf("photo without references: %v, %v", s, photos)
	}
}

func TestWrongNumber(t *testing.T) {
	for hyps := range 3 {
		func() {
			defer func() {
				if panics := recover() != nil; panics != (hyps != 1) {
					t.Errorf("%d captions for a photo: panics: %v", hyps, panics)
				}
			}()
			Score(make([][]string, hyps), make([][][]string, 1))
		}()
	}
}

// corpus makes photos as Flickr8k has them.
func corpus(photos int) (hyps [][]string, refs [][][]string) {
	rng := rand.New(rand.NewPCG(1, 2))
	sentence := func() []string {
		s := make([]string, 6+rng.IntN(10))
		for i := range s {
			s[i] = string(rune('a' + int(26*math.Pow(rng.Float64(), 3))))
		}
		return s
	}
	for range photos {
		hyps = append(hyps, sentence())
		var rs [][]string
		for range 5 {
			rs = append(rs, sentence())
		}
		refs = append(refs, rs)
	}
	return hyps, refs
}

// Sums must not depend on the order of maps, nor on other goroutines.
func TestDeterministic(t *testing.T) {
	hyps, refs := corpus(50)
	want, wantPhotos := newScorer(refs).score(hyps)
	s := newScorer(refs)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, photos := s.score(hyps); got != want || !reflect.DeepEqual(photos, wantPhotos) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	wg.Wait()
}

func BenchmarkScore(b *testing.B) {
	hyps, refs := corpus(1000)
	s := newScorer(refs)
	b.Run("score", func(b *testing.B) {
		for b.Loop() {
			s.score(hyps)
		}
	})
	b.Run("references", func(b *testing.B) {
		for b.Loop() {
			newScorer(refs)
		}
	})
}
