package plan

import "github.com/onetomany/caption/cnn/internal/graph"

// normOp normalises in[0] over its last axis: (x−mean)/√(variance+eps)·scale + bias.
type normOp struct {
	eps         float32
	scale, bias []float32 // bias may be nil
}

// softmaxOp computes the softmax over the last axis.
type softmaxOp struct{}

func (l *lowering) layerNorm(n *graph.Node, x *value) *value {
	scale, ok1 := l.floats(n, 1)
	bias, ok2 := l.floats(n, 2)
	rank := len(x.shape)
	if !ok1 || !ok2 || axisOf(n.Int("axis", -1), rank) != rank-1 || scale == nil || len(scale.F) != x.shape[rank-1] {
		return nil
	}
	o := &normOp{eps: n.Float("epsilon", 1e-5), scale: scale.F}
	if bias != nil {
		if len(bias.F) != len(scale.F) {
			return nil
		}
		o.bias = bias.F
	}
	return l.net.add(n.Outputs[0], o, graph.Float, x.shape, x)
}

func (l *lowering) softmax(n *graph.Node, x *value) *value {
	def := -1
	if l.g.Opset < 13 { // it was over all axes from this one on
		def = 1
	}
	if rank := len(x.shape); rank == 0 || axisOf(n.Int("axis", def), rank) != rank-1 {
		return nil
	}
	return l.net.add(n.Outputs[0], softmaxOp{}, graph.Float, x.shape, x)
}

// lastStays reports whether perm leaves the last axis where it is.
func lastStays(perm []int) bool { return perm[len(perm)-1] == len(perm)-1 }

func (o *normOp) move(perm []int) (op, bool)   { return o, lastStays(perm) }
func (o softmaxOp) move(perm []int) (op, bool) { return o, lastStays(perm) }
func (o *denseOp) move(perm []int) (op, bool)  { return o, lastStays(perm) }
