package captioner

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/onetomany/caption/vocab"
)

func TestTop(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		logits := make([]float32, 1+rng.IntN(100))
		for i := range logits {
			logits[i] = float32(rng.IntN(20)) // many equal ones
			if rng.IntN(5) == 0 {
				logits[i] = float32(math.Inf(-1))
			}
		}
		var want []int
		for w, l := range logits {
			if !math.IsInf(float64(l), -1) {
				want = append(want, w)
			}
		}
		slices.SortStableFunc(want, func(a, b int) int { return int(logits[b] - logits[a]) })
		for _, k := range []int{1, 2, 3, 10, 32, 33, 1000} {
			var got []int
			for _, c := range top(nil, logits, k) {
				got = append(got, c.word)
				if c.lp != float64(logits[c.word]) {
					t.Fatalf("word %d has logit %v, got %v", c.word, logits[c.word], c.lp)
				}
			}
			if !slices.Equal(got, want[:min(k, len(want))]) {
				t.Fatalf("top %d of %v: %v, want %v", k, logits, got, want[:min(k, len(want))])
			}
		}
	}
}

func TestSuppress(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		ids  []int
		want []int // words left
	}{
		{"first word", Options{}, nil, []int{4, 5, 6, 7}},
		{"later", Options{}, []int{4}, []int{vocab.End, 4, 5, 6, 7}},
		{"a word", Options{NoRepeat: 1}, []int{5, 4}, []int{vocab.End, 6, 7}},
		{"two words", Options{NoRepeat: 2}, []int{4, 5, 6, 4}, []int{vocab.End, 4, 6, 7}},
		{"two words, the same", Options{NoRepeat: 2}, []int{4, 4}, []int{vocab.End, 5, 6, 7}},
		{"three words, by default", Options{}, []int{4, 5, 6, 7, 4, 5}, []int{vocab.End, 4, 5, 7}},
		{"three words, overlapping", Options{NoRepeat: 3}, []int{4, 4, 4}, []int{vocab.End, 5, 6, 7}},
		{"three words, too few", Options{NoRepeat: 3}, []int{4, 5}, []int{vocab.End, 4, 5, 6, 7}},
		{"no restriction", Options{NoRepeat: -1}, []int{4, 4, 4}, []int{vocab.End, 4, 5, 6, 7}},
		{"last word", Options{MaxWords: 3}, []int{4, 5, 6}, []int{vocab.End}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := with(c.o).checked()
			if err != nil {
				t.Fatal(err)
			}
			logits := make([]float32, 8)
			o.suppress(logits, c.ids)
			var got []int
			for w, l := range logits {
				if l == 0 {
					got = append(got, w)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("words %v are left, want %v", got, c.want)
			}
		})
	}
}

// TestBlocking holds the blocking options to whole searches, on a decoder that
// repeats itself without them.
func TestBlocking(t *testing.T) {
	d := randomDecoder(RNN, Init, 4, 8, 8, 8)
	for i := range d.Weights["out.bias"] {
		d.Weights["out.bias"][i] = float32(i) // later words are likelier, whatever the state
	}
	g := newGenerator(d)
	repeats := func(ids []int) bool {
		for i := 1; i < len(ids); i++ {
			if ids[i] == ids[i-1] {
				return true
			}
		}
		return false
	}
	trigrams := func(ids []int) bool {
		seen := map[[3]int]bool{}
		for i := 2; i < len(ids); i++ {
			k := [3]int(ids[i-2:])
			if seen[k] {
				return true
			}
			seen[k] = true
		}
		return false
	}
	for _, o := range []Options{{}, {Beam: 1}, {Num: 4}, {Sample: true, Num: 4}} {
		run := func(o Options) []int {
			h, err := g.Captions(context.Background(), randomFeatures(1, 4)[0], with(o))
			if err != nil {
				t.Fatal(err)
			}
			return h[0].IDs
		}
		o.NoRepeat = -1
		if ids := run(o); !repeats(ids) || !trigrams(ids) {
			t.Errorf("%+v: %v repeats nothing: the test is void", o, ids)
		}
		o.NoRepeat = 3
		if ids := run(o); trigrams(ids) {
			t.Errorf("%+v: %v repeats three words", o, ids)
		}
		o.NoRepeat = 1
		if ids := run(o); repeats(ids) {
			t.Errorf("%+v: %v repeats a word", o, ids)
		}
	}
}

