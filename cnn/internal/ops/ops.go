// Package ops knows every ONNX operator that the engine accepts: it checks a
// node's attributes, infers the types and shapes of its outputs, and computes
// them on row-major tensors in the layout of the ONNX specification (NCHW).
//
// The engine uses it to fold constants, to infer all shapes for a given batch
// size, and to run whatever it has no faster kernel for.
//
// Nodes and shapes are hostile until bound: Bind checks all that Run relies on,
// so that Run cannot leave its slices. Element types are those of package graph:
// narrower ones are widened when a model is read, so integer arithmetic is that
// of int64, and does not wrap at 8 or 32 bits.
package ops

import (
	"errors"
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// NewestOpset is the last operator set whose definitions this package follows.
const NewestOpset = 28

const (
	// MaxElements is the largest tensor that Bind accepts, as input or output.
	MaxElements = 1<<31 - 1

	// MaxFold is the largest tensor that Eval makes out of smaller ones.
	MaxFold = 1 << 24

	maxRank = 32
)

// Reasons for which Bind and Eval refuse a node, besides an invalid model.
var (
	// ErrNotConstant: the output's shape, or what is to be computed, depends
	// on an input that has to be a constant and is not.
	ErrNotConstant = errors.New("is not a constant")

	// ErrTooLarge: a tensor has more than MaxElements, or for Eval MaxFold, elements.
	ErrTooLarge = errors.New("tensor too large")
)

// Op is one operator.
type Op struct {
	Name  string
	Since int // lowest opset whose form is understood: the first that had it, or that broadcasts as today
	Until int // highest opset that has the operator; 0 for NewestOpset

	// Sig gives the inputs, separated by spaces: f float, i int, b bool,
	// n float or int, a any type, = the type of the first input. A trailing
	// ? marks an optional input, a trailing * one that comes any number of times.
	Sig string

	Limits string // what of the operator is refused, for the table in OPERATORS.md

	bind func(b *binding) (*Kernel, error)
}

// runFunc computes the outputs of a bound node. The tensors have the types and
// shapes they were bound with; in[i] is nil for an input left out.
type runFunc func(in, out []*graph.Tensor, team *workers.Team) error

// Kernel is a node bound to the types and shapes of its inputs, ready to run.
// It is immutable and safe for concurrent use.
type Kernel struct {
	Out  []graph.Tensor // type and shape of each output, without data
	Room int64          // bytes of memory that Run takes for itself, about
	Work int64          // how long Run takes, in elements that are read or written, about

	in  []graph.Tensor // what Run's inputs must be; Invalid for an input left out
	run runFunc
}

// Lookup returns the operator op as defined by the given opset; the error is
// a *graph.UnsupportedError.
func Lookup(op string, opset int) (*Op, error) {
	unsupported := func(why string) (*Op, error) {
		return nil, &graph.UnsupportedError{Op: op, Opset: opset, Reason: why}
	}
	o, ok := registry[op]
	if !ok {
		return unsupported("")
	}
	switch last := o.last(); {
	case opset > NewestOpset:
		return unsupported(fmt.Sprintf("the newest opset known is %d", NewestOpset))
	case opset < o.Since:
		return unsupported(fmt.Sprintf("its form is known from opset %d on; convert the model to a newer one", o.Since))
	case opset > last:
		return unsupported(fmt.Sprintf("opset %d was the last to have it", last))
	}
	return o, nil
}

func (o *Op) last() int {
	if o.Until != 0 {
		return o.Until
	}
	return NewestOpset
}

// All returns the operators in order of their names.
func All() []*Op {
	all := make([]*Op, 0, len(registry))
	for _, o := range registry {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *Op) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}

// Bind checks node and infers the types and shapes of its outputs. in are the
// node's inputs, nil where an optional one is left out; those that are constants
// carry their data. A Kernel keeps what it needs of them, such as the axes, and
// does not refer to the tensors afterwards.
//
// Where an output's shape depends on an input without data, the error is
// ErrNotConstant; what this package lacks is a *graph.UnsupportedError.
func Bind(node *graph.Node, opset int, in []*graph.Tensor) (*Kernel, error) {
	o, err := Lookup(node.Op, opset)
	if err != nil {
		err.(*graph.UnsupportedError).Node = node.Name
		return nil, err
	}
	b := &binding{Node: node, opset: opset, in: in}
	k, err := b.bind(o)
	if u := (*graph.UnsupportedError)(nil); err != nil && !errors.As(err, &u) {
		err = fmt.Errorf("operator %s (node %s, opset %d): %w", graph.Word(node.Op), graph.Name(node.Name), opset, err)
	}
	return k, err
}

// Run computes the outputs into out, whose tensors have the types and shapes of
// k.Out. The result does not depend on the size of team. Outputs that the node
// leaves out may be nil.
func (k *Kernel) Run(in, out []*graph.Tensor, team *workers.Team) error {
	if len(in) != len(k.in) || len(out) != len(k.Out) {
		return fmt.Errorf("ops: kernel has %d inputs and %d outputs, got %d and %d", len(k.in), len(k.Out), len(in), len(out))
	}
	for i, want := range k.in {
		if want.Type != graph.Invalid && !fits(in[i], want) {
			return fmt.Errorf("ops: input %d is not as bound: %s", i, describe(&want))
		}
	}
	for i, want := range k.Out {
		if out[i] == nil {
			out = slices.Clone(out)
			out[i] = Alloc(want.Type, want.Shape)
		} else if !fits(out[i], want) {
			return fmt.Errorf("ops: output %d is not as bound: %s", i, describe(&want))
		}
	}
	return k.run(in, out, team)
}

// Eval computes a node whose inputs are all constants. It refuses to make a
// tensor larger than MaxFold and than the largest input, with ErrTooLarge.
func Eval(node *graph.Node, opset int, in []*graph.Tensor) ([]*graph.Tensor, error) {
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
func (k *Kernel) Eval(in []*graph.Tensor) ([]*graph.Tensor, error) {
	for i, t := range in {
		if t != nil && !t.Known() {
			return nil, fmt.Errorf("input %d %w", i, ErrNotConstant)
		}
	}
	if !k.Folds() {
		return nil, fmt.Errorf("%w to fold: %s", ErrTooLarge, describe(&k.Out[0]))
	}
	out := make([]*graph.Tensor, len(k.Out))
	for i, t := range k.Out {
		out[i] = Alloc(t.Type, t.Shape)
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

// Alloc returns a zero tensor.
func Alloc(t graph.DType, shape []int) *graph.Tensor {
	x := &graph.Tensor{Type: t, Shape: slices.Clone(shape)}
	if x.Shape == nil {
		x.Shape = []int{}
	}
	switch n := x.Len(); t {
	case graph.Float:
		x.F = make([]float32, n)
	case graph.Int:
		x.I = make([]int64, n)
	case graph.Bool:
		x.B = make([]bool, n)
	}
	return x
}

// fits reports whether t holds data of the type and shape of want.
func fits(t *graph.Tensor, want graph.Tensor) bool {
	return t != nil && t.Type == want.Type && slices.Equal(t.Shape, want.Shape) && dataLen(t) == want.Len() && t.Stored.Len() == 0
}

// dataLen returns the number of elements that t holds, -1 if it holds none of its type.
func dataLen(t *graph.Tensor) int {
	switch {
	case t.Stored.Len() > 0:
		return t.Stored.Len()
	case t.Type == graph.Float && t.F != nil:
		return len(t.F)
	case t.Type == graph.Int && t.I != nil:
		return len(t.I)
	case t.Type == graph.Bool && t.B != nil:
		return len(t.B)
	}
	return -1
}
