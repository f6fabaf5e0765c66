package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels"
)

// binding is a node being bound: its attributes, and its inputs as far as known.
type binding struct {
	*graph.Node
	op    *Op
	opset int
	in    tensors
}

// bind checks attributes and inputs against the operator's row, binds the node, and
// checks the outputs.
func (b *binding) bind() (*Kernel, error) {
	if err := b.checkInputs(); err != nil {
		return nil, err
	}
	if err := b.checkAttrs(); err != nil {
		return nil, err
	}
	k, err := b.op.bind(b)
	if err != nil {
		return nil, err
	}
	if len(b.Outputs) > len(k.Out) {
		return nil, b.unsupported("output %d", len(k.Out)+1)
	}
	if len(b.Outputs) > 0 {
		k.Out = k.Out[:len(b.Outputs)]
	}
	var elements int64
	for i := range k.Out {
		k.Out[i].Shape = append([]int{}, k.Out[i].Shape...) // its own, and not nil
		n, err := tensor.Count(k.Out[i].Shape)
		if err != nil {
			return nil, fmt.Errorf("output %d: %w", i, err)
		}
		elements += int64(n)
	}
	k.op, k.in = b.op, make([]graph.Tensor, len(b.in))
	for i, t := range b.in {
		if t != nil {
			k.in[i] = graph.Tensor{Type: t.Type, Shape: slices.Clone(t.Shape)}
			elements += int64(t.Len())
		}
	}
	each := b.op.Work
	if each == 0 {
		each = 8
	}
	k.Work += each * elements
	return k, nil
}

// checkInputs checks number, types and shapes of the inputs against the signature.
func (b *binding) checkInputs() error {
	want := b.op.inputs
	repeats := len(want) > 0 && want[len(want)-1].mark == '*'
	if len(b.in) > len(want) && !repeats {
		return fmt.Errorf("has %d inputs, takes at most %d", len(b.in), len(want))
	}
	for i, t := range b.in {
		if t == nil {
			continue
		}
		if err := valid(t); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		if !b.op.input(i).accepts(t.Type, b.in[0]) {
			return fmt.Errorf("input %d: cannot be %s", i, typeName(t.Type))
		}
	}
	for i := range max(len(want), len(b.in)) {
		mark := b.op.input(i).mark
		if b.x(i) == nil && mark != '?' && !(mark == '*' && i > 0 && i >= len(b.in)) {
			return fmt.Errorf("input %d is missing", i)
		}
	}
	return nil
}

func (i input) accepts(t graph.DType, first *graph.Tensor) bool {
	switch i.code {
	case 'f':
		return t == graph.Float
	case 'i':
		return t == graph.Int
	case 'b':
		return t == graph.Bool
	case 'n':
		return t == graph.Float || t == graph.Int
	case '=':
		return first != nil && t == first.Type
	}
	return t != graph.Invalid
}

// valid reports what is wrong with a tensor that came from outside.
func valid(t *graph.Tensor) error {
	if t.Type != graph.Float && t.Type != graph.Int && t.Type != graph.Bool {
		return fmt.Errorf("type %d is not known", t.Type)
	}
	n, err := tensor.Count(t.Shape)
	if err != nil {
		return err
	}
	if t.Known() && dataLen(t) != n {
		return fmt.Errorf("%s holds %d elements", describe(t), dataLen(t))
	}
	return nil
}

// x returns input i, or nil where it is left out.
func (b *binding) x(i int) *graph.Tensor {
	if i < len(b.in) {
		return b.in[i]
	}
	return nil
}

// shape returns the shape of the first input.
func (b *binding) shape() []int { return b.in[0].Shape }

// kernel returns a kernel with the given outputs.
func (b *binding) kernel(run runFunc, out ...graph.Tensor) (*Kernel, error) {
	return &Kernel{Out: out, run: run}, nil
}

// computes is like kernel, for what cannot fail and takes one thread.
func (b *binding) computes(run func(in, out tensors), out ...graph.Tensor) (*Kernel, error) {
	return b.kernel(func(in, out tensors, _ *kernels.Team) error {
		run(in, out)
		return nil
	}, out...)
}

func (b *binding) unsupported(format string, args ...any) error {
	return &graph.UnsupportedError{Op: b.Op, Node: b.Name, Opset: b.opset, Reason: fmt.Sprintf(format, args...)}
}

