package ops

import "fmt"

// window is the geometry of a convolution or pooling over three spatial axes,
// depth, height and width. Operators on fewer axes have ones in front.
type window struct {
	in, out, kernel, stride, dilation [3]int
	begin, end                        [3]int // padding, in elements of the input
}

// reach returns how many elements of the input the kernel covers along an axis.
func (w *window) reach(axis int) int { return w.dilation[axis]*(w.kernel[axis]-1) + 1 }

// spatialWindow reads strides, dilations and padding (pads or auto_pad) of a
// convolution or pooling of input x, [N, C, spatial...], and computes the
// output sizes, rounded up where ceil is set.
func (b *binding) spatialWindow(x, kernel []int, ceil bool) (*window, error) {
	w, err := b.kernelWindow(x, kernel)
	if err != nil {
		return nil, err
	}
	auto, err := b.oneOf("auto_pad", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "")
	if err != nil {
		return nil, err
	}
	if auto == "NOTSET" || auto == "" {
		if err := b.pads(w, len(kernel)); err != nil {
			return nil, err
		}
	}
	for a := range w.in {
		in, stride, reach := w.in[a], w.stride[a], w.reach(a)
		if auto == "SAME_UPPER" || auto == "SAME_LOWER" {
			w.out[a] = (in + stride - 1) / stride
			total := max(0, (w.out[a]-1)*stride+reach-in)
			w.begin[a] = total / 2
			if auto == "SAME_LOWER" {
				w.begin[a] = total - total/2
			}
			w.end[a] = total - w.begin[a]
			continue
		}
		room := in + w.begin[a] + w.end[a] - reach
		if room < 0 {
			return nil, fmt.Errorf("the kernel reaches over %d elements of %d padded by %d and %d", reach, in, w.begin[a], w.end[a])
		}
		w.out[a] = room/stride + 1
		// Rounded up, unless the last window would begin in the padding at the end.
		if ceil && auto != "VALID" && room%stride != 0 && w.out[a]*stride < in+w.begin[a] {
			w.out[a]++
		}
	}
	return w, nil
}

// kernelWindow fills in what does not depend on the padding.
func (b *binding) kernelWindow(x, kernel []int) (*window, error) {
	n := len(kernel)
	if n == 0 || len(x) != n+2 {
		return nil, fmt.Errorf("input %v does not have the %d spatial axes of kernel %v", x, n, kernel)
	}
	if n > 3 {
		return nil, b.unsupported("%d spatial axes", n)
	}
	strides, err := b.sizes("strides", n, 1, 1)
	if err != nil {
		return nil, err
	}
	dilations, err := b.sizes("dilations", n, 1, 1)
	if err != nil {
		return nil, err
	}
	one := [3]int{1, 1, 1}
	w := &window{in: one, out: one, kernel: one, stride: one, dilation: one}
	for i, k := range kernel {
		if k < 1 || k > MaxElements {
			return nil, fmt.Errorf("kernel %v is out of range", kernel)
		}
		a := 3 - n + i
		w.in[a], w.kernel[a], w.stride[a], w.dilation[a] = x[2+i], k, strides[i], dilations[i]
	}
	return w, nil
}

// pads reads the explicit padding of n axes.
func (b *binding) pads(w *window, n int) error {
	pads, err := b.sizes("pads", 2*n, 0, 0)
	if err != nil {
		return err
	}
	copy(w.begin[3-n:], pads[:n])
	copy(w.end[3-n:], pads[n:])
	return nil
}

// shape returns the output's shape with c channels, given the input's.
func (w *window) shape(x []int, c int) []int {
	return append([]int{x[0], c}, w.out[3-(len(x)-2):]...)
}

// span returns the elements of the input that the kernel at output position o
// touches along an axis: the first one, and their number.
func (w *window) span(axis, o int) (first, n int) {
	start, d := o*w.stride[axis]-w.begin[axis], w.dilation[axis]
	lo := 0
	if start < 0 {
		lo = (-start + d - 1) / d
	}
	hi := min(w.kernel[axis], (w.in[axis]-start+d-1)/d)
	return start + lo*d, max(hi-lo, 0)
}

// paddedSpan counts the elements of the input and of its padding that the
// kernel at output position o touches along an axis.
func (w *window) paddedSpan(axis, o int) int {
	start, d := o*w.stride[axis]-w.begin[axis], w.dilation[axis]
	return max(0, min(w.kernel[axis], (w.in[axis]+w.end[axis]-start+d-1)/d))
}

// taps calls f for each element of the kernel, in row-major order.
func (w *window) taps(f func(tap [3]int)) {
	for d := range w.kernel[0] {
		for h := range w.kernel[1] {
			for v := range w.kernel[2] {
				f([3]int{d, h, v})
			}
		}
	}
}

// lines walks the output positions p to p+n of a plane, for one element of the
// kernel, in lines along the width: n positions, at positions after p, of which
// lo to hi meet an element of the input; the first of these meets element from,
// and each other the one stride[2] further on.
func (w *window) lines(p, n int, tap [3]int, f func(at, n, lo, hi, from int)) {
	var origin [3]int // where the kernel's element lies for output position 0
	for a := range origin {
		origin[a] = tap[a]*w.dilation[a] - w.begin[a]
	}
	stride := w.stride[2]
	for at := 0; at < n; {
		q := p + at
		v, h, d := q%w.out[2], q/w.out[2]%w.out[1], q/w.out[2]/w.out[1]
		length := min(n-at, w.out[2]-v)
		d, h = d*w.stride[0]+origin[0], h*w.stride[1]+origin[1]
		first := v*stride + origin[2]
		lo, hi := 0, 0
		if d >= 0 && d < w.in[0] && h >= 0 && h < w.in[1] {
			if first < 0 {
				lo = min(length, (-first+stride-1)/stride)
			}
			hi = max(lo, min(length, (w.in[2]-first+stride-1)/stride))
		}
		from := 0
		if lo < hi {
			from = (d*w.in[1]+h)*w.in[2] + first + lo*stride
		}
		f(at, length, lo, hi, from)
		at += length
	}
}
