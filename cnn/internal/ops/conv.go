package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var convOps = []Op{
	{Name: "Conv", Since: 1, Sig: "f f f?", Limits: "1 to 3 spatial axes", bind: bindConv},
	{Name: "ConvTranspose", Since: 1, Sig: "f f f?", Limits: "1 to 3 spatial axes", bind: bindConvTranspose},
}

// maxColumns bounds the scratch memory of a convolution, in elements.
const maxColumns = 1 << 20

// columns returns how many of the positions of a plane are worked on at a time,
// each of which takes so many rows.
func columns(rows, plane int) int { return max(1, min(plane, maxColumns/max(rows, 1))) }

// convShape is what Conv and ConvTranspose have in common.
type convShape struct {
	batch, group int
	c, m         int // channels of a group, of the input and of the output
	kernel       int // elements of the kernel
}

// convShape checks weights and bias against the input. The weights are
// [M, C/group, kernel...] where rowsAreOutput is set, else [C, M/group, kernel...].
func (b *binding) convShape(rowsAreOutput bool) (*convShape, error) {
	x, w := b.in[0].Shape, b.in[1].Shape
	if len(x) < 3 || len(w) != len(x) {
		return nil, fmt.Errorf("input %v and weights %v do not fit", x, w)
	}
	group := b.Int("group", 1)
	if group < 1 || w[0]%group != 0 || x[1]%group != 0 {
		return nil, fmt.Errorf("group %d does not divide input %v and weights %v", group, x, w)
	}
	s := &convShape{batch: x[0], group: group, c: x[1] / group, kernel: product(w[2:])}
	rows := w[0] / group
	if rowsAreOutput {
		s.m = rows
		if w[1] != s.c {
			return nil, fmt.Errorf("weights %v do not fit input %v in %d groups", w, x, group)
		}
	} else {
		s.m = w[1]
		if rows != s.c {
			return nil, fmt.Errorf("weights %v do not fit input %v in %d groups", w, x, group)
		}
	}
	if s.m > MaxElements/group {
		return nil, fmt.Errorf("group %d is out of range", group)
	}
	if t := b.x(2); t != nil && !slices.Equal(t.Shape, []int{s.m * group}) {
		return nil, fmt.Errorf("bias %v does not fit %d channels", t.Shape, s.m*group)
	}
	if k := b.Ints("kernel_shape"); k != nil && !slices.Equal(k, w[2:]) {
		return nil, fmt.Errorf("kernel_shape %v does not fit weights %v", k, w)
	}
	return s, nil
}

// bindConv: X [N, C, spatial...], W [M, C/group, kernel...], B [M].
func bindConv(b *binding) (*Kernel, error) {
	s, err := b.convShape(true)
	if err != nil {
		return nil, err
	}
	x := b.in[0].Shape
	w, err := b.spatialWindow(x, b.in[1].Shape[2:], false)
	if err != nil {
		return nil, err
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		s.conv(w, out[0].F, in[0].F, in[1].F, team)
		if len(in) > 2 && in[2] != nil {
			addBias(out[0].F, in[2].F, product(w.out[:]))
		}
		return nil
	}
	return b.kernel(run, float(w.shape(x, s.m*s.group)...))
}

// addBias adds bias[c] to each channel of n elements.
func addBias(y, bias []float32, n int) {
	for i := 0; i < len(y) && n > 0; i += n {
		v := bias[i/n%len(bias)]
		for j := i; j < i+n; j++ {
			y[j] += v
		}
	}
}

// conv multiplies the weights of each group with the columns of its input
// (im2col), some output positions at a time.
func (s *convShape) conv(w *window, y, x, weights []float32, team *workers.Team) {
	if len(y) == 0 {
		return
	}
	inPlane, outPlane := product(w.in[:]), product(w.out[:])
	k := s.c * s.kernel
	tile := columns(k, outPlane)
	direct := s.kernel == 1 && w.stride == [3]int{1, 1, 1} && inPlane == outPlane
	var col []float32
	if !direct {
		col = make([]float32, k*tile)
	}
	for i := range s.batch * s.group {
		x, y := x[i*s.c*inPlane:(i+1)*s.c*inPlane], y[i*s.m*outPlane:(i+1)*s.m*outPlane]
		a := weights[i%s.group*s.m*k:]
		if direct {
			gemm(false, false, s.m, outPlane, k, a, k, x, outPlane, y, outPlane, team)
			continue
		}
		for p := 0; p < outPlane; p += tile {
			n := min(tile, outPlane-p)
			im2col(w, col, x, s.c, p, n)
			gemm(false, false, s.m, n, k, a, k, col, n, y[p:], outPlane, team)
		}
	}
}

