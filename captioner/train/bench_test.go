package train

import (
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/rnn"
)

// BenchmarkStep is a step on 100 captions of the lengths of Flickr8k.
func BenchmarkStep(b *testing.B) {
	for _, cell := range []captioner.Cell{captioner.RNN, captioner.GRU, captioner.LSTM} {
		b.Run(string(cell), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			d, err := captioner.NewDecoder(captioner.Form{Cell: cell, Entry: captioner.Every, Features: []int{1280}, E: 512, H: 512, V: 2538})
			if err != nil {
				b.Fatal(err)
			}
			initialise(d, 1)
			features := make([]float32, 100*d.D())
			rnn.Uniform(2)(features, 0, r)
			examples := make([]example, 100)
			words := 0
			for i := range examples {
				w := make([]int, max(4, int(10.8+3.8*r.NormFloat64())))
				for k := range w {
					w[k] = 3 + r.IntN(d.V-3)
				}
				examples[i] = example{i, w, true}
				words += len(w) + 1
			}
			m, err := newGraph(d, maxRows(examples, 100), 0.1, 2)
			if err != nil {
				b.Fatal(err)
			}
			var avg [][]float32
			for _, w := range values(d) {
				avg = append(avg, make([]float32, len(w)))
			}
			a := newAdam(avg, 5, 0.998, 2)
			a.rate = 1e-3
			b.ReportAllocs()
			for b.Loop() {
				m.batch.pack(examples, features, d.D())
				m.batch.drop = 0.5
				if _, err := m.run(); err != nil {
					b.Fatal(err)
				}
				if err := a.Step(G.NodesToValueGrads(m.params)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(words)*float64(b.N)/b.Elapsed().Seconds(), "words/s")
		})
	}
}
