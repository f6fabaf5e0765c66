package kernels

// DepthwiseBF16 is Depthwise on BF16 pictures, with float32 weights: sums are
// float32, rounded once after the epilogue.
func (g *Conv) DepthwiseBF16(batch int, x []BF16, w []float32, y []BF16, ldy int, ep *EpilogueBF16, team *Team) {
	checkMatrix("W", false, g.KH*g.KW, g.C, w, g.C)
	if ep == nil {
		ep = new(EpilogueBF16)
	}
	ep.check(batch*g.OH*g.OW, g.C)
	q := g.defaults()
	q.checkPictures(batch, x, y, ldy)
	room := make([]float32, q.C)
	for p := range batch * q.OH * q.OW {
		if ep.Bias != nil {
			copy(room, ep.Bias)
		} else {
			clear(room)
		}
		q.taps(p, func(tap, at int) {
			for c := range room {
				room[c] += x[at+c].Float32() * w[tap*q.C+c]
			}
		})
		if ep.Residual != nil && !ep.ResidualAfter {
			addFloat32(room, ep.Residual[p*ep.LdRes:])
		}
		ep.activate(room)
		if ep.Residual != nil && ep.ResidualAfter {
			addFloat32(room, ep.Residual[p*ep.LdRes:])
		}
		toBF16(y[p*ldy:][:q.C], room)
	}
}

// MaxPoolBF16 is MaxPool on BF16 pictures.
func (g *Conv) MaxPoolBF16(batch int, x, y []BF16, ldy int, team *Team) {
	q := g.defaults()
	q.checkPictures(batch, x, y, ldy)
	room := make([]float32, q.C)
	for p := range batch * q.OH * q.OW {
		for c := range room {
			room[c] = -inf
		}
		q.taps(p, func(_, at int) {
			for c := range room {
				room[c] = max(room[c], x[at+c].Float32())
			}
		})
		toBF16(y[p*ldy:][:q.C], room)
	}
}

// AveragePoolBF16 is AveragePool on BF16 pictures, with float32 sums.
func (g *Conv) AveragePoolBF16(batch int, countPad bool, x, y []BF16, ldy int, team *Team) {
	q := g.defaults()
	q.checkPictures(batch, x, y, ldy)
	room := make([]float32, q.C)
	for p := range batch * q.OH * q.OW {
		clear(room)
		n := 0
		q.taps(p, func(_, at int) {
			n++
			addFloat32(room, x[at:])
		})
		if countPad {
			n = q.KH * q.KW
		}
		Scale(room, 1/float32(max(n, 1)), room)
		toBF16(y[p*ldy:][:q.C], room)
	}
}

func (g *Conv) checkPictures(batch int, x, y []BF16, ldy int) {
	checkMatrix("X", false, batch*g.H*g.W, g.C, x, g.Ld)
	checkMatrix("Y", false, batch*g.OH*g.OW, g.C, y, ldy)
}

// taps calls f with the number and the position in X of each tap of an output
// pixel that lies inside of the picture.
func (g *Conv) taps(pixel int, f func(tap, at int)) {
	w := g.window(pixel)
	for ky := range g.KH {
		for kx := range g.KW {
			y, x := w.y+ky*g.DilH, w.x+kx*g.DilW
			if uint(y) < uint(g.H) && uint(x) < uint(g.W) {
				f(ky*g.KW+kx, w.picture+(y*g.W+x)*g.Ld)
			}
		}
	}
}
