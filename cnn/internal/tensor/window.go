package tensor

import "fmt"

// A Window is the geometry of a convolution or pooling over three spatial axes,
// depth, height and width. Operators on fewer axes have ones in front.
type Window struct {
	In, Out, Kernel, Stride, Dilation [3]int
	Begin, End                        [3]int // padding, in elements of the input
}

// Padding is how a Window's padding is chosen: ONNX's auto_pad.
type Padding string

const (
	Explicit  Padding = "NOTSET" // as Begin and End have it
	SameUpper Padding = "SAME_UPPER"
	SameLower Padding = "SAME_LOWER"
	Valid     Padding = "VALID"
)

// Reach returns how many elements of the input the kernel covers along an axis.
func (w *Window) Reach(axis int) int { return w.Dilation[axis]*(w.Kernel[axis]-1) + 1 }

// Slide computes the output's sizes, rounded up where ceil is set, and the padding
// unless it is explicit.
func (w *Window) Slide(auto Padding, ceil bool) error {
	for a := range w.In {
		in, stride, reach := w.In[a], w.Stride[a], w.Reach(a)
		if auto == SameUpper || auto == SameLower {
			w.Out[a] = (in + stride - 1) / stride
			w.split(a, max(0, (w.Out[a]-1)*stride+reach-in), auto)
			continue
		}
		free := in + w.Begin[a] + w.End[a] - reach
		if free < 0 {
			return fmt.Errorf("the kernel reaches over %d elements of %d padded by %d and %d", reach, in, w.Begin[a], w.End[a])
		}
		w.Out[a] = free/stride + 1
		// Rounded up, unless the last window would begin in the padding at the end.
		if ceil && auto != Valid && free%stride != 0 && w.Out[a]*stride < in+w.Begin[a] {
			w.Out[a]++
		}
	}
	return nil
}

// split shares the padding of an axis out between both ends; the odd one comes at
// the end for SameUpper, else at the beginning.
func (w *Window) split(axis, total int, auto Padding) {
	w.Begin[axis] = total - total/2
	if auto == SameUpper {
		w.Begin[axis] = total / 2
	}
	w.End[axis] = total - w.Begin[axis]
}

// Unslide is the opposite of Slide along an axis: Out is given. The input's size is
// as given too where fixed is set, else what the padding leaves of the elements that
// the windows cover and extra more. It reports whether the size is in range.
func (w *Window) Unslide(auto Padding, axis, extra int, fixed bool) bool {
	full := (w.Out[axis]-1)*w.Stride[axis] + extra + w.Reach(axis)
	same := auto == SameUpper || auto == SameLower
	switch {
	case fixed:
	case same:
		w.In[axis] = w.Out[axis] * w.Stride[axis]
	default:
		w.In[axis] = full - w.Begin[axis] - w.End[axis]
	}
	if w.In[axis] < 1 || w.In[axis] > MaxElements {
		return false
	}
	if fixed || same {
		w.split(axis, max(0, full-w.In[axis]), auto)
	}
	return true
}

// Span returns the elements of the input that the kernel at output position o
// touches along an axis: the first one, and their number.
func (w *Window) Span(axis, o int) (first, n int) {
	start, d := o*w.Stride[axis]-w.Begin[axis], w.Dilation[axis]
	lo := 0
	if start < 0 {
		lo = (-start + d - 1) / d
	}
	hi := min(w.Kernel[axis], (w.In[axis]-start+d-1)/d)
	return start + lo*d, max(hi-lo, 0)
}

// PaddedSpan counts the elements of the input and of its padding that the kernel
// at output position o touches along an axis.
func (w *Window) PaddedSpan(axis, o int) int {
	start, d := o*w.Stride[axis]-w.Begin[axis], w.Dilation[axis]
	return max(0, min(w.Kernel[axis], (w.In[axis]+w.End[axis]-start+d-1)/d))
}

// taps calls f for each element of the kernel, in row-major order.
func (w *Window) taps(f func(tap [3]int)) {
	for d := range w.Kernel[0] {
		for h := range w.Kernel[1] {
			for v := range w.Kernel[2] {
				f([3]int{d, h, v})
			}
		}
	}
}

// lines walks the output positions p to p+n of a plane, for one element of the
// kernel, in lines along the width: n positions, at positions after p, of which
// lo to hi meet an element of the input; the first of these meets element from,
// and each other the one Stride[2] further on.
func (w *Window) lines(p, n int, tap [3]int, f func(at, n, lo, hi, from int)) {
	var origin [3]int // where the kernel's element lies for output position 0
	for a := range origin {
		origin[a] = tap[a]*w.Dilation[a] - w.Begin[a]
	}
	stride := w.Stride[2]
	for at := 0; at < n; {
		q := p + at
		v, h, d := q%w.Out[2], q/w.Out[2]%w.Out[1], q/w.Out[2]/w.Out[1]
		length := min(n-at, w.Out[2]-v)
		d, h = d*w.Stride[0]+origin[0], h*w.Stride[1]+origin[1]
		first := v*stride + origin[2]
		lo, hi := 0, 0
		if d >= 0 && d < w.In[0] && h >= 0 && h < w.In[1] {
			if first < 0 {
				lo = min(length, (-first+stride-1)/stride)
			}
			hi = max(lo, min(length, (w.In[2]-first+stride-1)/stride))
		}
		from := 0
		if lo < hi {
			from = (d*w.In[1]+h)*w.In[2] + first + lo*stride
		}
		f(at, length, lo, hi, from)
		at += length
	}
}

// Im2col fills col, [channels·kernel, n], with the elements of x that each element
// of the kernel meets at the output positions p to p+n.
func (w *Window) Im2col(col, x []float32, channels, p, n int) {
	plane, stride := Size(w.In[:]), w.Stride[2]
	for c := range channels {
		x := x[c*plane : (c+1)*plane]
		w.taps(func(tap [3]int) {
			w.lines(p, n, tap, func(at, n, lo, hi, from int) {
				line := col[at : at+n]
				clear(line[:lo])
				if stride == 1 {
					copy(line[lo:hi], x[from:])
				} else {
					for i := range line[lo:hi] {
						line[lo+i] = x[from+i*stride]
					}
				}
				clear(line[hi:])
			})
			col = col[n:]
		})
	}
}

// Col2im is the opposite of Im2col: it adds each element of col to the element of
// x that it comes from.
func (w *Window) Col2im(x, col []float32, channels, p, n int) {
	plane, stride := Size(w.In[:]), w.Stride[2]
	for c := range channels {
		x := x[c*plane : (c+1)*plane]
		w.taps(func(tap [3]int) {
			w.lines(p, n, tap, func(at, n, lo, hi, from int) {
				for i, v := range col[at+lo : at+hi] {
					x[from+i*stride] += v
				}
			})
			col = col[n:]
		})
	}
}
