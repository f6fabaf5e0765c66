package rnn

import "github.com/onetomany/caption/internal/kernels/vmath"

// lstm is the cell of Hochreiter and Schmidhuber (1997) with a forget gate, whose
// bias starts at 1, so that the cell remembers at first (Jozefowicz et al. 2015).
var lstm = Cell{
	Name:    "lstm",
	Gates:   []string{"i", "f", "o", "g"},
	Formula: "c = f∘c + i∘g; h = o∘tanh(c); i, f, o by the sigmoid, g by tanh of Wx·x + Wh·h + B",
	Memory:  true,
	Bias:    []float32{0, 1, 0, 0},

	Step: func(r Row) {
		i, f, o, g := lstmGates(r)
		vmath.Mul(r.C, r.C, f)
		vmath.MulAdd(r.C, i, g)
		vmath.Tanh(r.H, r.C)
		vmath.Mul(r.H, r.H, o)
	},

	// Aux is tanh(c).
	Forward: func(r Row) {
		i, f, o, g := lstmGates(r)
		vmath.Mul(r.C, i, g)
		if r.PrevC != nil {
			vmath.MulAdd(r.C, f, r.PrevC)
		}
		vmath.Tanh(r.Aux, r.C)
		vmath.Mul(r.H, o, r.Aux)
	},

	//	do = dh∘tanh(c);  dc += dh∘o∘(1−tanh²(c))
	//	di = dc∘g;  df = dc∘c(t−1);  dg = dc∘i;  dc(t−1) = dc∘f
	//	dpre = d·gate∘(1−gate), for g: dg∘(1−g²)
	Backward: func(r Row, d Gradient) {
		n := len(d.H)
		i, f, o, g := quarters(r.Pre, n)
		di, df, do, dg := quarters(d.Pre, n)
		dc, aux := d.C[:n], r.Aux[:n]
		for k, dh := range d.H {
			do[k] = dh * aux[k] * o[k] * (1 - o[k])
			c := dc[k] + dh*o[k]*(1-aux[k]*aux[k])
			di[k] = c * g[k] * i[k] * (1 - i[k])
			dg[k] = c * i[k] * (1 - g[k]*g[k])
			dc[k] = c * f[k]
			d.H[k] = 0
			df[k] = c * f[k] * (1 - f[k])
		}
		if r.PrevC == nil {
			clear(df)
			return
		}
		vmath.Mul(df, df, r.PrevC)
	},
}

// lstmGates turns r.Pre into the gates.
func lstmGates(r Row) (i, f, o, g []float32) {
	n := len(r.H)
	i, f, o, g = quarters(r.Pre, n)
	vmath.Sigmoid(r.Pre[:3*n], r.Pre)
	vmath.Tanh(g, g)
	return i, f, o, g
}

func quarters(x []float32, n int) (i, f, o, g []float32) {
	return x[:n], x[n : 2*n], x[2*n : 3*n], x[3*n : 4*n]
}
