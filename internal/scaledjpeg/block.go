package scaledjpeg

// decodeBlock decodes a block, F.2.2, and writes its side×side pixels to pix.
func (d *decoder) decodeBlock(c *component, pix []uint8) (ok bool) {
	switch d.side {
	case 1:
		ok = d.coefficients(c, 0)
		pix[0] = pixel((d.dc + 4) >> 3)
	case 2:
		d.ac[1], d.ac[2], d.ac[4] = 0, 0, 0
		ok = d.coefficients(c, 4)
		d.transform2(pix, c.stride, c.quant)
	case 4:
		clear(d.ac[:25])
		ok = d.coefficients(c, 24)
		d.transform4(pix, c.stride, c.quant)
	}
	return ok
}

// coefficients decodes a block: its first coefficient, dequantised, to d.dc, and the
// others up to the place want in zigzag order to d.ac, which is zero there. The
// transform needs those below side in both directions; few others are stored.
func (d *decoder) coefficients(c *component, want int) (ok bool) {
	buf, b := d.entropy.buf, d.reader
	b = b.fill(buf)
	e := c.dc.fast[b.acc>>(64-lookBits)]
	value := e.value()
	if e&slow == 0 {
		b = b.drop(e.bits())
	} else {
		var symbol uint8
		if b, symbol, value, ok = c.dc.symbol(b, buf); !ok || symbol > 15 {
			return false
		}
	}
	c.pred += value
	d.dc = c.pred * c.quant[0]

	ac := c.ac
	at := 0 // place of the last coefficient decoded
	for at < want {
		b = b.fill(buf)
		if e := ac.fast[b.acc>>(64-lookBits)]; e&slow == 0 {
			b = b.drop(e.bits())
			at += e.advance()
			d.ac[uint8(at)] = int16(e.value())
			continue
		}
		var move int
		if b, move, value, ok = ac.single(b, buf); !ok {
			return false
		}
		at += move
		d.ac[uint8(at)] = int16(value)
	}
	for at < blockEnd {
		b = b.fill(buf)
		before, from := b, at
		j := ac.skip[b.acc>>(64-lookBits)]
		b = b.drop(j.bits())
		at += j.advance()
		if at < blockEnd && j != 0 { // two take up to 50 bits of 56
			before, from = b, at
			j = ac.skip[b.acc>>(64-lookBits)]
			b = b.drop(j.bits())
			at += j.advance()
		}
		if at < blockEnd && j != 0 {
			continue
		}
		if at == blockEnd || uint(at-toEnd) < blockEnd {
			break
		}
		// A code without a jump, or a jump that goes on into the next block.
		var move int
		if b, move, _, ok = ac.single(before, buf); !ok {
			return false
		}
		at = from + move
	}
	d.reader = b
	return at == blockEnd || at >= toEnd
}
