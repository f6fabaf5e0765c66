package captioner

import "github.com/onetomany/caption/internal/kernels"

// cell advances the states h and c of n rows. On entry s.pre holds Wx·x + B
// and the image's part; h and c hold the states of the step before.
func (g *Generator) cell(s *scratch, n int) {
	size := g.d.H
	if g.d.Cell == GRU {
		s.rec = grow(s.rec, n*g.gates)
		g.wh.mul(s, n, s.h, s.rec, nil)
	} else {
		g.wh.add(s, n, s.h, s.pre)
	}
	for r := range n {
		pre := s.pre[r*g.gates : (r+1)*g.gates]
		h := s.h[r*size : (r+1)*size]
		switch g.d.Cell {
		case RNN:
			kernels.Tanh(h, pre)
		case LSTM:
			lstm(pre, h, s.c[r*size:(r+1)*size])
		case GRU:
			gru(pre, s.rec[r*g.gates:(r+1)*g.gates], g.d.BHn, h)
		}
	}
}

// lstm advances one row; pre is used up.
func lstm(pre, h, c []float32) {
	n := len(h)
	i, f, o, u := pre[:n], pre[n:2*n], pre[2*n:3*n], pre[3*n:]
	kernels.Sigmoid(pre[:3*n], pre)
	kernels.Tanh(u, u)
	kernels.Mul(c, c, f)
	kernels.MulAdd(c, i, u)
	kernels.Tanh(h, c)
	kernels.Mul(h, h, o)
}

// gru advances one row with rec = Wh·h; pre and rec are used up.
func gru(pre, rec, bhn, h []float32) {
	n := len(h)
	r, z, u := pre[:n], pre[n:2*n], pre[2*n:]
	kernels.Add(pre[:2*n], pre, rec)
	kernels.Sigmoid(pre[:2*n], pre)
	rec = rec[2*n:]
	kernels.Add(rec, rec, bhn)
	kernels.MulAdd(u, r, rec)
	kernels.Tanh(u, u)
	// (1−z)∘u + z∘h = u + z∘(h−u)
	kernels.Sub(h, h, u)
	kernels.Mul(h, h, z)
	kernels.Add(h, h, u)
}