func TestBrokenDecoder(t *testing.T) {
	for _, c := range []struct {
		name    string
		breakIt func(d *Decoder)
		want    error
	}{
		{"overflow", func(d *Decoder) {
			for i := range d.Weights["out.weight"] {
				d.Weights["out.weight"][i] = math.MaxFloat32
			}
			for i := range d.Weights["out.bias"] {
				d.Weights["out.bias"][i] = math.MaxFloat32
			}
			for i := range d.Weights["cell.b"] {
				d.Weights["cell.b"][i] = 100 // h is 1
			}
		}, errNotFinite},
		{"tiny std", func(d *Decoder) {
			for i := range d.Weights["feature.std"] {
				d.Weights["feature.std"][i] = math.SmallestNonzeroFloat32
			}
		}, errNotFinite},
		{"no word", func(d *Decoder) {
			for i := range d.Weights["cell.b"] {
				d.Weights["cell.b"][i] = 100
			}
			for w := vocab.Unk + 1; w < d.V; w++ {
				d.Weights["out.bias"][w] = -math.MaxFloat32
				for j := range d.H {
					d.Weights["out.weight"][w*d.H+j] = -math.MaxFloat32
				}
			}
		}, errNoWord},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := randomDecoder(LSTM, Every, 4, 8, 8, 8)
			c.breakIt(d)
			g, err := NewGenerator(d)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range []*Options{nil, with(Options{Sample: true})} {
				if h, err := g.Captions(context.Background(), randomFeatures(1, 4)[0], o); err != c.want {
					t.Errorf("%v, error %v; want %v", h, err, c.want)
				}
			}
		})
	}
}

func TestBadFeatures(t *testing.T) {
	g := newGenerator(randomDecoder(LSTM, Every, 4, 8, 8, 8))
	for _, f := range [][]float32{nil, {1, 2, 3}, {1, 2, 3, 4, 5}, {0, float32(math.NaN()), 0, 0}, {float32(math.Inf(1)), 0, 0, 0}} {
		if h, err := g.Captions(context.Background(), f, nil); err == nil {
			t.Errorf("features %v gave %v", f, h)
		}
	}
}

func TestCancel(t *testing.T) {
	g := newGenerator(randomDecoder(LSTM, Every, 4, 8, 8, 8))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.Captions(ctx, randomFeatures(1, 4)[0], nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Captions: %v", err)
	}
	if _, err := g.Batch(ctx, randomFeatures(40, 4), nil, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("Batch: %v", err)
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		field string
		value any
	}{
		{"Num", 0}, {"Num", -1}, {"Num", maxBeam + 1},
		{"Beam", 0}, {"Beam", -1}, {"Beam", maxBeam + 1},
		{"MaxWords", 0}, {"MaxWords", -3}, {"MaxWords", maxWords + 1},
		{"NoRepeat", -1}, {"TopK", -1}, {"Seed", uint64(0)},
		{"TopP", 0.0}, {"TopP", 1.1}, {"TopP", -0.1}, {"TopP", math.NaN()},
		{"Temperature", 0.0}, {"Temperature", -1.0}, {"Temperature", math.Inf(1)},
		{"LengthPower", -1.0}, {"LengthPower", math.NaN()},
	} {
		o := Defaults()
		reflect.ValueOf(o).Elem().FieldByName(c.field).Set(reflect.ValueOf(c.value))
		if oe, ok := errors.AsType[*OptionError](o.Validate()); !ok || oe.Field != c.field {
			t.Errorf("%+v: error %v, want one of %s", o, o.Validate(), c.field)
		}
	}
	for _, o := range []*Options{nil, Defaults(), {Num: 1, Beam: 1, MaxWords: 1, TopP: 1, Temperature: 1, Seed: 1}} {
		if err := o.Validate(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if o, _ := with(Options{Num: 5}).checked(); o.Beam != 5 {
		t.Errorf("5 captions with beam %d", o.Beam)
	}
}

// One photo's sentence is the same on any number of goroutines.
func TestThreads(t *testing.T) {
	for _, cell := range Cells() {
		g := newGenerator(randomDecoder(Cell(cell), Every, 70, 128, 128, 900))
		f := make([]float32, 70)
		for i := range f {
			f[i] = float32(i%9) - 4
		}
		want, err := g.Captions(t.Context(), f, nil)
		if err != nil {
			t.Fatal(err)
		}
		g.threads = 3
		if got, err := g.Captions(t.Context(), f, nil); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v on three goroutines instead of %v", cell, got, err, want)
		}
	}
}
