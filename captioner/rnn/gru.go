package rnn

import "github.com/onetomany/caption/internal/kernels/vmath"

// gru is the cell of Cho et al. (2014), with the reset gate behind the product with
// Wh, as in cuDNN and PyTorch.
var gru = Cell{
	Name:    "gru",
	Gates:   []string{"r", "z", "n"},
	Formula: "n = tanh(Wx·x + B + r∘(Wh·h + BHn)); h = (1−z)∘n + z∘h; r, z by the sigmoid of Wx·x + Wh·h + B",
	Split:   true,

	Step: func(r Row) {
		h := r.H
		z, n := gruGates(r)
		// (1−z)∘n + z∘h = n + z∘(h−n)
		vmath.Sub(h, h, n)
		vmath.Mul(h, h, z)
		vmath.Add(h, h, n)
	},

	Forward: func(r Row) {
		h := r.H
		z, n := gruGates(r)
		z, n = z[:len(h)], n[:len(h)]
		for k := range h {
			h[k] = (1 - z[k]) * n[k]
		}
		if r.PrevH != nil {
			vmath.MulAdd(h, z, r.PrevH)
		}
	},

	//	dn = dh∘(1−z)∘(1−n²);  dr = dn∘rec∘r∘(1−r);  dz = dh∘(h(t−1)−n)∘z∘(1−z)
	//	dpre = (dr, dz, dn);  drec = (dr, dz, dn∘r);  dh(t−1) = dh∘z
	Backward: func(row Row, d Gradient) {
		size := len(d.H)
		r, z, n, rec := row.Pre[:size], row.Pre[size:2*size], row.Pre[2*size:3*size], row.Rec[2*size:3*size]
		dpre, drec := d.Pre, d.Rec
		for k, dh := range d.H {
			var before float32
			if row.PrevH != nil {
				before = row.PrevH[k]
			}
			dn := dh * (1 - z[k]) * (1 - n[k]*n[k])
			dr := dn * rec[k] * r[k] * (1 - r[k])
			dz := dh * (before - n[k]) * z[k] * (1 - z[k])
			dpre[k], dpre[size+k], dpre[2*size+k] = dr, dz, dn
			drec[k], drec[size+k], drec[2*size+k] = dr, dz, dn*r[k]
			d.H[k] = dh * z[k]
		}
	},
}

// gruGates turns row.Pre into the gates, of which the reset gate has done its work
// in n.
func gruGates(row Row) (z, n []float32) {
	pre, rec, size := row.Pre, row.Rec, len(row.H)
	r, z, n := pre[:size], pre[size:2*size], pre[2*size:3*size]
	vmath.Add(pre[:2*size], pre, rec)
	vmath.Sigmoid(pre[:2*size], pre)
	vmath.MulAdd(n, r, rec[2*size:])
	vmath.Tanh(n, n)
	return z, n
}
