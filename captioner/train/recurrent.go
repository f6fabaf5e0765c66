package train

import (
	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/rnn"
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
// Inputs: x [rows,E] and the weights of the cell. Output: h [rows,H].
type recurrent struct {
	op
	cell  *rnn.Cell
	input linear // with Wx
	h, gh int    // H and G·H

	out     *tensor.Dense // of hs
	hs      []float32     // [rows,H]
	gates   []float32     // [rows,G·H] pre, then the gates
	rec     []float32     // [rows,G·H] split cells only
	c, aux  []float32     // [rows,H] cells with memory only
	dpre    []float32     // [rows,G·H]
	drec    []float32     // [rows,G·H] split cells only; else dpre
	dh, dc  []float32     // [n,H] running back through the steps
	hBefore []float32     // [rows−n,H] state before each row
}

func newRecurrent(o op, c *rnn.Cell, f captioner.Form) *recurrent {
	gh := len(c.Gates) * f.H
	r := &recurrent{op: o, cell: c, input: linear{f.E, gh, o.threads}, h: f.H, gh: gh}
	r.out, r.hs = o.output()
	return r
}

// row returns the memory of caption i at step t.
func (o *recurrent) row(t, i int) rnn.Row {
	r := o.b.off[t] + i
	x := rnn.Row{
		Pre: row(o.gates, r, o.gh), Rec: row(o.rec, r, o.gh),
		H: row(o.hs, r, o.h), C: row(o.c, r, o.h), Aux: row(o.aux, r, o.h),
	}
	if t > 0 {
		r = o.b.off[t-1] + i
		x.PrevH, x.PrevC = row(o.hs, r, o.h), row(o.c, r, o.h)
	}
	return x
}

// addTo makes a product add to c.
func addTo(c []float32, ldc int) *kernels.Epilogue {
	return &kernels.Epilogue{Residual: c, LdRes: ldc}
}

// Do is the forward pass.
func (o *recurrent) Do(in ...G.Value) (G.Value, error) {
	b, w := o.b, data(in)
	x, wx, wh, bias := w[0], w[1], w[2], w[3]
	rows, H, GH := b.rows(), o.h, o.gh
	o.gates = grow(o.gates, rows*GH)
	if o.cell.Memory {
		o.c, o.aux = grow(o.c, rows*H), grow(o.aux, rows*H)
	}
	product, add := o.gates, addTo // of Wh
	if o.cell.Split {
		o.rec = grow(o.rec, rows*GH)
		clear(o.rec[:b.n*GH])
		product, add = o.rec, func([]float32, int) *kernels.Epilogue { return nil }
	}
	o.input.forward(o.gates, x, wx, bias, rows)
	packed := matmul.PackB(true, H, GH, wh, H)
	for t := range b.steps() {
		lo, hi := b.span(t)
		if t > 0 {
			y := product[lo*GH:]
			packed.Mul(hi-lo, o.hs[b.off[t-1]*H:], H, y, GH, add(y, GH), workers.Threads(o.threads))
		}
		o.parallel(hi-lo, func(p, q int) {
			for i := p; i < q; i++ {
				r := o.row(t, i)
				if o.cell.Split {
					last := r.Rec[GH-H:]
					vmath.Add(last, last, w[4])
				}
				o.cell.Forward(r)
			}
		})
	}
	return o.out, nil
}

// DoDiff is the backward pass. From the last step to the first:
//
//	dh = d(output)[t] + dh;  dpre[t], drec[t], dh, dc = cell′(dh, dc, …);  dh += drec[t]·Wh
//
// and then for all steps at once
//
//	dWx += dpreᵀ·x;  dB += Σ dpre;  dx += dpre·Wx
//	dWh += drecᵀ·h[t−1];  dBHn += Σ of the last gate of drec
func (o *recurrent) DoDiff(_ G.ExecutionContext, in G.Nodes, out *G.Node) error {
	w, g, dy, err := duals(in, out)
	if err != nil {
		return err
	}
	b := o.b
	rows, H, GH := b.rows(), o.h, o.gh
	x, wx, wh := w[0], w[1], w[2]
	dhs := dy.([]float32)

	o.dpre = grow(o.dpre, rows*GH)
	drec := o.dpre
	if o.cell.Split {
		o.drec = grow(o.drec, rows*GH)
		drec = o.drec
	}
	o.dh = grow(o.dh, b.n*H)
	clear(o.dh)
	if o.cell.Memory {
		o.dc = grow(o.dc, b.n*H)
		clear(o.dc)
	}
	packed := matmul.PackB(false, GH, H, wh, H)
	for t := b.steps() - 1; t >= 0; t-- {
		lo, hi := b.span(t)
		o.parallel(hi-lo, func(p, q int) {
			for i := p; i < q; i++ {
				r := lo + i
				d := rnn.Gradient{Pre: row(o.dpre, r, GH), Rec: row(drec, r, GH), H: row(o.dh, i, H), C: row(o.dc, i, H)}
				vmath.Add(d.H, d.H, row(dhs, r, H))
				o.cell.Backward(o.row(t, i), d)
			}
		})
		if t > 0 {
			packed.Mul(hi-lo, drec[lo*GH:], GH, o.dh, H, addTo(o.dh, H), workers.Threads(o.threads))
		}
	}

	o.input.backward(g[1], g[3], x, o.dpre, rows)
	o.input.input(g[0], o.dpre, wx, rows, true)
	if b.steps() > 1 {
		later := rows - b.n
		o.hBefore = grow(o.hBefore, later*H)
		for t := 1; t < b.steps(); t++ {
			lo, hi := b.span(t)
			copy(o.hBefore[(lo-b.n)*H:(hi-b.n)*H], o.hs[b.off[t-1]*H:])
		}
		matmul.Mul(true, false, GH, H, later, drec[b.n*GH:], GH, o.hBefore, H, true, g[2], H, workers.Threads(o.threads))
	}
	if o.cell.Split {
		o.parallel(H, func(lo, hi int) {
			for r := range rows {
				vmath.Add(g[4][lo:hi], g[4][lo:], drec[r*GH+GH-H+lo:])
			}
		})
	}
	return nil
}
