package plan

import (
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Softmax computes the softmax over the last axis.
type Softmax struct{ common }

func init() { register(&Softmax{}, map[string]rule{"Softmax": (*lowering).softmax}) }

func (l *lowering) softmax(n *graph.Node, x *Value, _ []int) *Value {
	def := -1
	if l.g.Opset < 13 { // it was over all axes from this one on
		def = 1
	}
	if rank := len(x.Shape); rank == 0 || tensor.FromEnd(n.Int("axis", def), rank) != rank-1 {
		return nil
	}
	return l.net.add(n.Outputs[0], &Softmax{}, graph.Float, x.Shape, x)
}

func (o *Softmax) pictures(n *Node) (int, bool)   { return n.keep(len(n.In[0].Shape) - 1) }
func (o *Softmax) move(perm []int) (Op, bool)     { return o, lastStays(perm) }
func (o *Softmax) inPlace(*Node) (first, end int) { return 0, 1 }
