package train

import (
	"math"
	"testing"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/vocab"
)

// twin computes the loss of examples as the formulas of captioner.Decoder say,
// one caption after the other, in float64 and without any code of the operators.
// Dropout is that of b, the batch packed from the same examples.
type twin struct {
	tb     testing.TB
	d      *captioner.Decoder
	w      map[string][]float64
	smooth float64
}

func newTwin(tb testing.TB, d *captioner.Decoder, smooth float64) *twin {
	t := &twin{tb, d, map[string][]float64{}, smooth}
	for _, p := range learnt(d.Form) {
		x := make([]float64, len(d.Weights[p.Name]))
		for i, v := range d.Weights[p.Name] {
			x[i] = float64(v)
		}
		t.w[p.Symbol] = x
	}
	return t
}

// twinShares are what the image adds to the input [E] of every word, entry by entry,
// given the standardised features v.
var twinShares = map[captioner.Entry]func(t *twin, v []float64) []float64{
	captioner.Init:  func(t *twin, _ []float64) []float64 { return make([]float64, t.d.E) },
	captioner.Every: func(t *twin, v []float64) []float64 { return affine(t.w["EveryW"], v, t.w["EveryB"]) },
}

// affine returns W·x + b; W is [len(b),len(x)].
func affine(w, x, b []float64) []float64 {
	y := make([]float64, len(b))
	for i := range y {
		y[i] = b[i]
		for k, v := range x {
			y[i] += w[i*len(x)+k] * v
		}
	}
	return y
}

func (t *twin) mask(b *batch, stream uint64, row, n int) []float64 {
	m32 := make([]float32, n)
	dropMask(m32, mix(b.key+stream), row*n, b.drop)
	m := make([]float64, n)
	for i, v := range m32 {
		m[i] = float64(v)
	}
	return m
}

func (t *twin) loss(examples []example, b *batch, features []float32) float64 {
	var sum float64
	words := 0
	for i, e := range examples {
		v := make([]float64, t.d.D())
		for k := range v {
			v[k] = float64(features[e.photo*t.d.D()+k])
		}
		h, c := make([]float64, t.d.H), make([]float64, t.d.H)
		for s := range e.steps() {
			row := b.off[s] + i
			h, c = t.cell(t.input(e, s, v, b, row), h, c)
			if s == 0 {
				continue
			}
			target := vocab.End
			if s-1 < len(e.words) {
				target = e.words[s-1]
			}
			y := append([]float64(nil), h...)
			if b.drop > 0 {
				for k, m := range t.mask(b, streamDropoutOut, row-b.n, t.d.H) {
					y[k] *= m
				}
			}
			sum += t.entropy(affine(t.w["OutW"], y, t.w["OutB"]), target)
			words++
		}
	}
	return sum / float64(words)
}

func (t *twin) input(e example, s int, v []float64, b *batch, row int) []float64 {
	E := t.d.E
	x := make([]float64, E)
	if s == 0 {
		x = affine(t.w["FirstW"], v, t.w["FirstB"])
	} else {
		word := vocab.Start
		if s > 1 {
			word = e.words[s-2]
		}
		copy(x, t.w["Embed"][word*E:])
		share := twinShares[t.d.Entry]
		if share == nil {
			t.tb.Fatalf("twinShares has no row for entry %s", t.d.Entry)
		}
		for k, y := range share(t, v) {
			x[k] += y
		}
	}
	if b.drop > 0 {
		for k, m := range t.mask(b, streamDropoutIn, row, E) {
			x[k] *= m
		}
	}
	return x
}

func (t *twin) cell(x, h, c []float64) ([]float64, []float64) {
	H := t.d.H
	sig := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	zero := make([]float64, len(t.w["B"]))
	wx, wh := affine(t.w["Wx"], x, t.w["B"]), affine(t.w["Wh"], h, zero)
	h2, c2 := make([]float64, H), make([]float64, H)
	for k := range H {
		switch t.d.Cell {
		case captioner.RNN:
			h2[k] = math.Tanh(wx[k] + wh[k])
		case captioner.LSTM:
			pre := func(g int) float64 { return wx[g*H+k] + wh[g*H+k] }
			c2[k] = sig(pre(1))*c[k] + sig(pre(0))*math.Tanh(pre(3))
			h2[k] = sig(pre(2)) * math.Tanh(c2[k])
		case captioner.GRU:
			r, z := sig(wx[k]+wh[k]), sig(wx[H+k]+wh[H+k])
			n := math.Tanh(wx[2*H+k] + r*(wh[2*H+k]+t.w["BHn"][k]))
			h2[k] = (1-z)*n + z*h[k]
		default:
			t.tb.Fatalf("the twin has no cell %s", t.d.Cell)
		}
	}
	return h2, c2
}

// entropy is the cross-entropy with the smoothed target.
func (t *twin) entropy(logits []float64, target int) float64 {
	var z float64
	for _, x := range logits {
		z += math.Exp(x)
	}
	var loss float64
	for k, x := range logits {
		q := t.smooth / float64(len(logits))
		if k == target {
			q += 1 - t.smooth
		}
		loss -= q * (x - math.Log(z))
	}
	return loss
}
