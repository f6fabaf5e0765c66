package scaledjpeg

import "math"

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

// The inverse transform, A.3.3, of which groups of pixels are averaged:
//
//	out[y][x] = 128 + Σ_v Σ_u m[y][v]·m[x][u]·coefficient[v][u]
//
// where m[x][u] is the mean of C(u)/2·cos((2p+1)uπ/16) over the pixels p that
// x stands for, in fixed point with fraction bits. Of the symmetries used:
// m[last−x][u] is m[x][u] for even u and −m[x][u] for odd u.
const fraction = 13

var (
	mean4 = means[[4][8]int32](2)
	mean2 = means[[2][8]int32](4)

	// weight2 is m[0][v]·m[0][u] of mean2 in zigzag order, and sign2 which of
	// the four sums of a 2×2 block the coefficient goes to: bit 0 for odd u,
	// bit 1 for odd v.
	weight2 [64]int32
	sign2   [64]uint8
)

func means[M [4][8]int32 | [2][8]int32](group int) (m M) {
	row := func(x int) (r [8]int32) {
		for u := range r {
			var sum float64
			for p := x * group; p < (x+1)*group; p++ {
				sum += math.Cos(float64((2*p+1)*u) * math.Pi / 16)
			}
			if u == 0 {
				sum /= math.Sqrt2
			}
			r[u] = int32(math.Round(sum / float64(2*group) * (1 << fraction)))
		}
		return r
	}
	switch m := any(&m).(type) {
	case *[4][8]int32:
		for x := range m {
			m[x] = row(x)
		}
	case *[2][8]int32:
		for x := range m {
			m[x] = row(x)
		}
	}
	return m
}

func init() {
	for z, at := range zigzag {
		v, u := at>>3, at&7
		weight2[z] = (mean2[0][v]*mean2[0][u] + 1<<(fraction-1)) >> fraction
		sign2[z] = v&1<<1 | u&1
	}
}

// decodeBlock decodes a block, F.2.2, and writes its side×side pixels at c.pix[at].
func (d *decoder) decodeBlock(c *component, at int) error {
	_, diff, ok := d.next(c.dc)
	if !ok {
		return other("Huffman code")
	}
	c.pred += diff
	quant := &d.quant[c.quant]
	dc := c.pred * quant[0]
	switch d.side {
	case 1:
		if !d.skipAC(c.ac) {
			return other("coefficients")
		}
		c.pix[at] = pixel((dc + 4) >> 3)
	case 2:
		return d.block2(c, quant, dc, at)
	case 4:
		return d.block4(c, quant, dc, at)
	}
	return nil
}

// skipAC passes the other coefficients of a block.
func (d *decoder) skipAC(t *huffman) bool {
	for z := 1; z < 64; z++ {
		symbol, _, ok := d.next(t)
		if !ok {
			return false
		}
		if symbol&15 == 0 {
			if symbol != 0xf0 {
				return symbol == 0 // end of block
			}
			z += 15
			continue
		}
		if z += int(symbol >> 4); z > 63 {
			return false
		}
	}
	return true
}

// block2 decodes a block to 2×2 pixels. Each coefficient has one weight and
// goes, with a sign, to all four.
func (d *decoder) block2(c *component, quant *[64]int32, dc int32, at int) error {
	sums := [4]int32{dc << (fraction - 3)}
	for z := 1; z < 64; z++ {
		symbol, value, ok := d.next(c.ac)
		if !ok {
			return other("Huffman code")
		}
		if symbol&15 == 0 {
			if symbol == 0 {
				break
			}
			if symbol != 0xf0 {
				return other("end of band")
			}
			z += 15
			continue
		}
		if z += int(symbol >> 4); z > 63 {
			return other("coefficients")
		}
		sums[sign2[z]&3] += value * quant[z] * weight2[z]
	}
	const half = 1 << (fraction - 1)
	a, b := sums[0]+sums[1]+half, sums[0]-sums[1]+half // left, right
	e, f := sums[2]+sums[3], sums[2]-sums[3]
	top, bottom := c.pix[at:at+2], c.pix[at+c.stride:at+c.stride+2]
	top[0], top[1] = pixel((a+e)>>fraction), pixel((b+f)>>fraction)
	bottom[0], bottom[1] = pixel((a-e)>>fraction), pixel((b-f)>>fraction)
	return nil
}

// block4 decodes a block to 4×4 pixels, columns first.
func (d *decoder) block4(c *component, quant *[64]int32, dc int32, at int) error {
	d.block = [64]int32{0: dc}
	var used uint8 // columns with a coefficient below the first row
	for z := 1; z < 64; z++ {
		symbol, value, ok := d.next(c.ac)
		if !ok {
			return other("Huffman code")
		}
		if symbol&15 == 0 {
			if symbol == 0 {
				break
			}
			if symbol != 0xf0 {
				return other("end of band")
			}
			z += 15
			continue
		}
		if z += int(symbol >> 4); z > 63 {
			return other("coefficients")
		}
		i := zigzag[z]
		d.block[i] = value * quant[z]
		if i >= 8 {
			used |= 1 << (i & 7)
		}
	}
	const keep = 3 // fraction bits kept between the passes
	var rows [4][8]int32
	for u := range 8 {
		col := d.block[u:]
		s0 := mean4[0][0]*col[0] + 1<<(fraction-keep-1)
		if used&(1<<u) == 0 {
			s := s0 >> (fraction - keep)
			rows[0][u], rows[1][u], rows[2][u], rows[3][u] = s, s, s, s
			continue
		}
		even0, even1, odd0, odd1 := halves(s0, col[8], col[16], col[24], col[40], col[48], col[56])
		rows[0][u], rows[3][u] = (even0+odd0)>>(fraction-keep), (even0-odd0)>>(fraction-keep)
		rows[1][u], rows[2][u] = (even1+odd1)>>(fraction-keep), (even1-odd1)>>(fraction-keep)
	}
	for y := range rows {
		r := &rows[y]
		const shift = fraction + keep
		even0, even1, odd0, odd1 := halves(mean4[0][0]*r[0]+1<<(shift-1), r[1], r[2], r[3], r[5], r[6], r[7])
		out := c.pix[at+y*c.stride : at+y*c.stride+4]
		out[0], out[3] = pixel((even0+odd0)>>shift), pixel((even0-odd0)>>shift)
		out[1], out[2] = pixel((even1+odd1)>>shift), pixel((even1-odd1)>>shift)
	}
	return nil
}

// halves is one dimension of the transform to 4: the even and the odd part of
// the first two outputs. s0 is the part of coefficient 0; coefficient 4 has none.
func halves(s0, c1, c2, c3, c5, c6, c7 int32) (even0, even1, odd0, odd1 int32) {
	a, b := &mean4[0], &mean4[1]
	even0 = s0 + a[2]*c2 + a[6]*c6
	even1 = s0 + b[2]*c2 + b[6]*c6
	odd0 = a[1]*c1 + a[3]*c3 + a[5]*c5 + a[7]*c7
	odd1 = b[1]*c1 + b[3]*c3 + b[5]*c5 + b[7]*c7
	return
}

// pixel shifts from −128..127 to 0..255.
func pixel(v int32) uint8 { return uint8(min(max(v+128, 0), 255)) }
