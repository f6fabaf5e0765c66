package scaledjpeg

import (
	"math/bits"
	"slices"
)

// A progressive picture, annex G, has its coefficients in several scans. Of each block
// those that the transform needs are kept, and of all the others one bit that says
// whether they are zero: the scans that refine them cannot be read without.

// stored is the blocks of a component of a progressive picture, row by row, in
// whole units.
type stored struct {
	across, down int
	coefs        []int16  // decoder.keep a block, in zigzag order
	nonzero      []uint64 // bit k for the coefficient k, of all 64
	begun        bool     // the first coefficients have come
}

// progression is what a progressive scan contains, B.2.3.
type progression struct {
	from, to  int  // places in zigzag
	high, low uint // bits of the coefficients, from high, exclusive, down to low; high is 0 for a first scan
	run       int  // blocks that end before they begin, G.1.2.2
}

// kept is the number of coefficients of a block that are kept, in zigzag order,
// by the side of the output block: all that its transform needs.
var kept = [...]int{1: 1, 2: 5, 4: 25, 8: 64}

// store makes room for the coefficients.
func (d *decoder) store() {
	d.keep = kept[d.side]
	across, down := d.unitsOf()
	blocks := 0
	for i := range d.comps {
		c := &d.comps[i]
		c.across, c.down, c.begun = across*c.h, down*c.v, false
		blocks += c.across * c.down
	}
	d.coefs = slices.Grow(d.coefs[:0], blocks*d.keep)[:blocks*d.keep]
	d.nonzero = slices.Grow(d.nonzero[:0], blocks)[:blocks]
	clear(d.coefs)
	clear(d.nonzero)
	coefs, nonzero := d.coefs, d.nonzero
	for i := range d.comps {
		c := &d.comps[i]
		n := c.across * c.down
		c.coefs, coefs = coefs[:n*d.keep], coefs[n*d.keep:]
		c.nonzero, nonzero = nonzero[:n], nonzero[n:]
	}
}

// progressiveScan reads a scan, header and data.
func (d *decoder) progressiveScan(b []byte) error {
	if len(b) < 4 || len(d.comps) == 0 {
		return other("scan")
	}
	n := int(b[0])
	if n < 1 || n > len(d.comps) || len(b) != 4+2*n {
		return other("scan of %d components", n)
	}
	var comps []*component
	for ; len(comps) < n; b = b[2:] {
		i := slices.IndexFunc(d.comps, func(c component) bool { return c.id == b[1] })
		dc, ac := b[2]>>4, b[2]&15
		if i < 0 || dc > 3 || ac > 3 || slices.Contains(comps, &d.comps[i]) {
			return other("component of a scan")
		}
		c := &d.comps[i]
		c.dc, c.ac = d.tables[0][dc], d.tables[1][ac]
		comps = append(comps, c)
	}
	p := progression{from: int(b[1]), to: int(b[2]), high: uint(b[3] >> 4), low: uint(b[3] & 15)}
	if p.from > p.to || p.to > blockEnd || p.low > 13 || p.high > 0 && p.high != p.low+1 || p.from == 0 && p.to > 0 || p.from > 0 && n > 1 {
		return other("scan of coefficients %d to %d, bits %d to %d", p.from, p.to, p.high, p.low)
	}
	if d.keep == 0 {
		d.store()
	}
	read := d.firstOf
	switch {
	case p.from == 0 && p.high > 0:
		read = d.refineFirst
	case p.from > 0 && d.keep == 1:
		return d.pass(len(d.nonzero)) // nothing of it is needed
	case p.from > 0 && p.high == 0:
		read = d.bandOf
	case p.from > 0:
		read = d.refineBand
	}
	for _, c := range comps {
		if p.from == 0 && p.high == 0 {
			c.begun = true
			if c.dc == nil {
				return other("no table of a scan")
			}
		}
		if p.from > 0 && c.ac == nil {
			return other("no table of a scan")
		}
	}
	if n > 1 {
		across, down := d.unitsOf()
		return d.each(across*down, &p, func(u int) bool {
			for _, c := range comps {
				for by := range c.v {
					at := (u/across*c.v+by)*c.across + u%across*c.h
					for bx := range c.h {
						if !read(c, at+bx, &p) {
							return false
						}
					}
				}
			}
			return true
		})
	}
	// The blocks of a scan of one component end with the picture, A.2.2.
	c := comps[0]
	across := (d.width*c.h + 8*d.maxH - 1) / (8 * d.maxH)
	down := (d.height*c.v + 8*d.maxV - 1) / (8 * d.maxV)
	return d.each(across*down, &p, func(u int) bool {
		return read(c, u/across*c.across+u%across, &p)
	})
}

// firstOf reads the first coefficient of a block, G.1.2.1.
func (d *decoder) firstOf(c *component, block int, p *progression) bool {
	b := d.reader.fill(d.entropy.buf)
	e := c.dc.fast[b.acc>>(64-lookBits)]
	value := e.value()
	if e&slow == 0 {
		b = b.drop(e.bits())
	} else {
		var symbol uint8
		var ok bool
		if b, symbol, value, ok = c.dc.symbol(b, d.entropy.buf); !ok || symbol > 15 {
			return false
		}
	}
	d.reader = b
	c.pred += value
	c.coefs[block*d.keep] = int16(c.pred << p.low)
	return true
}

// refineFirst reads one more bit of it.
func (d *decoder) refineFirst(c *component, block int, p *progression) bool {
	b := d.reader.fill(d.entropy.buf)
	c.coefs[block*d.keep] |= int16(b.acc >> 63 << p.low)
	d.reader = b.drop(1)
	return true
}

