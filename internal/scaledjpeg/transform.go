package scaledjpeg

// The inverse transform, A.3.3, of the side×side lowest coefficients, of which
// groups of pixels are averaged:
//
//	out[y][x] = 128 + Σ_v Σ_u m[y][v]·m[x][u]·coefficient[v][u]   (u, v < side)
//
// where m[x][u] is the mean of C(u)/2·cos((2p+1)uπ/16) over the pixels p that
// x stands for, in fixed point with fraction bits. Higher coefficients mean
// detail finer than the output's pixels, of which averaging would leave an
// alias; the picture, reduced further, comes closer to the full one without.
// Of the symmetries used: m[last−x][u] is m[x][u] for even u and −m[x][u] for
// odd u.
const (
	fraction = 13

	// m for blocks of 4×4.
	m00 = 2896
	m01 = 3711
	m02 = 2676
	m03 = 1303
	m10 = m00
	m11 = 1537
	m12 = -m02
	m13 = -3146

	// m for blocks of 8×8: half of cos(kπ/16), which for k = 4 is C(0)/2 too.
	c1 = 4017
	c2 = 3784
	c3 = 3406
	c4 = 2896
	c5 = 2276
	c6 = 1567
	c7 = 799

	// What a block of 2×2 needs: its m[0][0]·m[0][1] and m[0][1]².
	edge   = (2896*2624 + 1<<(fraction-1)) >> fraction
	corner = (2624*2624 + 1<<(fraction-1)) >> fraction
)

// transform2 makes the pixels of the coefficients in d.dc and d.ac, quantised
// by q. Each coefficient has one weight and goes, with a sign, to all four.
func (d *decoder) transform2(pix []uint8, stride int, q *[64]int32) {
	s := d.dc<<(fraction-3) + 128<<fraction + 1<<(fraction-1)
	h, v, hv := edge*q[1]*int32(d.ac[1]), edge*q[2]*int32(d.ac[2]), corner*q[4]*int32(d.ac[4])
	left, right, down, up := s+h, s-h, v+hv, v-hv
	top, bottom := pix[:2], pix[stride:stride+2]
	top[0], top[1] = clamp((left+down)>>fraction), clamp((right+up)>>fraction)
	bottom[0], bottom[1] = clamp((left-down)>>fraction), clamp((right-up)>>fraction)
}

// transform4 does the same for 4×4 pixels, columns first.
func (d *decoder) transform4(pix []uint8, stride int, q *[64]int32) {
	const keep = 3 // fraction bits kept between the passes
	const shift = fraction - keep
	ac := (*[25]int16)(d.ac[:])
	var rows [4][4]int32
	for u := range 4 {
		at := &places4[u]
		c0 := d.dc
		if u > 0 {
			c0 = int32(ac[at[0]]) * q[at[0]]
		}
		c1, c2, c3 := int32(ac[at[1]]), int32(ac[at[2]]), int32(ac[at[3]])
		s := m00*c0 + 1<<(shift-1)
		if c1|c2|c3 == 0 {
			s >>= shift
			rows[0][u], rows[1][u], rows[2][u], rows[3][u] = s, s, s, s
			continue
		}
		c1, c2, c3 = c1*q[at[1]], c2*q[at[2]], c3*q[at[3]]
		even0, odd0 := s+m02*c2, m01*c1+m03*c3
		even1, odd1 := s+m12*c2, m11*c1+m13*c3
		rows[0][u], rows[3][u] = (even0+odd0)>>shift, (even0-odd0)>>shift
		rows[1][u], rows[2][u] = (even1+odd1)>>shift, (even1-odd1)>>shift
	}
	for y := range rows {
		const shift = fraction + keep
		r := &rows[y]
		s := m00*r[0] + 128<<shift + 1<<(shift-1)
		even0, odd0 := s+m02*r[2], m01*r[1]+m03*r[3]
		even1, odd1 := s+m12*r[2], m11*r[1]+m13*r[3]
		out := pix[y*stride:][:4]
		out[0], out[3] = clamp((even0+odd0)>>shift), clamp((even0-odd0)>>shift)
		out[1], out[2] = clamp((even1+odd1)>>shift), clamp((even1-odd1)>>shift)
	}
}

// transform8 makes all pixels of a block, columns first. Few pictures come here;
// it is as plain as it is exact.
func (d *decoder) transform8(pix []uint8, stride int, q *[64]int32) {
	const keep = 3 // fraction bits kept between the passes
	var block, rows [8][8]int32
	for at, place := range zigzag {
		block[place%8][place/8] = int32(d.ac[at]) * q[at] // by column
	}
	block[0][0] = d.dc
	for u := range block {
		column := inverse8(&block[u], 1<<(fraction-keep-1))
		for y, v := range column {
			rows[y][u] = v >> (fraction - keep)
		}
	}
	for y := range rows {
		const shift = fraction + keep
		row := inverse8(&rows[y], 128<<shift+1<<(shift-1))
		for x, v := range row {
			pix[y*stride+x] = clamp(v >> shift)
		}
	}
}

// inverse8 is the transform in one dimension, with bias added to every output.
func inverse8(x *[8]int32, bias int32) (out [8]int32) {
	sum, diff := c4*(x[0]+x[4])+bias, c4*(x[0]-x[4])+bias
	a, b := c2*x[2]+c6*x[6], c6*x[2]-c2*x[6]
	even := [4]int32{sum + a, diff + b, diff - b, sum - a}
	odd := [4]int32{
		c1*x[1] + c3*x[3] + c5*x[5] + c7*x[7],
		c3*x[1] - c7*x[3] - c1*x[5] - c5*x[7],
		c5*x[1] - c1*x[3] + c7*x[5] + c3*x[7],
		c7*x[1] - c5*x[3] + c3*x[5] - c1*x[7],
	}
	for k := range even {
		out[k], out[7-k] = even[k]+odd[k], even[k]-odd[k]
	}
	return out
}

// zigzag is the place, 8·row + column, of each coefficient, figure A.6.
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

// places4 is where, in zigzag, the coefficients of each column are.
var places4 = [4][4]uint8{{0, 2, 3, 9}, {1, 4, 8, 11}, {5, 7, 12, 18}, {6, 13, 17, 24}}

// pixel shifts from −128..127 to 0..255.
func pixel(v int32) uint8 { return clamp(v + 128) }

func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^v >> 31) // 0 or 255
	}
	return uint8(v)
}
