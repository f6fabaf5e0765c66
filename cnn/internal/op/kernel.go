package op

import (
	"errors"
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// MaxFold is the largest tensor that Eval makes out of smaller ones, in elements.
const MaxFold = 1 << 24

// Kernel is a node bound to the types and shapes of its inputs, ready to run.
// It is immutable and safe for concurrent use.
type Kernel struct {
	Out       []graph.Tensor // type and shape of each output, without data
	Workspace int64          // bytes of memory that Run takes for itself, about
	Work      int64          // how long Run takes, in elements that are copied, about
	Keeps     bool           // the first output has the elements of the first input, in their order

	Compute RunFunc // what Run calls when it has checked the tensors

	row *Row
	in  []graph.Tensor // what Run's inputs must be; Invalid for an input left out
}

// Tensors are the inputs or outputs of a node.
type Tensors = []*graph.Tensor

// RunFunc computes the outputs of a bound node. The tensors have the types and
// shapes they were bound with; in[i] is nil for an input left out.
type RunFunc func(in, out Tensors, team *workers.Team) error

// Bind checks node and infers the types and shapes of its outputs. in are the
// node's inputs, nil where an optional one is left out; those that are constants
// carry their data. A Kernel keeps what it needs of them, such as the axes, and
// does not refer to the tensors afterwards.
//
// Where an output's shape depends on an input without data, the error is
// ErrNotConstant; what this package lacks is a *graph.UnsupportedError.
func Bind(node *graph.Node, opset int, in Tensors) (*Kernel, error) {
	o, err := Lookup(node.Op, opset)
	if err != nil {
		err.(*graph.UnsupportedError).Node = node.Name
		return nil, err
	}
	b := &Binding{Node: node, row: o, Opset: opset, In: in}
	var k *Kernel
	err = refused(func() { k = b.bind() })
	if u := (*graph.UnsupportedError)(nil); err != nil && !errors.As(err, &u) {
		err = fmt.Errorf("operator %s (node %s, opset %d): %w", graph.Word(node.Op), graph.Name(node.Name), opset, err)
	}
	return k, err
}

// Run computes the outputs into out, whose tensors have the types and shapes of
// k.Out. The result does not depend on the size of team. Outputs that the node
// leaves out may be nil.
func (k *Kernel) Run(in, out Tensors, team *workers.Team) error {
	if len(in) != len(k.in) || len(out) != len(k.Out) {
		return fmt.Errorf("op: kernel has %d inputs and %d outputs, got %d and %d", len(k.in), len(k.Out), len(in), len(out))
	}
	for i, want := range k.in {
		if want.Type != graph.Invalid && !fits(in[i], want, k.row.input(i).bare()) {
			return fmt.Errorf("op: input %d is not as bound: %s", i, &want)
		}
	}
	for i, want := range k.Out {
		if out[i] == nil {
			out = slices.Clone(out)
			out[i] = graph.Alloc(want.Type, want.Shape)
		} else if !fits(out[i], want, false) {
			return fmt.Errorf("op: output %d is not as bound: %s", i, &want)
		}
	}
	return k.Compute(in, out, team)
}

// fits reports whether t has the type and shape of want, and its data unless it is
// bare.
func fits(t *graph.Tensor, want graph.Tensor, bare bool) bool {
	return t != nil && t.Type == want.Type && slices.Equal(t.Shape, want.Shape) &&
		(bare || t.Data().Len() == want.Len() && t.Stored == nil)
}

// Eval computes a node whose inputs are all constants. It refuses to make a
// tensor larger than MaxFold and than the largest input, with tensor.ErrTooLarge.
func Eval(node *graph.Node, opset int, in Tensors) (Tensors, error) {
	k, err := Bind(node, opset, in)
	if err != nil {
		return nil, err
	}
	out, err := k.Eval(in)
	if err != nil {
		return nil, fmt.Errorf("operator %s (node %s): %w", graph.Word(node.Op), graph.Name(node.Name), err)
	}
	return out, nil
}

// Eval computes the outputs of constants; see the function Eval.
func (k *Kernel) Eval(in Tensors) (Tensors, error) {
	for i, t := range in {
		if t != nil && !t.Known() && !k.row.input(i).bare() {
			return nil, fmt.Errorf("input %d %w", i, ErrNotConstant)
		}
	}
	if !k.Folds() {
		return nil, fmt.Errorf("%w to fold: %s", tensor.ErrTooLarge, &k.Out[0])
	}
	out := make(Tensors, len(k.Out))
	for i, t := range k.Out {
		out[i] = graph.Alloc(t.Type, t.Shape)
		out[i].Element = t.Element
	}
	return out, k.Run(in, out, nil)
}

// Folds reports whether Eval computes outputs of this size.
func (k *Kernel) Folds() bool {
	limit := MaxFold
	for i := range k.in {
		limit = max(limit, k.in[i].Len())
	}
	return !slices.ContainsFunc(k.Out, func(t graph.Tensor) bool { return t.Len() > limit })
}

// Constant reports whether the outputs of o do not depend on the picture: whether
// all its inputs are constants, but for those of which the data do not count.
func (o *Row) Constant(in Tensors) bool {
	for i, t := range in {
		if t != nil && !t.Known() && !o.input(i).bare() {
			return false
		}
	}
	return true
}

// Product reports whether the operator is a product with weights, for which there are
// fast kernels.
func (o *Row) Product() bool { return o.Head == Multiplies || o.Head == Affine || o.Head == Convolves }

// TypeOnly reports whether nothing but the type of input i counts.
func (o *Row) TypeOnly(i int) bool { return o.input(i).mark == '~' }
