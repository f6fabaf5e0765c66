package rnn

import "github.com/onetomany/caption/internal/kernels/vmath"

// vanilla is the simplest cell. Its Wh starts as a rotation, so that what it saw
// neither fades nor explodes over the steps (Le, Jaitly and Hinton 2015).
var vanilla = Cell{
	Name:      "rnn",
	Gates:     []string{"h"},
	Formula:   "h = tanh(Wx·x + Wh·h + B)",
	Recurrent: Orthogonal,

	Step:    func(r Row) { vmath.Tanh(r.H, r.Pre) },
	Forward: func(r Row) { vmath.Tanh(r.H, r.Pre) },

	// dpre = dh∘(1−h²)
	Backward: func(r Row, d Gradient) {
		dpre, h, dh := d.Pre, r.H, d.H
		for k, x := range dh {
			dpre[k] = x * (1 - h[k]*h[k])
			dh[k] = 0
		}
	},
}
