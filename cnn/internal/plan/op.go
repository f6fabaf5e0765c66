package plan

import (
	"maps"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// An Op is what a node does: one of the types in the op_*.go files. A file holds all
// that package plan knows of an operator: how ONNX nodes are lowered to it, and its
// answers to what the passes ask. Operators embed common, which has the answers that
// most give. Package exec has what runs them.
type Op interface {
	// pictures returns the axis of n's output along which the pictures lie, given
	// that of its inputs; ok is false where they do not go through one by one.
	pictures(n *Node) (axis int, ok bool)

	// move returns the operator that, given inputs x instead of
	// transpose(x, perm), has an output y such that transpose(y, perm) is what
	// the receiver computes; ok is false where there is none.
	move(perm []int) (o Op, ok bool)

	// fuses returns what other operators can be merged into.
	fuses() fusable

	// prefers returns what n is best computed on in a network for bf16; with all, it is
	// bf16 wherever that is possible.
	prefers(g *Net, n *Node, all bool) precision

	// widens reports whether the output is float32 where the operator computes on bf16;
	// used says that some other one takes it as bf16.
	widens(used bool) bool

	// inPlace returns the range of n's inputs whose memory the output may take:
	// each is read where the output is written, not later.
	inPlace(n *Node) (first, end int)

	// workspace returns the memory of one thread that n takes besides buffers.
	workspace(g *Net, n *Node) workspace

	// multiplyAdds returns how many n takes for all pictures of its shapes, without
	// those of its parts.
	multiplyAdds(n *Node) int

	// parts returns the nodes that were merged into this one and run as they were.
	parts() []*Node

	// words describes n for a printed plan.
	words(n *Node) words
}

// words are what a printed plan says of a node besides its epilogue and parts.
type words struct {
	what   string // what it does; "" for the name of its type
	kernel string // what computes it; "" for loops over vectors
	fused  string // what else was merged into it
}

// A rule lowers n, whose first input is x and whose first output has the given
// shape, to operators of this package. It returns the value of that output, nil
// where it does not apply.
type rule func(l *lowering, n *graph.Node, x *Value, shape []int) *Value

var (
	rules     = map[string]rule{} // by ONNX operator
	operators []Op                // one of each type
)

// register adds an operator, with the rules that lower ONNX operators to it, by their
// names. One that only passes make has none.
func register(o Op, r map[string]rule) {
	operators = append(operators, o)
	maps.Copy(rules, r)
}

// Operators returns an operator of each type.
func Operators() []Op { return slices.Clone(operators) }

// common gives the answers of most operators.
type common struct{}

func (common) pictures(*Node) (int, bool)          { return 0, false }
func (common) move([]int) (Op, bool)               { return nil, false }
func (common) fuses() fusable                      { return fusable{} }
func (common) prefers(*Net, *Node, bool) precision { return either }
func (common) widens(bool) bool                    { return false }
func (common) inPlace(*Node) (first, end int)      { return 0, 0 }
func (common) workspace(*Net, *Node) (w workspace) { return w }
func (common) multiplyAdds(*Node) int              { return 0 }
func (common) parts() []*Node                      { return nil }
func (common) words(*Node) (w words)               { return w }
