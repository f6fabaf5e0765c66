package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
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
func (b *binding) bind() *Kernel {
	check(b.checkInputs())
	check(b.checkAttrs())
	k := b.op.bind(b)
	if len(b.Outputs) > len(k.Out) {
		b.unsupported("output %d", len(k.Out)+1)
	}
	if len(b.Outputs) > 0 {
		k.Out = k.Out[:len(b.Outputs)]
	}
	elements := 0
	for i := range k.Out {
		k.Out[i].Shape = append([]int{}, k.Out[i].Shape...) // its own, and not nil
		n, err := tensor.Count(k.Out[i].Shape)
		b.refuseIf(err != nil, "output %d: %w", i, err)
		elements += n
	}
	k.op, k.in = b.op, make([]graph.Tensor, len(b.in))
	for i, t := range b.in {
		if t != nil {
			k.in[i] = graph.Tensor{Type: t.Type, Shape: slices.Clone(t.Shape)}
			elements += t.Len()
		}
	}
	each := b.op.Work
	if each == 0 {
		each = 8
	}
	k.Work += each * int64(elements)
	return k
}

// Functions that bind give up by a panic with one of these, which Bind makes an error
// again: what is wrong with a node has to be told from deep within.
type refusal struct{ error }

// refused calls f and returns the error that it gives up with.
func refused(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case refusal:
			err = r.error
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// check gives up where there is an error.
func check(err error) {
	if err != nil {
		panic(refusal{err})
	}
}

// try returns v, or gives up where there is an error.
func try[T any](v T, err error) T {
	check(err)
	return v
}

// refuse gives up: the node breaks a rule of its operator.
func (b *binding) refuse(format string, args ...any) { check(fmt.Errorf(format, args...)) }

func (b *binding) refuseIf(is bool, format string, args ...any) {
	if is {
		b.refuse(format, args...)
	}
}

// unsupported gives up: the node is valid, but not as the engine has its operator.
func (b *binding) unsupported(format string, args ...any) {
	check(&graph.UnsupportedError{Op: b.Op, Node: b.Name, Opset: b.opset, Reason: fmt.Sprintf(format, args...)})
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
func (b *binding) kernel(run runFunc, out ...graph.Tensor) *Kernel {
	return &Kernel{Out: out, run: run}
}

// computes is like kernel, for what cannot fail and takes one thread.
func (b *binding) computes(run func(in, out tensors), out ...graph.Tensor) *Kernel {
	return b.kernel(func(in, out tensors, _ *workers.Team) error {
		run(in, out)
		return nil
	}, out...)
}

// sizes returns an integer list attribute that must have n elements between lo
// and 2^31-1, or n times def where the node has none.
func (b *binding) sizes(name string, n, lo, def int) []int {
	v := b.Ints(name)
	if v == nil {
		return slices.Repeat([]int{def}, n)
	}
	b.refuseIf(len(v) != n, "%s has %d values, not %d", name, len(v), n)
	for _, x := range v {
		b.refuseIf(x < lo || x > tensor.MaxElements, "%s %d is out of range", name, x)
	}
	return v
}

// constInts returns the data of input i, a constant vector of integers.
func (b *binding) constInts(i int, what string) []int {
	t := b.x(i)
	b.refuseIf(t == nil, "input %d (%s) is missing", i, what)
	b.refuseIf(t.Type != graph.Int || len(t.Shape) > 1, "input %d (%s) is %v, not a vector of integers", i, what, form{t})
	b.refuseIf(!t.Known(), "input %d (%s) %w", i, what, ErrNotConstant)
	most := max(2*tensor.MaxRank, len(b.Outputs))
	b.refuseIf(len(t.I) > most, "input %d (%s) has %d elements, at most %d make sense", i, what, len(t.I), most)
	v := make([]int, len(t.I))
	mapSlice(v, t.I, graph.ToInt)
	return v
}

// constFloats returns the data of input i, a constant vector of floats; nil
// where the input is left out or empty.
func (b *binding) constFloats(i int, what string) []float32 {
	t := b.x(i)
	if t == nil || t.Len() == 0 {
		return nil
	}
	b.refuseIf(t.Type != graph.Float || len(t.Shape) != 1, "input %d (%s) is %v, not a vector of floats", i, what, form{t})
	b.refuseIf(!t.Known(), "input %d (%s) %w", i, what, ErrNotConstant)
	return t.F
}

// constInt returns the data of input i, a scalar or a vector of one number, or def
// where the input is left out.
func (b *binding) constInt(i int, what string, def int) int {
	if b.x(i) == nil {
		return def
	}
	v := b.constInts(i, what)
	b.refuseIf(len(v) != 1, "input %d (%s) is %v, not a scalar", i, what, form{b.x(i)})
	return v[0]
}

// attrOrInput returns a list of integers that is an attribute in the operator sets
// that the row names, and input i afterwards; nil where the node gives neither.
func (b *binding) attrOrInput(name string, i int) []int {
	if _, ok := b.op.at(name, b.opset); ok {
		return b.Ints(name)
	}
	if b.x(i) == nil {
		return nil
	}
	return b.constInts(i, name)
}

// axis returns the integer attribute axis as an index into the dimensions of the
// first input.
func (b *binding) axis() int { return try(tensor.Axis(b.Int("axis"), len(b.shape()))) }

// around returns the axis that the node names, and how the first input's shape
// parts there: the elements before, along and after it.
func (b *binding) around() (axis, outer, n, inner int) {
	x := b.shape()
	axis = b.axis()
	return axis, tensor.Size(x[:axis]), x[axis], tensor.Size(x[axis+1:])
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

// form is a tensor that messages describe.
type form struct{ *graph.Tensor }

func (f form) String() string { return describe(f.Tensor) }
