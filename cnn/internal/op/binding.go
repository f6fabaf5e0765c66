package op

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// Binding is a node being bound: its attributes, and its inputs as far as known.
type Binding struct {
	*graph.Node
	Opset int
	In    Tensors // nil where one is left out
	row   *Row
}

// bind checks attributes and inputs against the operator's row, binds the node, and
// checks the outputs.
func (b *Binding) bind() *Kernel {
	Check(b.checkInputs())
	Check(b.checkAttrs())
	k := b.row.Bind(b)
	if len(b.Outputs) > len(k.Out) {
		b.Unsupported("output %d", len(k.Out)+1)
	}
	if len(b.Outputs) > 0 {
		k.Out = k.Out[:len(b.Outputs)]
	}
	var elements int64
	for i := range k.Out {
		k.Out[i].Shape = append([]int{}, k.Out[i].Shape...) // its own, and not nil
		n, err := tensor.Count(k.Out[i].Shape)
		b.RefuseIf(err != nil, "output %d: %w", i, err)
		elements += int64(n)
	}
	k.row, k.in = b.row, make([]graph.Tensor, len(b.In))
	for i, t := range b.In {
		if t != nil {
			k.in[i] = graph.Tensor{Type: t.Type, Shape: slices.Clone(t.Shape)}
			elements += int64(t.Len())
		}
	}
	each := b.row.Work
	if each == 0 {
		each = 8
	}
	k.Work += each * elements
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

// Check gives up where there is an error.
func Check(err error) {
	if err != nil {
		panic(refusal{err})
	}
}

// Try returns v, or gives up where there is an error.
func Try[T any](v T, err error) T {
	Check(err)
	return v
}

// Refuse gives up: the node breaks a rule of its operator.
func (b *Binding) Refuse(format string, args ...any) { Check(fmt.Errorf(format, args...)) }

// RefuseIf gives up where something is so. The arguments are evaluated in any case.
func (b *Binding) RefuseIf(is bool, format string, args ...any) {
	if is {
		b.Refuse(format, args...)
	}
}

// Unsupported gives up: the node is valid, but not as the engine has its operator.
func (b *Binding) Unsupported(format string, args ...any) {
	Check(&graph.UnsupportedError{Op: b.Op, Node: b.Name, Opset: b.Opset, Reason: fmt.Sprintf(format, args...)})
}

// checkInputs checks number, types and shapes of the inputs against the signature.
func (b *Binding) checkInputs() error {
	want := b.row.inputs
	repeats := len(want) > 0 && want[len(want)-1].mark == '*'
	if len(b.In) > len(want) && !repeats {
		return fmt.Errorf("has %d inputs, takes at most %d", len(b.In), len(want))
	}
	for i, t := range b.In {
		if t == nil {
			continue
		}
		if err := Valid(t); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		if !b.row.input(i).accepts(t.Type, b.In[0]) {
			return fmt.Errorf("input %d: cannot be %s", i, t.Type)
		}
	}
	for i := range max(len(want), len(b.In)) {
		mark := b.row.input(i).mark
		if b.X(i) == nil && mark != '?' && !(mark == '*' && i > 0 && i >= len(b.In)) {
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

// Valid reports what is wrong with a tensor that came from outside.
func Valid(t *graph.Tensor) error {
	if t.Type != graph.Float && t.Type != graph.Int && t.Type != graph.Bool {
		return fmt.Errorf("type %d is not known", t.Type)
	}
	n, err := tensor.Count(t.Shape)
	if err != nil {
		return err
	}
	if t.Known() && held(t) != n {
		return fmt.Errorf("%s holds %d elements", t, held(t))
	}
	return nil
}

// X returns input i, or nil where it is left out.
func (b *Binding) X(i int) *graph.Tensor {
	if i < len(b.In) {
		return b.In[i]
	}
	return nil
}

// Shape returns the shape of the first input.
func (b *Binding) Shape() []int { return b.In[0].Shape }

// Kernel returns a kernel with the given outputs.
func (b *Binding) Kernel(run RunFunc, out ...graph.Tensor) *Kernel {
	return &Kernel{Out: out, Compute: run}
}

// Computes is like Kernel, for what cannot fail and takes one thread.
func (b *Binding) Computes(run func(in, out Tensors), out ...graph.Tensor) *Kernel {
	return b.Kernel(func(in, out Tensors, _ *workers.Team) error {
		run(in, out)
		return nil
	}, out...)
}

// Sizes returns an integer list attribute that must have n elements between lo
// and 2^31-1, or n times def where the node has none.
func (b *Binding) Sizes(name string, n, lo, def int) []int {
	v := b.Ints(name)
	if v == nil {
		return slices.Repeat([]int{def}, n)
	}
	b.RefuseIf(len(v) != n, "%s has %d values, not %d", name, len(v), n)
	for _, x := range v {
		b.RefuseIf(x < lo || x > tensor.MaxElements, "%s %d is out of range", name, x)
	}
	return v
}

// ConstInts returns the data of input i, a constant vector of integers.
func (b *Binding) ConstInts(i int, what string) []int {
	t := b.X(i)
	b.RefuseIf(t == nil, "input %d (%s) is missing", i, what)
	b.RefuseIf(t.Type != graph.Int || len(t.Shape) > 1, "input %d (%s) is %v, not a vector of integers", i, what, t)
	b.RefuseIf(!t.Known(), "input %d (%s) %w", i, what, ErrNotConstant)
	most := max(2*tensor.MaxRank, len(b.Outputs))
	b.RefuseIf(len(t.I) > most, "input %d (%s) has %d elements, at most %d make sense", i, what, len(t.I), most)
	v := make([]int, len(t.I))
	tensor.Map(v, t.I, graph.ToInt)
	return v
}

// ConstFloats returns the data of input i, a constant vector of floats; nil
// where the input is left out or empty.
func (b *Binding) ConstFloats(i int, what string) []float32 {
	t := b.X(i)
	if t == nil || t.Len() == 0 {
		return nil
	}
	b.RefuseIf(t.Type != graph.Float || len(t.Shape) != 1, "input %d (%s) is %v, not a vector of floats", i, what, t)
	b.RefuseIf(!t.Known(), "input %d (%s) %w", i, what, ErrNotConstant)
	b.RefuseIf(t.F == nil, "input %d (%s) has %d elements", i, what, t.Len())
	return t.F
}

// ConstInt returns the data of input i, a scalar or a vector of one number, or def
// where the input is left out.
func (b *Binding) ConstInt(i int, what string, def int) int {
	if b.X(i) == nil {
		return def
	}
	v := b.ConstInts(i, what)
	b.RefuseIf(len(v) != 1, "input %d (%s) is %v, not a scalar", i, what, b.X(i))
	return v[0]
}

// AttrOrInput returns a list of integers that is an attribute in the operator sets
// that the row names, and input i afterwards; nil where the node gives neither.
func (b *Binding) AttrOrInput(name string, i int) []int {
	if _, ok := b.row.at(name, b.Opset); ok {
		return b.Ints(name)
	}
	if b.X(i) == nil {
		return nil
	}
	return b.ConstInts(i, name)
}

// Axis returns the integer attribute axis as an index into the dimensions of the
// first input.
func (b *Binding) Axis() int { return Try(tensor.Axis(b.Int("axis"), len(b.Shape()))) }

// Around returns the axis that the node names, and how the first input's shape
// parts there: the elements before, along and after it.
func (b *Binding) Around() (axis, outer, n, inner int) {
	x := b.Shape()
	axis = b.Axis()
	return axis, tensor.Size(x[:axis]), x[axis], tensor.Size(x[axis+1:])
}

func Float(shape ...int) graph.Tensor   { return graph.Tensor{Type: graph.Float, Shape: shape} }
func Integer(shape ...int) graph.Tensor { return graph.Tensor{Type: graph.Int, Shape: shape} }
func Boolean(shape ...int) graph.Tensor { return graph.Tensor{Type: graph.Bool, Shape: shape} }

func Like(t *graph.Tensor, shape []int) graph.Tensor {
	return graph.Tensor{Type: t.Type, Shape: shape}
}

// held returns the number of elements that t holds, here or in its file.
func held(t *graph.Tensor) int {
	if t.Stored != nil {
		return t.Stored.Len()
	}
	return t.Data().Len()
}

// Shapes returns the shapes of all inputs.
func (b *Binding) Shapes() [][]int {
	v := make([][]int, len(b.In))
	for i, t := range b.In {
		v[i] = t.Shape
	}
	return v
}

// OutShape returns the shape of the first output, for rules that depend on it.
func (b *Binding) OutShape() []int { return b.row.Bind(b).Out[0].Shape }
