package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/rnn"
)

// problem is a small decoder and a batch of captions of several lengths, one of
// them cut.
type problem struct {
	d        *captioner.Decoder
	examples []example
	features []float32
	graph    *graph
}

func newProblem(t testing.TB, cell captioner.Cell, entry captioner.Entry, drop, smooth float64, threads int) *problem {
	r := rand.New(rand.NewPCG(3, 4))
	d, err := captioner.NewDecoder(captioner.Form{Cell: cell, Entry: entry, Features: []int{5}, E: 6, H: 7, V: 11})
	if err != nil {
		t.Fatal(err)
	}
	p := &problem{d: d}
	for _, w := range values(p.d) {
		rnn.Uniform(0.7)(w, 0, r)
	}
	p.features = make([]float32, 3*p.d.D())
	rnn.Uniform(2)(p.features, 0, r)
	p.examples = []example{
		{0, []int{4, 5, 6}, true},
		{1, []int{7}, true},
		{1, []int{4, 4, 8, 9, 10}, false},
		{2, []int{3, 5}, true},
		{0, []int{6, 5, 7, 8, 3, 4}, true},
	}
	m, err := newGraph(p.d, maxRows(p.examples, 5)+3, smooth, threads)
	if err != nil {
		t.Fatal(err)
	}
	p.graph = m
	m.batch.pack(p.examples, p.features, p.d.D())
	m.batch.key, m.batch.drop = 99, drop
	return p
}

// eachForm runs f for every cell with every entry.
func eachForm(t *testing.T, f func(t *testing.T, cell captioner.Cell, entry captioner.Entry)) {
	for _, cell := range captioner.Cells() {
		for _, entry := range captioner.Entries() {
			t.Run(cell+"/"+entry, func(t *testing.T) { f(t, captioner.Cell(cell), captioner.Entry(entry)) })
		}
	}
}

// TestGradients compares the gradients of the fused operators with differences
// of the loss of the float64 twin.
func TestGradients(t *testing.T) {
	eachForm(t, func(t *testing.T, cell captioner.Cell, entry captioner.Entry) {
		for _, drop := range []float64{0, 0.4} {
			t.Run(fmt.Sprintf("dropout %v", drop), func(t *testing.T) {
				p := newProblem(t, cell, entry, drop, 0.1, 2)
				tw := newTwin(t, p.d, 0.1)
				want := tw.loss(p.examples, p.graph.batch, p.features)
				for pass := range 2 { // the second run must not see the first
					got, err := p.graph.run()
					if err != nil {
						t.Fatal(err)
					}
					if math.Abs(got-want) > 1e-6*want {
						t.Fatalf("loss %v, want %v", got, want)
					}
					checkGradients(t, p, tw)
					if pass == 0 {
						for _, n := range p.graph.params {
							g, _ := n.Grad()
							clear(g.Data().([]float32))
						}
					}
				}
			})
		}
	})
}

// TestGenerator holds captioning to training: the captions that are written for a photo
// have the log-probabilities that the training graph gives to their words.
func TestGenerator(t *testing.T) {
	eachForm(t, func(t *testing.T, cell captioner.Cell, entry captioner.Entry) {
		p := newProblem(t, cell, entry, 0, 0, 1)
		g, err := captioner.NewGenerator(p.d)
		if err != nil {
			t.Fatal(err)
		}
		o := captioner.Defaults()
		o.Num, o.Sample, o.TopK, o.MaxWords, o.NoRepeat = 8, true, 0, 6, 0
		longest := 0
		for photo := range len(p.features) / p.d.D() {
			captions, err := g.Captions(t.Context(), row(p.features, photo, p.d.D()), o)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range captions {
				longest = max(longest, len(c.IDs))
				p.graph.batch.pack([]example{{photo, c.IDs, true}}, p.features, p.d.D())
				loss, err := p.graph.run()
				if err != nil {
					t.Fatal(err)
				}
				if want := -loss * float64(len(c.IDs)+1); math.Abs(c.LogProb-want) > 1e-5 {
					t.Errorf("photo %d, words %v: log-probability %v, in training %v", photo, c.IDs, c.LogProb, want)
				}
			}
		}
		if longest < 4 {
			t.Errorf("the longest caption has %d words: the test is void", longest)
		}
	})
}

func checkGradients(t *testing.T, p *problem, tw *twin) {
	t.Helper()
	for i, w := range learnt(p.d.Form) {
		g, err := p.graph.params[i].Grad()
		if err != nil {
			t.Fatal(err)
		}
		var diff, size float64
		x := tw.w[w.Symbol]
		for k, got := range g.Data().([]float32) {
			const h = 1e-5
			old := x[k]
			x[k] = old + h
			up := tw.loss(p.examples, p.graph.batch, p.features)
			x[k] = old - h
			down := tw.loss(p.examples, p.graph.batch, p.features)
			x[k] = old
			want := (up - down) / (2 * h)
			diff += (float64(got) - want) * (float64(got) - want)
			size += want * want
		}
		if rel := math.Sqrt(diff / size); !(rel < 2e-6) {
			t.Errorf("gradient of %s: off by %.2g of its length %.2g", w.Symbol, rel, math.Sqrt(size))
		}
	}
}
