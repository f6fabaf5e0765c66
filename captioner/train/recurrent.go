package train

import (
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// recurrent runs the cell over all steps of all captions of the batch:
//
//	pre[t] = Wx·x[t] + B;  rec[t] = Wh·h[t−1] (+ BHn);  h[t] = cell(pre[t], rec[t], …)
//
// Products that need no earlier state are done for all steps at once: of the
// large matrices only Wh is used step by step.
//
// Inputs: x [rows,E], Wx [G·H,E], Wh [G·H,H], B [G·H] and for the GRU BHn [H].
// Output: h [rows,H].
type recurrent struct {
	op
	cell
	b       *batch
	e, h    int
	threads int

	hs      *tensor.Dense // [rows,H]
	gates   []float32     // [rows,G·H] pre, then the gates
	rec     []float32     // [rows,G·H] GRU only
	c, aux  []float32     // [rows,H] LSTM only
	dpre    []float32     // [rows,G·H]
	drec    []float32     // [rows,G·H] GRU only; else dpre
	dh, dc  []float32     // [n,H] running back through the steps
	hBefore []float32     // [rows−n,H] state before each row
}

func newRecurrent(b *batch, c cell, rows, e, h, threads int) *recurrent {
	dims := []int{2, 2, 2, 1}
	if c.split {
		dims = append(dims, 1)
	}
	return &recurrent{
		op:   op{"recurrent", dims, tensor.Shape{rows, h}},
		cell: c, b: b, e: e, h: h, threads: threads,
		hs: tensor.New(tensor.WithShape(rows, h), tensor.Of(tensor.Float32)),
	}
}

// row returns row i of a matrix of the given width, nil of one not in use.
func row(m []float32, i, width int) []float32 {
	if m == nil {
		return nil
	}
	return m[i*width:][:width]
}

// addTo makes a product add to c.
func addTo(c []float32, ldc int) *kernels.Epilogue {
	return &kernels.Epilogue{Residual: c, LdRes: ldc}
}

// Do is the forward pass.
func (o *recurrent) Do(in ...G.Value) (G.Value, error) {
	b, w := o.b, values(in)
	x, wx, wh, bias := w[0], w[1], w[2], w[3]
	rows, E, H, GH := b.rows(), o.e, o.h, o.cell.gates*o.h
	hs := o.hs.Data().([]float32)
	o.gates = grow(o.gates, rows*GH)
	if o.memory {
		o.c, o.aux = grow(o.c, rows*H), grow(o.aux, rows*H)
	}
	if o.split {
		o.rec = grow(o.rec, rows*GH)
	}
	linear(o.gates, x, wx, bias, rows, E, GH, o.threads)
	packed := matmul.PackB(true, H, GH, wh, H)
	for t := range b.steps() {
		lo, hi := b.span(t)
		before := lo // first row of the step before
		if t > 0 {
			before = b.off[t-1]
			if o.split {
				packed.Mul(hi-lo, hs[before*H:], H, o.rec[lo*GH:], GH, nil, workers.Threads(o.threads))
			} else {
				packed.Mul(hi-lo, hs[before*H:], H, o.gates[lo*GH:], GH, addTo(o.gates[lo*GH:], GH), workers.Threads(o.threads))
			}
		} else if o.split {
			clear(o.rec[:hi*GH])
		}
		parallel(o.threads, hi-lo, func(p, q int) {
			for i := p; i < q; i++ {
				r := lo + i
				var hPrev, cPrev []float32
				if t > 0 {
					hPrev, cPrev = row(hs, before+i, H), row(o.c, before+i, H)
				}
				rec := row(o.rec, r, GH)
				if o.split {
					vmath.Add(rec[GH-H:], rec[GH-H:], w[4])
				}
				o.forward(row(hs, r, H), row(o.c, r, H), row(o.aux, r, H), row(o.gates, r, GH), rec, hPrev, cPrev)
			}
		})
	}
	return o.hs, nil
}

// DoDiff is the backward pass. From the last step to the first:
//
//	dh = d(output)[t] + dh;  dpre[t], drec[t], dh, dc = cell′(dh, dc, …);  dh += drec[t]·Wh
//
// and then for all steps at once
//
//	dWx += dpreᵀ·x;  dB += Σ dpre;  dx += dpre·Wx
//	dWh += drecᵀ·h[t−1];  dBHn += Σ of the last third of drec
func (o *recurrent) DoDiff(_ G.ExecutionContext, in G.Nodes, out *G.Node) error {
	w, g, err := duals(in)
	if err != nil {
		return err
	}
	dy, err := out.Grad()
	if err != nil {
		return err
	}
	b := o.b
	rows, E, H, GH := b.rows(), o.e, o.h, o.cell.gates*o.h
	x, wx, wh := w[0], w[1], w[2]
	hs, dhs := o.hs.Data().([]float32), dy.Data().([]float32)

	o.dpre = grow(o.dpre, rows*GH)
	drec := o.dpre
	if o.split {
		o.drec = grow(o.drec, rows*GH)
		drec = o.drec
	}
	o.dh = grow(o.dh, b.n*H)
	clear(o.dh)
	if o.memory {
		o.dc = grow(o.dc, b.n*H)
		clear(o.dc)
	}
	packed := matmul.PackB(false, GH, H, wh, H)
	for t := b.steps() - 1; t >= 0; t-- {
		lo, hi := b.span(t)
		parallel(o.threads, hi-lo, func(p, q int) {
			for i := p; i < q; i++ {
				r := lo + i
				var hPrev, cPrev []float32
				if t > 0 {
					hPrev, cPrev = row(hs, b.off[t-1]+i, H), row(o.c, b.off[t-1]+i, H)
				}
				dh := row(o.dh, i, H)
				vmath.Add(dh, dh, row(dhs, r, H))
				o.backward(row(o.dpre, r, GH), row(drec, r, GH), dh, row(o.dc, i, H),
					row(o.aux, r, H), row(o.gates, r, GH), row(o.rec, r, GH), row(hs, r, H), hPrev, cPrev)
			}
		})
		if t > 0 {
			packed.Mul(hi-lo, drec[lo*GH:], GH, o.dh, H, addTo(o.dh, H), workers.Threads(o.threads))
		}
	}

	linearGrad(g[1], g[3], x, o.dpre, rows, E, GH, o.threads)
	matmul.Mul(false, false, rows, E, GH, o.dpre, GH, wx, E, true, g[0], E, workers.Threads(o.threads))
	if b.steps() > 1 {
		later := rows - b.n
		o.hBefore = grow(o.hBefore, later*H)
		for t := 1; t < b.steps(); t++ {
			lo, hi := b.span(t)
			copy(o.hBefore[(lo-b.n)*H:(hi-b.n)*H], hs[b.off[t-1]*H:])
		}
		matmul.Mul(true, false, GH, H, later, drec[b.n*GH:], GH, o.hBefore, H, true, g[2], H, workers.Threads(o.threads))
	}
	if o.split {
		parallel(o.threads, H, func(lo, hi int) {
			for r := range rows {
				vmath.Add(g[4][lo:hi], g[4][lo:], drec[r*GH+GH-H+lo:])
			}
		})
	}
	return nil
}