// sizes returns an integer list attribute that must have n elements between lo
// and 2^31-1, or n times def where the node has none.
func (b *binding) sizes(name string, n, lo, def int) ([]int, error) {
	v := b.Ints(name)
	if v == nil {
		return slices.Repeat([]int{def}, n), nil
	}
	if len(v) != n {
		return nil, fmt.Errorf("%s has %d values, not %d", name, len(v), n)
	}
	for _, x := range v {
		if x < lo || x > tensor.MaxElements {
			return nil, fmt.Errorf("%s %d is out of range", name, x)
		}
	}
	return v, nil
}

// constInts returns the data of input i, a constant vector of integers.
func (b *binding) constInts(i int, what string) ([]int, error) {
	t := b.x(i)
	if t == nil {
		return nil, fmt.Errorf("input %d (%s) is missing", i, what)
	}
	if t.Type != graph.Int || len(t.Shape) > 1 {
		return nil, fmt.Errorf("input %d (%s) is %s, not a vector of integers", i, what, describe(t))
	}
	if !t.Known() {
		return nil, fmt.Errorf("input %d (%s) %w", i, what, ErrNotConstant)
	}
	if most := max(2*tensor.MaxRank, len(b.Outputs)); len(t.I) > most {
		return nil, fmt.Errorf("input %d (%s) has %d elements, at most %d make sense", i, what, len(t.I), most)
	}
	v := make([]int, len(t.I))
	for j, x := range t.I {
		v[j] = graph.ToInt(x)
	}
	return v, nil
}

// constFloats returns the data of input i, a constant vector of floats; nil
// where the input is left out or empty.
func (b *binding) constFloats(i int, what string) ([]float32, error) {
	t := b.x(i)
	if t == nil || t.Len() == 0 {
		return nil, nil
	}
	if t.Type != graph.Float || len(t.Shape) != 1 {
		return nil, fmt.Errorf("input %d (%s) is %s, not a vector of floats", i, what, describe(t))
	}
	if !t.Known() {
		return nil, fmt.Errorf("input %d (%s) %w", i, what, ErrNotConstant)
	}
	return t.F, nil
}

// constInt returns the data of input i, a scalar or a vector of one number, or def
// where the input is left out.
func (b *binding) constInt(i int, what string, def int) (int, error) {
	if b.x(i) == nil {
		return def, nil
	}
	v, err := b.constInts(i, what)
	if err == nil && len(v) != 1 {
		err = fmt.Errorf("input %d (%s) is %s, not a scalar", i, what, describe(b.x(i)))
	}
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// attrOrInput returns a list of integers that is an attribute in the operator sets
// that the row names, and input i afterwards; nil where the node gives neither.
func (b *binding) attrOrInput(name string, i int) ([]int, error) {
	if _, ok := b.op.at(name, b.opset); ok {
		return b.Ints(name), nil
	}
	if b.x(i) == nil {
		return nil, nil
	}
	return b.constInts(i, name)
}

// axis returns the integer attribute axis as an index into rank dimensions.
func (b *binding) axis(rank int) (int, error) { return tensor.Axis(b.Int("axis"), rank) }

// around returns the axis that the node names, and how the first input's shape
// parts there: the elements before, along and after it.
func (b *binding) around() (axis, outer, n, inner int, err error) {
	x := b.shape()
	if axis, err = b.axis(len(x)); err != nil {
		return 0, 0, 0, 0, err
	}
	return axis, tensor.Size(x[:axis]), x[axis], tensor.Size(x[axis+1:]), nil
}

func float(shape ...int) graph.Tensor   { return graph.Tensor{Type: graph.Float, Shape: shape} }
func integer(shape ...int) graph.Tensor { return graph.Tensor{Type: graph.Int, Shape: shape} }
func boolean(shape ...int) graph.Tensor { return graph.Tensor{Type: graph.Bool, Shape: shape} }

func like(t *graph.Tensor, shape []int) graph.Tensor {
	return graph.Tensor{Type: t.Type, Shape: shape}
}

func typeName(t graph.DType) string {
	switch t {
	case graph.Float:
		return "float"
	case graph.Int:
		return "int"
	case graph.Bool:
		return "bool"
	}
	return "invalid"
}

func describe(t *graph.Tensor) string { return typeName(t.Type) + fmt.Sprint(t.Shape) }