// bandOf reads the other coefficients of a block, G.1.2.2.
func (d *decoder) bandOf(c *component, block int, p *progression) bool {
	if p.run > 0 {
		p.run--
		return true
	}
	buf, b := d.entropy.buf, d.reader
	coefs, nonzero := c.coefs[block*d.keep:][:d.keep], c.nonzero[block]
	at := p.from - 1 // place of the last coefficient read
	for at < p.to {
		b = b.fill(buf)
		e := c.ac.fast[b.acc>>(64-lookBits)]
		value := e.value()
		if e&slow == 0 {
			b = b.drop(e.bits())
			at += e.advance()
		} else {
			var symbol uint8
			var ok bool
			if b, symbol, value, ok = c.ac.symbol(b, buf); !ok {
				return false
			}
			if symbol&15 == 0 && symbol < 0xf0 {
				b, p.run = d.endRun(b, symbol>>4)
				break
			}
			at += advance(symbol)
		}
		if at > p.to {
			if at < toEnd {
				return false
			}
			break
		}
		if value != 0 {
			nonzero |= 1 << at
			if at < len(coefs) {
				coefs[at] = int16(value << p.low)
			}
		}
	}
	c.nonzero[block] = nonzero
	d.reader = b
	return true
}

// endRun reads how many blocks behind this one have nothing in the scan.
func (d *decoder) endRun(b reader, size uint8) (reader, int) {
	b = b.fill(d.entropy.buf)
	extra := b.acc >> 1 >> (63 - size)
	return b.drop(uint(size)), 1<<size + int(extra) - 1
}

// refineBand reads one more bit of the coefficients that are not zero, and
// those that are 1 or −1 in it, G.1.2.3.
func (d *decoder) refineBand(c *component, block int, p *progression) bool {
	buf, b := d.entropy.buf, d.reader
	coefs, before := c.coefs[block*d.keep:][:d.keep], c.nonzero[block]
	band := ^uint64(0) >> (blockEnd - p.to) // of what is left of the block
	band &^= 1<<p.from - 1
	if p.run > 0 {
		p.run--
		d.reader = correct(b, buf, coefs, before&band, p.low)
		return true
	}
	added := uint64(0)
	for band != 0 {
		b = b.fill(buf)
		e := c.ac.fast[b.acc>>(64-lookBits)]
		move, value := e.advance(), e.value()
		if e&slow == 0 {
			b = b.drop(e.bits())
		} else {
			var symbol uint8
			var ok bool
			if b, symbol, value, ok = c.ac.symbol(b, buf); !ok {
				return false
			}
			if symbol&15 == 0 && symbol < 0xf0 {
				b, p.run = d.endRun(b, symbol>>4)
				break
			}
			move = advance(symbol)
		}
		if move == toEnd {
			break
		}
		// The new coefficient, 1 or −1, is behind as many that are zero as the
		// symbol says.
		zeros := band &^ before
		for ; move > 1; move-- {
			zeros &= zeros - 1
		}
		at := zeros & -zeros
		passed := band & (at - 1) // all of it, if there are no more that are zero
		b = correct(b, buf, coefs, before&passed, p.low)
		band &^= passed | at
		switch {
		case value == 0: // only zeros
		case at == 0 || value*value != 1:
			return false
		default:
			added |= at
			if place := bits.TrailingZeros64(at); place < len(coefs) {
				coefs[place] = int16(value << p.low)
			}
		}
	}
	c.nonzero[block] |= added
	d.reader = correct(b, buf, coefs, before&band, p.low)
	return true
}

// correct reads a bit for each of the places in which, all not zero.
func correct(b reader, buf []byte, coefs []int16, which uint64, low uint) reader {
	if which == 0 {
		return b
	}
	const half = 1<<32 - 1
	if which > half && len(coefs) > 32 { // 56 bits are there at a time
		b = correct(b, buf, coefs, which&half, low)
		which &^= half
	}
	b = b.fill(buf)
	for rest := which & (1<<len(coefs) - 1); rest != 0; rest &= rest - 1 {
		v := &coefs[bits.TrailingZeros64(rest)]
		if b.acc>>63 != 0 && *v>>low&1 == 0 {
			if *v >= 0 {
				*v += 1 << low
			} else {
				*v -= 1 << low
			}
		}
		b = b.drop(1)
		which &= which - 1
	}
	n := uint(bits.OnesCount64(which))
	if n > 31 { // 56 are there, less those of coefs
		b = b.drop(31).fill(buf)
		n -= 31
	}
	return b.drop(n)
}

// finish makes the pixels.
func (d *decoder) finish() error {
	if err := d.allocate(); err != nil {
		return err
	}
	for i := range d.comps {
		c := &d.comps[i]
		if !c.begun {
			return other("component %d is missing", i)
		}
		if !d.quantSet[c.table] {
			return other("no quantisation table for component %d", i)
		}
		c.quant = &d.quant[c.table]
		for block := range c.nonzero {
			if block%checkEvery == 0 && d.ctx.Err() != nil {
				return d.ctx.Err()
			}
			coefs := c.coefs[block*d.keep:][:d.keep]
			copy(d.ac[:], coefs)
			d.dc = int32(coefs[0]) * c.quant[0]
			pix := c.pix[block/c.across*d.side*c.stride+block%c.across*d.side:]
			switch d.side {
			case 1:
				pix[0] = pixel((d.dc + 4) >> 3)
			case 2:
				d.transform2(pix, c.stride, c.quant)
			case 4:
				d.transform4(pix, c.stride, c.quant)
			case 8:
				d.transform8(pix, c.stride, c.quant)
			}
		}
	}
	return nil
}
