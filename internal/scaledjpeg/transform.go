package scaledjpeg

import "math"

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
const fraction = 13

var (
	mean4 = means(2)
	mean2 = means(4)

	// The products that a block of 2×2 needs.
	edge   = (mean2[0][0]*mean2[0][1] + 1<<(fraction-1)) >> fraction
	corner = (mean2[0][1]*mean2[0][1] + 1<<(fraction-1)) >> fraction
)

// means is m for the first two groups of pixels.
func means(group int) (m [2][4]int32) {
	for x := range m {
		for u := range m[x] {
			var sum float64
			for p := x * group; p < (x+1)*group; p++ {
				sum += math.Cos(float64((2*p+1)*u) * math.Pi / 16)
			}
			if u == 0 {
				sum /= math.Sqrt2
			}
			m[x][u] = int32(math.Round(sum / float64(2*group) * (1 << fraction)))
		}
	}
	return m
}

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

// transform4 takes columns first.
func (d *decoder) transform4(pix []uint8, stride int, q *[64]int32) {
	ac := (*[25]int16)(d.ac[:])
	at := func(z int) int32 { return int32(ac[z]) * q[z] }
	columns := [4][4]int32{
		{d.dc, at(2), at(3), at(9)},
		{at(1), at(4), at(8), at(11)},
		{at(5), at(7), at(12), at(18)},
		{at(6), at(13), at(17), at(24)},
	}
	const keep = 3 // fraction bits kept between the passes
	var rows [4][4]int32
	for u := range columns {
		c := &columns[u]
		rows[0][u], rows[1][u], rows[2][u], rows[3][u] = four(c[0], c[1], c[2], c[3], fraction-keep)
	}
	for y := range rows {
		r := &rows[y]
		p0, p1, p2, p3 := four(r[0], r[1], r[2], r[3], fraction+keep)
		out := pix[y*stride:][:4]
		out[0], out[1], out[2], out[3] = pixel(p0), pixel(p1), pixel(p2), pixel(p3)
	}
}

// four is one dimension of the transform to 4, divided by 1<<shift.
func four(c0, c1, c2, c3 int32, shift uint) (p0, p1, p2, p3 int32) {
	a, b := &mean4[0], &mean4[1]
	s := a[0]*c0 + 1<<(shift-1)
	even0, even1 := s+a[2]*c2, s+b[2]*c2
	odd0, odd1 := a[1]*c1+a[3]*c3, b[1]*c1+b[3]*c3
	return (even0 + odd0) >> shift, (even1 + odd1) >> shift, (even1 - odd1) >> shift, (even0 - odd0) >> shift
}

// pixel shifts from −128..127 to 0..255.
func pixel(v int32) uint8 { return clamp(v + 128) }

func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^v >> 31) // 0 or 255
	}
	return uint8(v)
}
