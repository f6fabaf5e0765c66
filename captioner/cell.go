package captioner

import (
	"github.com/onetomany/caption/internal/kernels/vmath"
)

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
			vmath.Tanh(h, pre)
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
	vmath.Sigmoid(pre[:3*n], pre)
	vmath.Tanh(u, u)
	vmath.Mul(c, c, f)
	vmath.MulAdd(c, i, u)
	vmath.Tanh(h, c)
	vmath.Mul(h, h, o)
}

// gru advances one row with rec = Wh·h; pre and rec are used up.
func gru(pre, rec, bhn, h []float32) {
	n := len(h)
	r, z, u := pre[:n], pre[n:2*n], pre[2*n:]
	vmath.Add(pre[:2*n], pre, rec)
	vmath.Sigmoid(pre[:2*n], pre)
	rec = rec[2*n:]
	vmath.Add(rec, rec, bhn)
	vmath.MulAdd(u, r, rec)
	vmath.Tanh(u, u)
	// (1−z)∘u + z∘h = u + z∘(h−u)
	vmath.Sub(h, h, u)
	vmath.Mul(h, h, z)
	vmath.Add(h, h, u)
}
