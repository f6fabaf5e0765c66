package train

import (
	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/rnn"
)

// learnt lists the learnt weights of a decoder in the order of checkpoints and of
// random streams: the embedding first, then as in a model file.
func learnt(f captioner.Form) []rnn.Param {
	var ps []rnn.Param
	for _, lookup := range []bool{true, false} {
		for _, p := range f.Params() {
			if p.Lookup == lookup && !p.Statistic {
				ps = append(ps, p)
			}
		}
	}
	return ps
}

// values returns the learnt weights of d in the order of learnt.
func values(d *captioner.Decoder) [][]float32 {
	var ws [][]float32
	for _, p := range learnt(d.Form) {
		ws = append(ws, d.Weights[p.Name])
	}
	return ws
}

// initialise draws the weights before training.
func initialise(d *captioner.Decoder, seed int64) {
	for i, p := range learnt(d.Form) {
		if p.Init != nil {
			shape := d.Shape(p)
			p.Init(d.Weights[p.Name], shape[len(shape)-1], source(seed, streamInit, uint64(i)))
		}
	}
}

func copyWeights(dst, src *captioner.Decoder) {
	for name, w := range src.Weights {
		copy(dst.Weights[name], w)
	}
}
