// Package graph is the intermediate representation between the ONNX reader
// and the engine: a flat list of operator nodes over named values, with plain
// row-major tensors for the constants.
package graph

import (
	"math"
	"slices"

	"github.com/onetomany/caption/cnn/internal/tensor"
)

// DType is the element type of a Tensor. Wider or narrower ONNX types are
// converted when a model is read: FLOAT16, BFLOAT16 and DOUBLE become Float,
// the integer types become Int, BOOL becomes Bool.
type DType uint8

const (
	Invalid DType = iota
	Float         // float32, in Tensor.F
	Int           // int64, in Tensor.I
	Bool          // bool, in Tensor.B
)

// Tensor is a dense row-major array. A scalar has an empty, non-nil Shape.
// Exactly one of F, I and B is set, according to Type; all are nil while only
// type and shape are known, and while the data is Stored.
type Tensor struct {
	Type  DType
	Shape []int
	F     []float32
	I     []int64
	B     []bool

	// Element is the ONNX type, TensorProto.DataType, that the numbers of a constant
	// have in the model; 0 where that is not known.
	Element int

	// Stored is the data of a large Float tensor as the model file has them. It is
	// nil otherwise.
	Stored Stored
}

// Stored are numbers in a model file, not to be read when that is closed.
type Stored interface {
	Len() int          // how many there are
	Floats() []float32 // brings them into memory
}

// Alloc returns a tensor of zeros.
func Alloc(t DType, shape []int) *Tensor {
	x := &Tensor{Type: t, Shape: slices.Clone(shape)}
	if x.Shape == nil {
		x.Shape = []int{}
	}
	switch n := x.Len(); t {
	case Float:
		x.F = make([]float32, n)
	case Int:
		x.I = make([]int64, n)
	case Bool:
		x.B = make([]bool, n)
	}
	return x
}

// Known reports whether t holds data, rather than only a type and a shape.
func (t *Tensor) Known() bool { return t.F != nil || t.I != nil || t.B != nil || t.Stored != nil }

// Load brings stored data into memory, as F, if b has as much; what says what t is.
func (t *Tensor) Load(b *Budget, what string) error {
	if t.Stored != nil {
		if err := b.Take(4*int64(t.Stored.Len()), what); err != nil {
			return err
		}
		t.F, t.Stored = t.Stored.Floats(), nil
	}
	return nil
}

// Floats returns the elements of a Float tensor, wherever they are.
func (t *Tensor) Floats() []float32 {
	if t.Stored != nil {
		return t.Stored.Floats()
	}
	return t.F
}

// Len returns the number of elements.
func (t *Tensor) Len() int { return tensor.Size(t.Shape) }

// Bytes returns how much memory the elements of t take, or would take.
func (t *Tensor) Bytes() int64 {
	n := int64(t.Len())
	switch t.Type {
	case Float:
		return 4 * n
	case Int:
		return 8 * n
	}
	return n
}

// Attr is an attribute of a node. Which field is set depends on the operator.
type Attr struct {
	I       int64
	F       float32
	S       string
	Ints    []int64
	Floats  []float32
	Strings []string
	T       *Tensor
}

// Node is one operator.
type Node struct {
	Name    string // unique within a Graph; made up by the reader where the file has none
	Op      string // operator type, e.g. "Conv"
	Attrs   map[string]Attr
	Inputs  []string // value names; "" stands for an optional input left out
	Outputs []string // value names; "" stands for an optional output left out
}

// Int returns the integer attribute name, or def where the node has none.
func (n *Node) Int(name string, def int) int {
	if a, ok := n.Attrs[name]; ok {
		return ToInt(a.I)
	}
	return def
}

// ToInt returns x, or the int nearest to it where int has 32 bits: exporters write
// the largest int64 for "up to the end".
func ToInt(x int64) int { return int(min(max(x, math.MinInt), math.MaxInt)) }

// Float returns the float attribute name, or def where the node has none.
func (n *Node) Float(name string, def float32) float32 {
	if a, ok := n.Attrs[name]; ok {
		return a.F
	}
	return def
}

// Str returns the string attribute name, or def where the node has none.
func (n *Node) Str(name, def string) string {
	if a, ok := n.Attrs[name]; ok {
		return a.S
	}
	return def
}

// Ints returns the integer list attribute name, or nil where the node has none.
func (n *Node) Ints(name string) []int {
	a, ok := n.Attrs[name]
	if !ok {
		return nil
	}
	v := make([]int, len(a.Ints))
	for i, x := range a.Ints {
		v[i] = ToInt(x)
	}
	return v
}

// Value declares a graph input or output. A dimension that the model leaves
// open is -1; Shape is nil where even the rank is open. Type is Invalid where
// the model declares none, or one that no Tensor has.
type Value struct {
	Name  string
	Type  DType
	Shape []int
}

// Graph is a network: Nodes in topological order, each value produced once (single
// assignment), constants in Init.
type Graph struct {
	Opset   int     // version of the default ONNX operator set
	Inputs  []Value // without the initialisers
	Outputs []Value
	Nodes   []*Node
	Init    map[string]*Tensor

	// Budget is what the tensors are taken from; nil stands for that of a model
	// without a file.
	Budget *Budget
}
