package train

import (
	"math"

	"github.com/onetomany/caption/internal/kernels/vmath"
	G "gorgonia.org/gorgonia"
)

// crossEntropy is the mean, over the N words to be predicted, of the cross-entropy
// between softmax(logits) and the smoothed target, which gives the word itself
// 1−ε and spreads ε evenly over all V words (Szegedy et al. 2016, section 7):
//
//	y = dropout(h);  logits = OutW·y + OutB
//	loss = (1/N)·Σ −(1−ε)·log p[target] − (ε/V)·Σ log p
//
// Rows of step 0 predict nothing and are left out; a packed batch has no padding to
// mask. Inputs: h [rows,H], OutW [V,H], OutB [V]. Output: a scalar.
type crossEntropy struct {
	op
	h, v   int
	smooth float64

	mask  []float32 // [N,H]
	y     []float32 // [N,H]
	p     []float32 // [N,V] logits, then probabilities, then d(logits)
	dy    []float32 // [N,H]
	terms []float64 // [N]
	loss  float64   // the output, before it is rounded to float32
}

func (o *crossEntropy) logits() linear { return linear{o.h, o.v, o.threads} }

// Do is the forward pass.
func (o *crossEntropy) Do(in ...G.Value) (G.Value, error) {
	b, w := o.b, data(in)
	H, V, N := o.h, o.v, b.rows()-b.n
	hs := w[0][b.n*H:]
	o.y, o.p = grow(o.y, N*H), grow(o.p, N*V)
	o.mask = grow(o.mask, N*H)
	if cap(o.terms) < N {
		o.terms = make([]float64, N)
	}
	o.parallel(N, func(lo, hi int) {
		copy(o.y[lo*H:hi*H], hs[lo*H:])
		for i := lo; i < hi; i++ {
			b.dropout(row(o.y, i, H), row(o.mask, i, H), streamDropoutOut, i*H)
		}
	})
	o.logits().forward(o.p, o.y, w[1], w[2], N)
	o.parallel(N, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			o.terms[i] = o.softmax(row(o.p, i, V), b.target[b.n+i])
		}
	})
	o.loss = 0
	for _, l := range o.terms[:N] {
		o.loss += l
	}
	o.loss /= float64(N)
	f := G.F32(o.loss)
	return &f, nil
}

// softmax turns the logits of a row into probabilities and returns its loss.
func (o *crossEntropy) softmax(x []float32, target int) float64 {
	peak := vmath.Max(x)
	for k := range x {
		x[k] -= peak
	}
	hit, mean := float64(x[target]), float64(vmath.Sum(x))/float64(len(x))
	vmath.Exp(x, x)
	sum := vmath.Sum(x)
	vmath.Scale(x, 1/sum, x)
	return math.Log(float64(sum)) - (1-o.smooth)*hit - o.smooth*mean
}

// DoDiff is the backward pass:
//
//	dlogits = (p − smoothed target)/N · d(output)
//	dOutW += dlogitsᵀ·y;  dOutB += Σ dlogits;  dh += mask∘(dlogits·OutW)
func (o *crossEntropy) DoDiff(_ G.ExecutionContext, in G.Nodes, out *G.Node) error {
	w, g, dy, err := duals(in, out)
	if err != nil {
		return err
	}
	b := o.b
	H, V, N := o.h, o.v, b.rows()-b.n
	scale := dy.(float32) / float32(N)
	spread := float32(o.smooth / float64(V))
	o.parallel(N, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p := row(o.p, i, V)
			for k := range p {
				p[k] = (p[k] - spread) * scale
			}
			p[b.target[b.n+i]] -= float32(1-o.smooth) * scale
		}
	})
	o.logits().backward(g[1], g[2], o.y, o.p, N)
	o.dy = grow(o.dy, N*H)
	o.logits().input(o.dy, o.p, w[1], N, false)
	dh := g[0][b.n*H:]
	o.parallel(N, func(lo, hi int) {
		dy := o.dy[lo*H : hi*H]
		if b.drop > 0 {
			vmath.Mul(dy, dy, o.mask[lo*H:])
		}
		vmath.Add(dh[lo*H:hi*H], dh[lo*H:], dy)
	})
	return nil
}