// im2col fills col, [channels·kernel, n], with the elements of x that each
// element of the kernel meets at the output positions p to p+n.
func im2col(w *window, col, x []float32, channels, p, n int) {
	plane, stride := product(w.in[:]), w.stride[2]
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

// col2im is the opposite of im2col: it adds each element of col to the element
// of x that it comes from.
func col2im(w *window, x, col []float32, channels, p, n int) {
	plane, stride := product(w.in[:]), w.stride[2]
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

// bindConvTranspose: X [N, C, spatial...], W [C, M/group, kernel...], B [M]. It
// is the adjoint of the convolution that leads from the output's shape to X's.
func bindConvTranspose(b *binding) (*Kernel, error) {
	s, err := b.convShape(false)
	if err != nil {
		return nil, err
	}
	w, err := b.transposedWindow()
	if err != nil {
		return nil, err
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		s.convTranspose(w, out[0].F, in[0].F, in[1].F, team)
		if len(in) > 2 && in[2] != nil {
			addBias(out[0].F, in[2].F, product(w.in[:]))
		}
		return nil
	}
	n := len(b.in[0].Shape) - 2
	return b.kernel(run, float(append([]int{s.batch, s.m * s.group}, w.in[3-n:]...)...))
}

// transposedWindow returns the window of the convolution from the output of a
// ConvTranspose to its input.
func (b *binding) transposedWindow() (*window, error) {
	x, kernel := b.in[0].Shape, b.in[1].Shape[2:]
	n := len(kernel)
	w, err := b.kernelWindow(x, kernel)
	if err != nil {
		return nil, err
	}
	w.out = w.in
	auto, err := b.oneOf("auto_pad", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "")
	if err != nil {
		return nil, err
	}
	if auto == "NOTSET" || auto == "" {
		if err := b.pads(w, n); err != nil {
			return nil, err
		}
	}
	extra, err := b.sizes("output_padding", n, 0, 0)
	if err != nil {
		return nil, err
	}
	size := b.Ints("output_shape")
	if len(size) == n+2 {
		size = size[2:] // some exporters give batch and channels too
	}
	if size != nil && len(size) != n {
		return nil, fmt.Errorf("output_shape %v does not have %d values", size, n)
	}
	for i := range n {
		a := 3 - n + i
		if w.out[a] == 0 {
			return nil, fmt.Errorf("input %v has an empty spatial axis", x)
		}
		full := (w.out[a]-1)*w.stride[a] + extra[i] + w.reach(a)
		switch {
		case size != nil:
			w.in[a] = size[i]
		case auto == "SAME_UPPER" || auto == "SAME_LOWER":
			w.in[a] = w.out[a] * w.stride[a]
		default:
			w.in[a] = full - w.begin[a] - w.end[a]
		}
		if w.in[a] < 1 || w.in[a] > MaxElements {
			return nil, fmt.Errorf("output size %d of axis %d is out of range", w.in[a], i+2)
		}
		if total := max(0, full-w.in[a]); size != nil || auto == "SAME_UPPER" || auto == "SAME_LOWER" {
			w.begin[a] = total - total/2
			if auto == "SAME_UPPER" {
				w.begin[a] = total / 2
			}
		}
	}
	return w, nil
}

func (s *convShape) convTranspose(w *window, y, x, weights []float32, team *workers.Team) {
	if len(y) == 0 {
		return
	}
	inPlane, outPlane := product(w.out[:]), product(w.in[:])
	rows := s.m * s.kernel
	tile := columns(rows, inPlane)
	col := make([]float32, rows*tile)
	clear(y)
	for i := range s.batch * s.group {
		x, y := x[i*s.c*inPlane:(i+1)*s.c*inPlane], y[i*s.m*outPlane:(i+1)*s.m*outPlane]
		a := weights[i%s.group*s.c*rows:]
		for p := 0; p < inPlane; p += tile {
			n := min(tile, inPlane-p)
			gemm(true, false, rows, n, s.c, a, rows, x[p:], inPlane, col, n, team)
			col2im(w, y, col, s.m, p, n)
		}
	}
}
