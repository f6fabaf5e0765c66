package plan

import (
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// Binary computes Act(In[0] ∘ In[1]) with broadcasting.
type Binary struct {
	common
	Arith Arith
	Act   Act
}

// An Arith is an operation on two numbers.
type Arith byte

const (
	Add Arith = '+'
	Sub Arith = '-'
	Mul Arith = '*'
	Div Arith = '/'
)

var ariths = map[string]Arith{"Add": Add, "Sub": Sub, "Mul": Mul, "Div": Div}

func init() {
	r := map[string]rule{"Sum": (*lowering).sum}
	for name := range ariths {
		r[name] = (*lowering).binary
	}
	register(&Binary{}, r)
}

func (l *lowering) binary(n *graph.Node, _ *Value, shape []int) *Value {
	x, y := l.value(n.Inputs[0]), l.value(n.Inputs[1])
	for i, c := range []*Value{x, y} {
		v := []*Value{y, x}[i]
		if c.Data == nil || v.Data != nil || c.fromBatch || len(v.Shape) != len(shape) || v.Len() != tensor.Size(shape) {
			continue
		}
		if axis, ok := varies(c.Data, shape); ok && axis != 0 {
			if out := l.scaled(n, v, c.Data.F, axis, i == 0); out != nil {
				return out
			}
		}
	}
	return l.net.add(n.Outputs[0], &Binary{Arith: ariths[n.Op]}, graph.Float, shape, x, y)
}

// sum lowers a Sum of equal shapes to additions.
func (l *lowering) sum(n *graph.Node, s *Value, shape []int) *Value {
	for _, name := range n.Inputs {
		if v := l.value(name); v.Len() != tensor.Size(shape) || len(v.Shape) != len(shape) {
			return nil
		}
	}
	for _, name := range n.Inputs[1:] {
		s = l.net.add(n.Outputs[0], &Binary{Arith: Add}, graph.Float, shape, s, l.value(name))
	}
	return s
}

// binary reports whether v is computed by arithmetic of two values.
func (v *Value) binary(a Arith) bool {
	o, ok := v.producer().(*Binary)
	return ok && o.Arith == a && o.Act.F == vmath.ActNone
}

func (o *Binary) pictures(n *Node) (int, bool)     { return broadcastPictures(n.In, n.Out[0].Shape) }
func (o *Binary) move([]int) (Op, bool)            { return o, true }
func (o *Binary) fuses() fusable                   { return fusable{act: &o.Act} }
func (o *Binary) inPlace(n *Node) (first, end int) { return 0, 2 }

var arithNames = map[Arith]string{Add: "add", Sub: "subtract", Mul: "multiply", Div: "divide"}

func (o *Binary) words(*Node) words {
	return words{what: arithNames[o.Arith]}
}
