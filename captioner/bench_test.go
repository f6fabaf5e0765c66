package captioner

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// randomDecoder has weights of about the size that training gives.
func randomDecoder(c Cell, e Entry, d, emb, h, v int) *Decoder {
	rng := rand.New(rand.NewPCG(1, 2))
	dec, err := NewDecoder(Form{c, e, []int{d}, emb, h, v})
	if err != nil {
		panic(err)
	}
	for _, p := range dec.Params() {
		for i := range dec.Weights[p.Name] {
			if x := float32(rng.NormFloat64()); !p.Positive {
				dec.Weights[p.Name][i] = x * 0.05
			}
		}
	}
	return dec
}

func randomFeatures(n, d int) [][]float32 {
	rng := rand.New(rand.NewPCG(3, 4))
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, d)
		for j := range out[i] {
			out[i][j] = float32(rng.NormFloat64())
		}
	}
	return out
}

func BenchmarkNewGenerator(b *testing.B) {
	d := randomDecoder(LSTM, Every, 1280, 512, 512, 2600)
	for b.Loop() {
		newGenerator(d)
	}
}

func BenchmarkCaptions(b *testing.B) {
	g := newGenerator(randomDecoder(LSTM, Every, 1280, 512, 512, 2600))
	f := randomFeatures(64, 1280)
	for _, beam := range []int{1, 3, 10} {
		b.Run(fmt.Sprint("beam", beam), func(b *testing.B) {
			for b.Loop() {
				if _, err := g.Captions(context.Background(), f[0], with(Options{Beam: beam})); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("batch64/beam", beam), func(b *testing.B) {
			for b.Loop() {
				if _, err := g.Batch(context.Background(), f, with(Options{Beam: beam}), 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
