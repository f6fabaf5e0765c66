package plan

import "github.com/onetomany/caption/cnn/internal/graph"

// actOp computes an activation of in[0].
type actOp struct{ act }

func (o *actOp) move([]int) (op, bool) { return o, true }

// binaryOp computes act(in[0] ∘ in[1]) with broadcasting.
type binaryOp struct {
	op  arith
	act act
}

type arith byte

const (
	add arith = '+'
	sub arith = '-'
	mul arith = '*'
	div arith = '/'
)

var ariths = map[string]arith{"Add": add, "Sub": sub, "Mul": mul, "Div": div}

func (o *binaryOp) move([]int) (op, bool) { return o, true }

// binary lowers Add, Sub, Mul and Div.
func (l *lowering) binary(n *graph.Node, shape []int) *value {
	x, y := l.value(n.Inputs[0]), l.value(n.Inputs[1])
	for i, c := range []*value{x, y} {
		v := []*value{y, x}[i]
		if c.data == nil || v.data != nil || c.fromBatch || len(v.shape) != len(shape) || v.len() != size(shape) {
			continue
		}
		if p, ok := channels(c.data, len(shape), shape); ok && p.axis != 0 {
			if out := l.scaled(n, v, p, i == 0); out != nil {
				return out
			}
		}
	}
	return l.net.add(n.Outputs[0], &binaryOp{op: ariths[n.Op]}, graph.Float, shape, x, y)
}

// sum lowers a Sum of equal shapes to additions.
func (l *lowering) sum(n *graph.Node, shape []int) *value {
	s := l.value(n.Inputs[0])
	for _, name := range n.Inputs {
		if v := l.value(name); v.len() != size(shape) || len(v.shape) != len(shape) {
			return nil
		}
	}
	for _, name := range n.Inputs[1:] {
		s = l.net.add(n.Outputs[0], &binaryOp{op: add}, graph.Float, shape, s, l.value(name))
	}
	return s
}
