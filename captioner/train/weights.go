package train

import (
	"math"
	"math/rand/v2"

	"github.com/onetomany/caption/captioner"
)

// weight is one learnt array of a decoder.
type weight struct {
	name  string
	shape []int
	data  []float32
}

// weights lists the learnt arrays of a decoder, always in the same order; they
// share its memory. Arrays that the decoder does not use are left out.
func weights(d *captioner.Decoder) []weight {
	var ws []weight
	for _, f := range fields(d) {
		if f.used {
			ws = append(ws, weight{f.name, f.shape, *f.data})
		}
	}
	return ws
}

type field struct {
	name  string
	shape []int
	data  *[]float32
	used  bool
}

func fields(d *captioner.Decoder) []field {
	every, gru := d.Entry == captioner.Every, d.Cell == captioner.GRU
	c, _ := cellOf(d.Cell)
	gh := c.gates * d.H
	return []field{
		{"Embed", []int{d.V, d.E}, &d.Embed, true},
		{"FirstW", []int{d.E, d.D}, &d.FirstW, true},
		{"FirstB", []int{d.E}, &d.FirstB, true},
		{"EveryW", []int{d.E, d.D}, &d.EveryW, every},
		{"EveryB", []int{d.E}, &d.EveryB, every},
		{"Wx", []int{gh, d.E}, &d.Wx, true},
		{"Wh", []int{gh, d.H}, &d.Wh, true},
		{"B", []int{gh}, &d.B, true},
		{"BHn", []int{d.H}, &d.BHn, gru},
		{"OutW", []int{d.V, d.H}, &d.OutW, true},
		{"OutB", []int{d.V}, &d.OutB, true},
	}
}

// newDecoder returns a decoder of the same form as like, its learnt arrays
// zero; Mean and Std are shared.
func newDecoder(like captioner.Decoder) *captioner.Decoder {
	d := like
	for _, f := range fields(&d) {
		*f.data = nil
		if f.used {
			n := 1
			for _, s := range f.shape {
				n *= s
			}
			*f.data = make([]float32, n)
		}
	}
	return &d
}

// copyWeights copies the learnt arrays of src into those of dst.
func copyWeights(dst, src *captioner.Decoder) {
	from := weights(src)
	for i, w := range weights(dst) {
		copy(w.data, from[i].data)
	}
}

// initialise draws the weights before training:
//
//	Embed                     U(−0.1, 0.1)
//	FirstW, EveryW, Wx, OutW  U(−1/√in, 1/√in), as PyTorch's linear layers
//	Wh                        U(−1/√H, 1/√H); for the RNN a random orthogonal
//	                          matrix, so that what it saw neither fades nor
//	                          explodes over the steps (Le, Jaitly and Hinton 2015)
//	biases                    0; the LSTM's forget gate 1 (Jozefowicz et al. 2015)
func initialise(d *captioner.Decoder, seed int64) {
	for i, w := range weights(d) {
		r := source(seed, streamInit, uint64(i))
		switch w.name {
		case "Embed":
			uniform(w.data, r, 0.1)
		case "Wh":
			if d.Cell == captioner.RNN {
				orthogonal(w.data, d.H, r)
				break
			}
			fallthrough
		case "FirstW", "EveryW", "Wx", "OutW":
			uniform(w.data, r, 1/math.Sqrt(float64(w.shape[1])))
		case "B":
			if d.Cell == captioner.LSTM {
				for k := d.H; k < 2*d.H; k++ {
					w.data[k] = 1
				}
			}
		}
	}
}

func uniform(x []float32, r *rand.Rand, limit float64) {
	for i := range x {
		x[i] = float32((2*r.Float64() - 1) * limit)
	}
}

// orthogonal fills the n×n matrix w with orthonormal rows, by Gram and Schmidt.
func orthogonal(w []float32, n int, r *rand.Rand) {
	q := make([]float64, n*n)
	for i := range n {
		v := q[i*n:][:n]
		for k := range v {
			v[k] = r.NormFloat64()
		}
		for range 2 { // once more, for what rounding left
			for j := range i {
				u := q[j*n:][:n]
				var dot float64
				for k := range v {
					dot += v[k] * u[k]
				}
				for k := range v {
					v[k] -= dot * u[k]
				}
			}
		}
		var norm float64
		for _, x := range v {
			norm += x * x
		}
		norm = math.Sqrt(norm)
		for k := range v {
			v[k] /= norm
			w[i*n+k] = float32(v[k])
		}
	}
}
