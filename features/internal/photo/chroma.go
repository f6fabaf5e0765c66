package photo

import "image"

// smooth converts the rows and columns r of a picture with subsampled colour to
// RGB, interpolating the colour between its samples (a triangle filter) as libjpeg
// and libwebp do. image.YCbCr itself, and imaging, repeat each sample. It returns
// that part of img where there is nothing to do. Canvas is as for part.
func smooth(img image.Image, r image.Rectangle, canvas *[]uint8) image.Image {
	m, ok := img.(*image.YCbCr)
	if !ok || m.Rect.Min != (image.Point{}) {
		return part(img, r, canvas)
	}
	var down int // rows that share a row of colour
	var round [2]int32
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		down, round = 1, [2]int32{4, 8}
	case image.YCbCrSubsampleRatio420:
		down, round = 2, [2]int32{8, 7}
	default:
		return part(img, r, canvas)
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	cw, ch := (w+1)/2, (h+down-1)/down
	dst := &image.NRGBA{Pix: pixelsOf(canvas, 4*w*r.Dy()), Stride: 4 * w, Rect: image.Rect(0, r.Min.Y, w, r.Max.Y)}
	cb, cr := make([]uint8, 2*cw), make([]uint8, 2*cw)
	sums := make([]int32, cw)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		near := y / down
		far := near // the row of colour on the other side of the pixel
		if down == 2 {
			far = min(max(near-1+2*(y&1), 0), ch-1)
		}
		for _, c := range []struct{ plane, out []uint8 }{{m.Cb, cb}, {m.Cr, cr}} {
			a, b := c.plane[near*m.CStride:][:cw], c.plane[far*m.CStride:][:cw]
			for x := range sums {
				sums[x] = 3*int32(a[x]) + int32(b[x])
			}
			spread(c.out, sums, round)
		}
		luma, row := m.Y[y*m.YStride:][:w], dst.Pix[(y-r.Min.Y)*dst.Stride:][:4*w]
		for x, v := range luma {
			px := row[4*x : 4*x+4 : 4*x+4]
			// JFIF 1.02, section 7, rounded to nearest in 16-bit fixed point.
			l, b, r := int32(v)<<16+1<<15, int32(cb[x])-128, int32(cr[x])-128
			px[0] = clamp8((l + 91881*r) >> 16)
			px[1] = clamp8((l - 22554*b - 46802*r) >> 16)
			px[2] = clamp8((l + 116130*b) >> 16)
			px[3] = 255
		}
	}
	return part(dst, r, nil)
}

// spread doubles a row of sums, four times a sample each: every output weighs
// the sample it lies in by 3 and the next one by 1. Rounding alternates, as in
// libjpeg, so that it shifts nothing.
func spread(out []uint8, sums []int32, round [2]int32) {
	last := len(sums) - 1
	for x, s := range sums {
		left, right := sums[max(x-1, 0)], sums[min(x+1, last)]
		out[2*x] = uint8((3*s + left + round[0]) >> 4)
		out[2*x+1] = uint8((3*s + right + round[1]) >> 4)
	}
}

func clamp8(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
