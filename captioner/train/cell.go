package train

import (
	"fmt"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// cell is the arithmetic of one kind of recurrent cell on one row, that is one
// caption at one step; all products with matrices are done outside of it.
//
// pre holds Wx·x + B, and rec Wh·h (+ BHn) of the state before, both [gates·H].
// A cell whose gates only need their sum gets it in pre, and rec is nil.
// forward replaces pre by the gates, writes the new h and c, and what backward
// needs into aux [H]. c and cPrev are nil but for the LSTM. hPrev and cPrev are
// nil at the first step, where the state is zero.
//
// backward is given dh, the gradient of h, and for the LSTM dc, that of c. It
// writes the gradient of pre and, where rec is in use, that of rec, and leaves
// in dc the gradient of cPrev, in dh that of hPrev other than through rec.
type cell struct {
	gates    int
	split    bool // rec is kept apart
	memory   bool // has c
	forward  func(h, c, aux, pre, rec, hPrev, cPrev []float32)
	backward func(dpre, drec, dh, dc, aux, gates, rec, h, hPrev, cPrev []float32)
}

func cellOf(kind captioner.Cell) (cell, error) {
	switch kind {
	case captioner.RNN:
		return cell{1, false, false, rnnForward, rnnBackward}, nil
	case captioner.LSTM:
		return cell{4, false, true, lstmForward, lstmBackward}, nil
	case captioner.GRU:
		return cell{3, true, false, gruForward, gruBackward}, nil
	}
	return cell{}, fmt.Errorf("train: unknown cell %q: want rnn, lstm or gru", kind)
}

// rnnForward: h = tanh(pre).
func rnnForward(h, _, _, pre, _, _, _ []float32) {
	vmath.Tanh(h, pre)
}

// rnnBackward: dpre = dh∘(1−h²).
func rnnBackward(dpre, _, dh, _, _, _, _, h, _, _ []float32) {
	for k, d := range dh {
		dpre[k] = d * (1 - h[k]*h[k])
		dh[k] = 0
	}
}

// lstmForward, gates in the order i, f, o, g:
//
//	i, f, o = σ(pre);  g = tanh(pre)
//	c = f∘cPrev + i∘g;  aux = tanh(c);  h = o∘aux
func lstmForward(h, c, aux, pre, _, _, cPrev []float32) {
	H := len(h)
	vmath.Sigmoid(pre[:3*H], pre[:3*H])
	vmath.Tanh(pre[3*H:], pre[3*H:])
	i, f, o, g := pre[:H], pre[H:2*H], pre[2*H:3*H], pre[3*H:4*H]
	vmath.Mul(c, i, g)
	if cPrev != nil {
		vmath.MulAdd(c, f, cPrev)
	}
	vmath.Tanh(aux, c)
	vmath.Mul(h, o, aux)
}

// lstmBackward:
//
//	do = dh∘aux;  dc += dh∘o∘(1−aux²)
//	di = dc∘g;  df = dc∘cPrev;  dg = dc∘i;  dcPrev = dc∘f
//	dpre = d·(gate)∘gate∘(1−gate), for g: dg∘(1−g²)
func lstmBackward(dpre, _, dh, dc, aux, gates, _, _, _, cPrev []float32) {
	H := len(dh)
	i, f, o, g := gates[:H], gates[H:2*H], gates[2*H:3*H], gates[3*H:4*H]
	di, df, do, dg := dpre[:H], dpre[H:2*H], dpre[2*H:3*H], dpre[3*H:4*H]
	dc, aux = dc[:H], aux[:H]
	for k, d := range dh {
		do[k] = d * aux[k] * o[k] * (1 - o[k])
		c := dc[k] + d*o[k]*(1-aux[k]*aux[k])
		di[k] = c * g[k] * i[k] * (1 - i[k])
		dg[k] = c * i[k] * (1 - g[k]*g[k])
		dc[k] = c * f[k]
		dh[k] = 0
		df[k] = c * f[k] * (1 - f[k])
	}
	if cPrev == nil {
		clear(df)
		return
	}
	vmath.Mul(df, df, cPrev)
}

// gruForward, gates in the order r, z, n:
//
//	r, z = σ(pre+rec);  n = tanh(pre + r∘rec);  h = (1−z)∘n + z∘hPrev
func gruForward(h, _, _, pre, rec, hPrev, _ []float32) {
	H := len(h)
	vmath.Add(pre[:2*H], pre, rec)
	vmath.Sigmoid(pre[:2*H], pre)
	r, z, n, recN := pre[:H], pre[H:2*H], pre[2*H:3*H], rec[2*H:3*H]
	vmath.MulAdd(n, r, recN)
	vmath.Tanh(n, n)
	for k := range h {
		h[k] = (1 - z[k]) * n[k]
	}
	if hPrev != nil {
		vmath.MulAdd(h, z, hPrev)
	}
}

// gruBackward:
//
//	dn = dh∘(1−z)∘(1−n²);  dr = dn∘rec∘r∘(1−r);  dz = dh∘(hPrev−n)∘z∘(1−z)
//	dpre = (dr, dz, dn);  drec = (dr, dz, dn∘r);  dhPrev = dh∘z
func gruBackward(dpre, drec, dh, _, _, gates, rec, _, hPrev, _ []float32) {
	H := len(dh)
	r, z, n, recN := gates[:H], gates[H:2*H], gates[2*H:3*H], rec[2*H:3*H]
	for k, d := range dh {
		var before float32
		if hPrev != nil {
			before = hPrev[k]
		}
		dn := d * (1 - z[k]) * (1 - n[k]*n[k])
		dr := dn * recN[k] * r[k] * (1 - r[k])
		dz := d * (before - n[k]) * z[k] * (1 - z[k])
		dpre[k], dpre[H+k], dpre[2*H+k] = dr, dz, dn
		drec[k], drec[H+k], drec[2*H+k] = dr, dz, dn*r[k]
		dh[k] = d * z[k]
	}
}
