package scaledjpeg

// zigzag is the natural index of each coefficient in the order of the file.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}

// lastOf is the place in zigzag of the last coefficient that a block of side
// pixels needs: those below side in both directions.
var lastOf = [9]int{1: 0, 2: 4, 4: 24, 8: 63}

// decodeBlock decodes a block, F.2.2, and writes its side×side pixels at c.pix[at].
func (d *decoder) decodeBlock(c *component, at int) bool {
	var last int
	var ok bool
	switch d.side {
	case 1:
		d.block[0] = 0
	case 2:
		d.block[0], d.block[1], d.block[8], d.block[9] = 0, 0, 0, 0
	default:
		d.block = [64]int32{}
	}
	if last, ok = d.coefficients(c, lastOf[d.side]); !ok {
		return false
	}
	d.transform(c, at, last)
	return true
}

// coefficients decodes a block. The coefficients up to the place want in zigzag
// go, dequantised, to d.block, which is zero; the others are passed over. It
// returns the place of the last one put there, and false for broken data.
func (d *decoder) coefficients(c *component, want int) (last int, ok bool) {
	b, buf := d.bits.fill(d.entropy.buf), d.entropy.buf
	quant := &d.quant[c.quant&3]

	e := c.dc.fast[b.acc>>(64-lookBits)]
	value := e.value()
	if e&slow == 0 {
		b = b.drop(e.bits())
	} else {
		var symbol uint8
		if b, symbol, value, ok = c.dc.symbol(b, buf); !ok || symbol > 15 {
			return 0, false
		}
	}
	c.pred += value
	d.block[0] = c.pred * quant[0]

	at := 0 // place of the last coefficient decoded
	for at < want {
		b = b.fill(buf)
		e := c.ac.fast[b.acc>>(64-lookBits)]
		value, move := e.value(), e.advance()
		if e&slow == 0 {
			b = b.drop(e.bits())
		} else {
			var symbol uint8
			if b, symbol, value, ok = c.ac.symbol(b, buf); !ok {
				return 0, false
			}
			if move = advance(symbol); move == 0 {
				return 0, false
			}
		}
		at += move
		if at > want {
			break
		}
		last = at
		d.block[zigzag[at&63]&63] = value * quant[at&63]
	}
	if at < 63 {
		b, ok = c.ac.pass(b, buf, at)
		d.bits = b
		return last, ok
	}
	d.bits = b
	return last, at == 63 || at >= toEnd
}

// pass goes to the end of a block behind the coefficient at a place.
func (t *huffman) pass(b bits, buf []byte, at int) (bits, bool) {
	for {
		b = b.fill(buf)
		// Two look-ups take up to 2·25 bits of 56.
		before, from := b, at
		j := t.skip[b.acc>>(64-lookBits)]
		b = b.drop(j.bits())
		at += j.advance()
		if at < 63 && j != 0 {
			before, from = b, at
			j = t.skip[b.acc>>(64-lookBits)]
			b = b.drop(j.bits())
			at += j.advance()
		}
		if at < 63 && j != 0 {
			continue
		}
		if at == 63 || at >= toEnd && at < toEnd+63 {
			return b, true
		}
		// A code without a jump, or a jump that goes on into the next block.
		b, at = before, from
		var symbol uint8
		var ok bool
		if b, symbol, _, ok = t.symbol(b, buf); !ok {
			return b, false
		}
		move := advance(symbol)
		at += move
		switch {
		case move == 0 || at > 63 && at < toEnd:
			return b, false
		case at >= 63:
			return b, true
		}
	}
}
