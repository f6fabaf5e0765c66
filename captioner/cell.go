package captioner

import "math"

// cell advances the states h and c of n rows. On entry s.pre holds Wx·x + B
// and the image's part; h and c hold the states of the step before.
func (g *Generator) cell(s *scratch, n int) {
	size := g.d.H
	if g.d.Cell == GRU {
		s.rec = grow(s.rec, n*g.gates)
		g.wh.mul(n, s.h, s.rec, nil)
	} else {
		g.wh.add(n, s.h, s.pre)
	}
	for r := range n {
		pre := s.pre[r*g.gates : (r+1)*g.gates]
		h := s.h[r*size : (r+1)*size]
		c := s.c[r*size : (r+1)*size]
		switch g.d.Cell {
		case RNN:
			for j := range h {
				h[j] = tanh(pre[j])
			}
		case LSTM:
			i, f, o, u := pre[:size], pre[size:2*size], pre[2*size:3*size], pre[3*size:]
			for j := range h {
				c[j] = sigmoid(f[j])*c[j] + sigmoid(i[j])*tanh(u[j])
				h[j] = sigmoid(o[j]) * tanh(c[j])
			}
		case GRU:
			rec := s.rec[r*g.gates : (r+1)*g.gates]
			for j := range h {
				reset := sigmoid(pre[j] + rec[j])
				z := sigmoid(pre[size+j] + rec[size+j])
				u := tanh(pre[2*size+j] + reset*(rec[2*size+j]+g.d.BHn[j]))
				h[j] = (1-z)*u + z*h[j]
			}
		}
	}
}

func sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

func tanh(x float32) float32 { return float32(math.Tanh(float64(x))) }
