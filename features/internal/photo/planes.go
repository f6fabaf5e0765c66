package photo

import (
	"image"
	"math"
)

// resizePlanes scales the planes of a reduced JPEG to w×h one by one, and converts the
// result, far fewer pixels, to RGB. Up to rounding and clipping the order does not
// matter. It returns nil for other pictures.
func resizePlanes(img image.Image, w, h int) *image.NRGBA {
	var planes []plane
	switch m := img.(type) {
	case *image.Gray:
		planes = []plane{{m.Pix, m.Stride, triangle(m.Rect.Dx(), 1, w), triangle(m.Rect.Dy(), 1, h)}}
	case *image.YCbCr:
		right, down, ok := subsampling(m.SubsampleRatio)
		if !ok || m.Rect.Min != (image.Point{}) {
			return nil
		}
		across, along := triangle(m.Rect.Dx(), right, w), triangle(m.Rect.Dy(), down, h)
		planes = []plane{
			{m.Y, m.YStride, triangle(m.Rect.Dx(), 1, w), triangle(m.Rect.Dy(), 1, h)},
			{m.Cb, m.CStride, across, along},
			{m.Cr, m.CStride, across, along},
		}
	default:
		return nil
	}
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	var rows [3][]int32
	for i := range planes {
		rows[i] = make([]int32, w)
	}
	line := make([]int32, img.Bounds().Dx())
	for y := range h {
		for i, p := range planes {
			p.row(rows[i], line, y)
		}
		out := dst.Pix[y*dst.Stride:][:4*w]
		if len(planes) == 1 {
			grayRow(out, rows[0])
		} else {
			colourRow(out, rows[0], rows[1], rows[2])
		}
	}
	return dst
}

// subsampling is the number of pixels that share a sample of colour, in each
// direction.
func subsampling(r image.YCbCrSubsampleRatio) (right, down int, ok bool) {
	shares := [...][2]int{
		image.YCbCrSubsampleRatio444: {1, 1},
		image.YCbCrSubsampleRatio422: {2, 1},
		image.YCbCrSubsampleRatio420: {2, 2},
		image.YCbCrSubsampleRatio440: {1, 2},
		image.YCbCrSubsampleRatio411: {4, 1},
		image.YCbCrSubsampleRatio410: {4, 2},
	}
	if r < 0 || int(r) >= len(shares) {
		return 0, 0, false
	}
	return shares[r][0], shares[r][1], true
}

// plane is one channel, with the filters that reduce it.
type plane struct {
	pix           []uint8
	stride        int
	across, along filter
}

// filter says how each output of a resized row or column is made of inputs.
type filter []taps

// taps are the inputs whose weighted sum is an output: weights[i] is the weight of
// input first+i, in fixed point with weightBits; they add up to 1.
type taps struct {
	first   int
	weights []int32
}

const (
	weightBits = 15
	sampleBits = 7 // fraction of the samples between columns and rows, and of their result
)

// triangle is the filter that scales pixels to outputs, as wide as a pixel of
// the output on both sides (Pillow's BILINEAR), for a plane with a sample for
// every share pixels.
//
// A sample of a reduced picture is a mean over its extent, which is the value f
// in its middle and f″/24; that is taken off again.
func triangle(pixels, share, outputs int) filter {
	samples := (pixels + share - 1) / share
	scale := float64(pixels) / float64(share) / float64(outputs)
	half := max(scale, 1) // width
	f := make(filter, outputs)
	var weights []float64
	for i := range f {
		centre := (float64(i) + 0.5) * scale
		at := func(j int) float64 { return max(0, 1-math.Abs((float64(j)+0.5-centre)/half)) }
		from, to := max(0, int(centre-half-0.5)), min(samples, int(centre+half+1.5))
		weights = weights[:0]
		for j := from; j < to; j++ {
			weights = append(weights, at(j)+(2*at(j)-at(j-1)-at(j+1))/24)
		}
		f[i] = newTaps(from, weights)
	}
	return f
}

// newTaps normalises the weights. What rounding leaves goes to the largest.
func newTaps(first int, weights []float64) taps {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	t := taps{first, make([]int32, len(weights))}
	rest, largest := int32(1<<weightBits), 0
	for i, w := range weights {
		t.weights[i] = int32(math.Round(w / sum * (1 << weightBits)))
		rest -= t.weights[i]
		if t.weights[i] > t.weights[largest] {
			largest = i
		}
	}
	t.weights[largest] += rest
	return t
}

// row makes row y of the reduced plane: dst, with sampleBits of fraction. Line
// is scratch for a row of the plane.
func (p *plane) row(dst, line []int32, y int) {
	last := p.across[len(p.across)-1]
	line = line[:last.first+len(last.weights)]
	p.column(line, p.along[y])
	for x, t := range p.across {
		in := line[t.first:][:len(t.weights)]
		var sum int32 = 1 << (weightBits - 1)
		for i, w := range t.weights {
			sum += w * in[i]
		}
		dst[x] = sum >> weightBits
	}
}

// column adds up weighted rows of the plane, four at a time.
func (p *plane) column(line []int32, t taps) {
	const shift = weightBits - sampleBits
	round := int32(1 << (shift - 1))
	for i := 0; i < len(t.weights); i += 4 {
		var rows [4][]uint8
		var weights [4]int32 // 0 for rows beyond the last
		copy(weights[:], t.weights[i:])
		for j := range rows {
			at := t.first + min(i+j, len(t.weights)-1)
			rows[j] = p.pix[at*p.stride:][:len(line)]
		}
		r0, r1, r2, r3 := rows[0][:len(line)], rows[1][:len(line)], rows[2][:len(line)], rows[3][:len(line)]
		w0, w1, w2, w3 := weights[0], weights[1], weights[2], weights[3]
		switch first, last := i == 0, i+4 >= len(t.weights); {
		case first && last:
			for x := range line {
				line[x] = (w0*int32(r0[x]) + w1*int32(r1[x]) + w2*int32(r2[x]) + w3*int32(r3[x]) + round) >> shift
			}
		case first:
			for x := range line {
				line[x] = w0*int32(r0[x]) + w1*int32(r1[x]) + w2*int32(r2[x]) + w3*int32(r3[x]) + round
			}
		case last:
			for x := range line {
				line[x] = (line[x] + w0*int32(r0[x]) + w1*int32(r1[x]) + w2*int32(r2[x]) + w3*int32(r3[x])) >> shift
			}
		default:
			for x := range line {
				line[x] += w0*int32(r0[x]) + w1*int32(r1[x]) + w2*int32(r2[x]) + w3*int32(r3[x])
			}
		}
	}
}

func grayRow(out []uint8, luma []int32) {
	for x, v := range luma {
		g := clamp8((v + 1<<(sampleBits-1)) >> sampleBits)
		px := out[4*x : 4*x+4 : 4*x+4]
		px[0], px[1], px[2], px[3] = g, g, g, 255
	}
}

// colourRow converts to RGB: JFIF 1.02, section 7, rounded to nearest.
func colourRow(out []uint8, luma, cb, cr []int32) {
	const bits = 14 // of the factors' fraction
	const shift = bits + sampleBits
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, v := range luma {
		l, b, r := v<<bits+1<<(shift-1), cb[x]-128<<sampleBits, cr[x]-128<<sampleBits
		px := out[4*x : 4*x+4 : 4*x+4]
		px[0] = clamp8((l + 22970*r) >> shift)
		px[1] = clamp8((l - 5638*b - 11700*r) >> shift)
		px[2] = clamp8((l + 29032*b) >> shift)
		px[3] = 255
	}
}
