package layers

import (
	"slices"
	"strings"

	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var _ = op.Register([]op.Row{
	{Name: "Einsum", Since: 12, Sig: "f f*", Attrs: "equation:string", Limits: "of floats", Pictures: einsumPictures, Work: 1, Bind: bindEinsum},
})

// einsum is an equation: the label of each axis of the inputs and of the output, and
// the size of each label. Labels below 0 are axes of the ellipsis, -1 the last.
type einsum struct {
	in  [][]int
	out []int
	dim map[int]int
}

// newEinsum reads the equation. Without an output it is that of NumPy: the ellipsis,
// then the labels that come once, in the order of the alphabet.
func newEinsum(b *op.Binding) *einsum {
	equation := strings.ReplaceAll(b.Node.Str("equation", ""), " ", "")
	left, right, explicit := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	b.RefuseIf(len(terms) != len(b.In), "equation has %d terms for %d inputs", len(terms), len(b.In))
	e := &einsum{dim: map[int]int{}}
	ellipsis, times := 0, map[int]int{}
	for i, t := range terms {
		shape := b.In[i].Shape
		labels := e.labels(b, t, len(shape))
		for d, l := range labels {
			n, size := shape[d], 1
			if of, known := e.dim[l]; known {
				size = of
			}
			b.RefuseIf(n != size && n != 1 && size != 1, "axis %d of input %d is %d, and another of its label is %d", d, i, n, size)
			if n != 1 {
				size = n
			}
			e.dim[l] = size
			times[l]++
			ellipsis = max(ellipsis, -l)
		}
		e.in = append(e.in, labels)
	}
	if explicit {
		e.out = e.labels(b, right, len(right)-min(strings.Count(right, "."), 3)+ellipsis*strings.Count(right, "..."))
	} else {
		for l := -ellipsis; l < 1<<7; l++ {
			if times[l] == 1 || l < 0 {
				e.out = append(e.out, l)
			}
		}
	}
	for i, l := range e.out {
		_, known := e.dim[l]
		b.RefuseIf(!known || slices.Contains(e.out[:i], l), "the output of the equation has a label that is not one of the inputs', or twice")
	}
	return e
}

// labels returns the label of each axis of a term.
func (e *einsum) labels(b *op.Binding, term string, rank int) []int {
	before, after, dots := strings.Cut(term, "...")
	labels := []int{}
	for i, c := range []byte(before + after) {
		if dots && i == len(before) {
			for l := rank - len(before) - len(after); l > 0; l-- {
				labels = append(labels, -l)
			}
		}
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		b.RefuseIf(!letter, "equation has the character %q", c)
		labels = append(labels, int(c))
	}
	if dots && after == "" {
		for l := rank - len(before); l > 0; l-- {
			labels = append(labels, -l)
		}
	}
	b.RefuseIf(len(labels) != rank, "term %q does not have %d axes", term, rank)
	return labels
}

// einsumPictures: pictures have a label of the output, in all inputs that have it.
var einsumPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	e := newEinsum(b)
	var label int
	for i, a := range axes {
		if a >= 0 {
			label = e.in[i][a]
		}
	}
	for i, a := range axes {
		if at := slices.Index(e.in[i], label); at != a || at >= 0 && slices.Contains(e.in[i][at+1:], label) || a >= 0 && b.In[i].Shape[a] != e.dim[label] {
			return 0, false
		}
	}
	at := slices.Index(e.out, label)
	return at, at >= 0
})

// shape returns the sizes of labels.
func (e *einsum) shape(labels []int) []int {
	s := make([]int, len(labels))
	for i, l := range labels {
		s[i] = e.dim[l]
	}
	return s
}

// An operand is a tensor of the labels' sizes, or of ones that stand for them.
type operand struct{ labels, shape []int }

// walk returns the walk over labels that finds the elements of o in their order.
func (e *einsum) walk(labels []int, o operand) *tensor.Walk {
	strides := make([]int, len(labels))
	for d, s := range tensor.Strides(o.shape) {
		if i := slices.Index(labels, o.labels[d]); i >= 0 && o.shape[d] != 1 {
			strides[i] += s // of both, on a diagonal
		}
	}
	w := tensor.NewWalk(e.shape(labels), strides)
	return &w
}

// A contraction is a step of an einsum: the product of two operands, summed over the
// labels that nothing needs any more: a matrix product for each index of a batch.
type contraction struct {
	x, y    *tensor.Walk // to [batch, m, k] and [batch, k, n]
	batch   int
	m, n, k int
}

func bindEinsum(b *op.Binding) *op.Kernel {
	e := newEinsum(b)
	// Inputs are multiplied from left to right. The first is multiplied by 1.
	acc := operand{}
	var steps []contraction
	size, work := int64(0), int64(0)
	for i, labels := range e.in {
		needed := slices.Concat(append([][]int{e.out}, e.in[i+1:]...)...)
		x, y := acc, operand{labels, b.In[i].Shape}
		var batch, left, right, sums []int
		add := func(to *[]int, l int) {
			if !slices.Contains(*to, l) {
				*to = append(*to, l)
			}
		}
		for _, l := range x.labels {
			switch both, need := slices.Contains(y.labels, l), slices.Contains(needed, l); {
			case both && need:
				add(&batch, l)
			case need:
				add(&left, l)
			default:
				add(&sums, l)
			}
		}
		for _, l := range y.labels {
			switch {
			case slices.Contains(x.labels, l):
			case slices.Contains(needed, l):
				add(&right, l)
			default:
				add(&sums, l)
			}
		}
		count := func(labels []int) int { return op.Try(tensor.Count(e.shape(labels))) }
		s := contraction{batch: count(batch), m: count(left), n: count(right), k: count(sums)}
		order := slices.Concat(batch, left, sums)
		size += int64(count(order))
		s.x = e.walk(order, x)
		order = slices.Concat(batch, sums, right)
		size += int64(count(order))
		s.y = e.walk(order, y)
		order = slices.Concat(batch, left, right)
		n := int64(count(order))
		size += n
		work += n*int64(s.k)/16 + 8*size
		acc = operand{order, e.shape(order)}
		steps = append(steps, s)
	}
	last := e.walk(e.out, acc)
	k := b.Kernel(func(in, out op.Tensors, team *workers.Team) error {
		acc := tensor.Slice[float32]{1}
		for i, s := range steps {
			x := make(tensor.Slice[float32], s.batch*s.m*s.k)
			x.Gather(acc, 0, s.x)
			y := make(tensor.Slice[float32], s.batch*s.k*s.n)
			y.Gather(in[i].Data(), 0, s.y)
			acc = make(tensor.Slice[float32], s.batch*s.m*s.n)
			for j := range s.batch {
				gemm(false, false, s.m, s.n, s.k, x[j*s.m*s.k:], s.k, y[j*s.k*s.n:], s.n, acc[j*s.m*s.n:], s.n, team)
			}
		}
		out[0].Data().Gather(acc, 0, last)
		return nil
	}, op.Float(e.shape(e.out)...))
	k.Workspace, k.Work = 4*size, work
	return k
}
