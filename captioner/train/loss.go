package train

import (
	"math"

	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// crossEntropy is the mean over the words to be said of the cross-entropy
// between softmax(logits) and the smoothed target, which gives the word itself
// 1−ε and spreads ε evenly over all V words (Szegedy et al. 2016, section 7):
//
//	y = dropout(h);  logits = OutW·y + OutB
//	loss = (1/N)·Σ −(1−ε)·log p[target] − (ε/V)·Σ log p
//
// Rows of step 0 say nothing and are left out; a packed batch has no padding to
// mask. Inputs: h [rows,H], OutW [V,H], OutB [V]. Output: a scalar.
type crossEntropy struct {
	op
	b       *batch
	h, v    int
	smooth  float64
	threads int

	mask  []float32 // [N,H]
	y     []float32 // [N,H]
	p     []float32 // [N,V] logits, then probabilities, then d(logits)
	dy    []float32 // [N,H]
	terms []float64 // [N]
	loss  float64   // the output, before it is rounded to float32
}

func newCrossEntropy(b *batch, h, v int, smooth float64, threads int) *crossEntropy {
	return &crossEntropy{
		op: op{"crossEntropy", []int{2, 2, 1}, tensor.ScalarShape()},
		b:  b, h: h, v: v, smooth: smooth, threads: threads,
	}
}

// Do is the forward pass.
func (o *crossEntropy) Do(in ...G.Value) (G.Value, error) {
	b, w := o.b, values(in)
	H, V, N := o.h, o.v, b.rows()-b.n
	hs := w[0][b.n*H:]
	o.y, o.p = grow(o.y, N*H), grow(o.p, N*V)
	o.mask = grow(o.mask, N*H)
	if cap(o.terms) < N {
		o.terms = make([]float64, N)
	}
	parallel(o.threads, N, func(lo, hi int) {
		copy(o.y[lo*H:hi*H], hs[lo*H:])
		if b.drop == 0 {
			return
		}
		for i := lo; i < hi; i++ {
			m := row(o.mask, i, H)
			dropMask(m, mix(b.key+streamDropoutOut), i*H, b.drop)
			y := row(o.y, i, H)
			vmath.Mul(y, y, m)
		}
	})
	linear(o.p, o.y, w[1], w[2], N, H, V, o.threads)
	parallel(o.threads, N, func(lo, hi int) {
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
	w, g, err := duals(in)
	if err != nil {
		return err
	}
	up, err := out.Grad()
	if err != nil {
		return err
	}
	b := o.b
	H, V, N := o.h, o.v, b.rows()-b.n
	scale := up.Data().(float32) / float32(N)
	spread := float32(o.smooth / float64(V))
	parallel(o.threads, N, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p := row(o.p, i, V)
			for k := range p {
				p[k] = (p[k] - spread) * scale
			}
			p[b.target[b.n+i]] -= float32(1-o.smooth) * scale
		}
	})
	linearGrad(g[1], g[2], o.y, o.p, N, H, V, o.threads)
	o.dy = grow(o.dy, N*H)
	matmul.Mul(false, false, N, H, V, o.p, V, w[1], H, false, o.dy, H, workers.Threads(o.threads))
	dh := g[0][b.n*H:]
	parallel(o.threads, N, func(lo, hi int) {
		dy := o.dy[lo*H : hi*H]
		if b.drop > 0 {
			vmath.Mul(dy, dy, o.mask[lo*H:])
		}
		vmath.Add(dh[lo*H:hi*H], dh[lo*H:], dy)
	})
	return nil
}
