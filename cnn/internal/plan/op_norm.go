package plan

import (
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Norm normalises In[0] over its last axis: (x−mean)/√(variance+Eps)·Scale + Bias.
type Norm struct {
	common
	Eps         float32
	Scale, Bias []float32 // Bias may be nil
}

func init() {
	register(&Norm{}, map[string]rule{"LayerNormalization": (*lowering).layerNorm})
}

func (l *lowering) layerNorm(n *graph.Node, x *Value, _ []int) *Value {
	scale, ok1 := l.floats(n, 1)
	bias, ok2 := l.floats(n, 2)
	rank := len(x.Shape)
	if !ok1 || !ok2 || tensor.FromEnd(n.Int("axis", -1), rank) != rank-1 || scale == nil || len(scale.F) != x.Shape[rank-1] {
		return nil
	}
	o := &Norm{Eps: n.Float("epsilon", 1e-5), Scale: scale.F}
	if bias != nil {
		if len(bias.F) != len(scale.F) {
			return nil
		}
		o.Bias = bias.F
	}
	return l.net.add(n.Outputs[0], o, graph.Float, x.Shape, x)
}

func (o *Norm) pictures(n *Node) (int, bool)   { return n.keep(len(n.In[0].Shape) - 1) }
func (o *Norm) move(perm []int) (Op, bool)     { return o, lastStays(perm) }
func (o *Norm) fuses() fusable                 { return fusable{scale: &o.Scale, shift: &o.Bias} }
func (o *Norm) inPlace(*Node) (first, end int) { return 0, 1 }

// lastStays reports whether perm leaves the last axis where it is.
func lastStays(perm []int) bool { return perm[len(perm)-1] == len(perm)-1 }
