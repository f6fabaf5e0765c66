// Package op says what an ONNX operator is: a row with all that is known of it,
// beside the function that checks a node of it, infers the types and shapes of its
// outputs, and computes them on row-major tensors in the layout of the ONNX
// specification (NCHW). The operators themselves are in packages ops and layers, a file
// for each family, and register their rows when the program starts.
//
// The engine uses them to fold constants, to infer all shapes for a given batch
// size, and to run whatever it has no faster kernel for.
//
// Nodes and shapes are hostile until bound: Bind checks all that Run relies on,
// so that Run cannot leave its slices. Element types are those of package graph:
// narrower ones are widened when a model is read, so integer arithmetic is that
// of int64, and does not wrap at 8 or 32 bits.
package op

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// NewestOpset is the last operator set whose definitions this package follows.
const NewestOpset = 28

// ErrNotConstant says that the output's shape, or what is to be computed, depends
// on an input that has to be a constant and is not.
var ErrNotConstant = errors.New("is not a constant")

// Row is all that is known of one operator.
type Row struct {
	Name  string
	Since int // lowest opset whose form is understood: the first that had it, or that broadcasts as today
	Until int // highest opset that has the operator; 0 for NewestOpset

	// Sig gives the inputs, separated by spaces: f float, i int, b bool,
	// n float or int, a any type, = the type of the first input. A trailing
	// ? marks an optional input, * one that comes any number of times, # one of
	// which only type and shape count, ~ one of which only the type does.
	Sig string

	// Attrs gives the attributes, separated by spaces, each as NAME:KIND. Kinds
	// are int=DEFAULT, float=DEFAULT, flag=0 or flag=1, A|B|C for one of these
	// words, the first by default, and ints, floats, tensor and string, which have no
	// default. NAME@N is the attribute from opset N on, NAME-N up to N; of several
	// the last that applies counts.
	Attrs string

	Limits string // what of the operator is refused, for the table in OPERATORS.md

	// Pictures says where the pictures of a batch are in the output.
	Pictures *PicturesRule

	Head Part // what the operator can be in a classifier's head

	// Work is how long Run takes for an element that is read or written, in
	// units of copying one; 0 stands for 8. Bind adds what depends on the shapes.
	Work int64

	// Activation tells which activation of package vmath the node is of its
	// first input, if any; nil where it never is one.
	Activation func(b *Binding) (a Activation, ok bool)

	// Bind checks the node, and says what comes out and how it is computed.
	Bind func(b *Binding) *Kernel

	inputs []input
	attrs  map[string][]attr
}

// A Part is what an operator can be in the head of a classifier: the layers
// between the features and the class scores or probabilities.
type Part uint8

const (
	NoPart     Part = iota
	Passes          // its first input on as it is
	Reshapes        // its first input: passes its elements on in their order
	Normalises      // makes probabilities of scores
	Averages        // over the places of a map
	Rectifies       // is what SqueezeNet has after the convolution of its head
	Permutes        // dimensions
	AddsBias        // to what a matrix product gives
	Multiplies      // by a matrix of weights
	Affine          // multiplies by a matrix of weights and adds a bias
	Convolves       // with weights
)

// Elementwise reports whether the operator computes each element of its output from
// the elements of its inputs in that place, with broadcasting. A transposition may
// then move past it, and the output may take the memory of the first input, where
// both have the same type and shape.
func (o *Row) Elementwise() bool { return o.Pictures == Elementwise }

// An Activation is a function of package vmath with its parameters.
type Activation struct {
	F           vmath.Activation
	Alpha, Beta float32 // see vmath.Activation.Apply
}

// registry holds all operators by name.
var registry = map[string]*Row{}

// Register adds rows to the registry. Each file does that with its own. A row that
// is wrong in itself is a mistake in the program: it panics when that starts.
func Register(rows []Row) bool {
	for _, o := range rows {
		if registry[o.Name] != nil {
			panic("op: registered twice: " + o.Name)
		}
		o.parse()
		registry[o.Name] = &o
	}
	return true
}

// Lookup returns the operator op as defined by the given opset; the error is
// a *graph.UnsupportedError.
func Lookup(op string, opset int) (*Row, error) {
	unsupported := func(why string) (*Row, error) {
		return nil, &graph.UnsupportedError{Op: op, Opset: opset, Reason: why}
	}
	o, ok := registry[op]
	if !ok {
		return unsupported("")
	}
	switch last := o.Last(); {
	case opset > NewestOpset:
		return unsupported(fmt.Sprintf("the newest opset known is %d", NewestOpset))
	case opset < o.Since:
		return unsupported(fmt.Sprintf("its form is known from opset %d on; convert the model to a newer one", o.Since))
	case opset > last:
		return unsupported(fmt.Sprintf("opset %d was the last to have it", last))
	}
	return o, nil
}

// Get returns the operator op of any opset, or one without properties where there
// is none of that name.
func Get(op string) *Row {
	if o := registry[op]; o != nil {
		return o
	}
	return &Row{Name: op, Pictures: Unknown}
}

// Last returns the highest opset that has the operator.
func (o *Row) Last() int {
	if o.Until != 0 {
		return o.Until
	}
	return NewestOpset
}

// All returns the operators in order of their names.
func All() []*Row {
	all := make([]*Row, 0, len(registry))
	for _, name := range slices.Sorted(maps.Keys(registry)) {
		all = append(all, registry[name])
	}
	return all
}

// Activates reports whether the operator can be an activation of package vmath.
func (o *Row) Activates() bool { return o.Activation != nil }

// ActivationOf returns the activation of package vmath that node computes of its
// first input; ok is false where it is none. in are its inputs, as for Bind.
func ActivationOf(node *graph.Node, opset int, in []*graph.Tensor) (a Activation, ok bool) {
	o, err := Lookup(node.Op, opset)
	if err != nil || o.Activation == nil {
		return Activation{}, false
	}
	return (&Binding{Node: node, row: o, Opset: opset, In: in}).Activation()
}

// Activation returns the activation of package vmath that the node is.
func (b *Binding) Activation() (a Activation, ok bool) { return b.row.Activation(b) }
