package plan

import (
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// Dense multiplies the rows of In[0], [...,K], with a constant matrix: a fully
// connected layer, or a 1×1 convolution.
type Dense struct {
	Linear
	K, N  int
	Trans bool // W is [N][K], not [K][N]
	Gated bool // the last input, [pictures,1,1,K], has a factor for each column of In[0]; see Gate
}

func init() {
	register(&Dense{}, map[string]rule{"Gemm": (*lowering).gemm, "MatMul": (*lowering).matmul})
}

func (l *lowering) gemm(n *graph.Node, x *Value, shape []int) *Value {
	w, ok := l.weights(n, 1)
	bias, ok2 := l.floats(n, 2)
	if !ok || !ok2 || n.Int("transA", 0) != 0 || len(x.Shape) != 2 {
		return nil
	}
	o := &Dense{Linear: Linear{W: weightsOf(w)}, K: x.Shape[1], N: shape[1], Trans: n.Int("transB", 0) != 0}
	if alpha := n.Float("alpha", 1); alpha != 1 {
		o.Scale = l.net.floats(n.Name, o.N)
		for i := range o.Scale {
			o.Scale[i] = alpha
		}
	}
	if bias != nil {
		axis, ok := varies(bias, shape)
		if !ok || axis == 0 {
			return nil
		}
		beta := n.Float("beta", 1)
		o.Bias = l.net.floats(n.Name, o.N)
		for j := range o.Bias {
			o.Bias[j] = beta * at(bias.F, j)
		}
	}
	return l.net.add(n.Outputs[0], o, graph.Float, shape, x)
}

func (l *lowering) matmul(n *graph.Node, x *Value, shape []int) *Value {
	w, ok := l.weights(n, 1)
	if !ok || len(w.Shape) != 2 || len(x.Shape) < 2 || x.Data != nil {
		return nil
	}
	return l.net.add(n.Outputs[0], &Dense{Linear: Linear{W: weightsOf(w)}, K: w.Shape[0], N: w.Shape[1]}, graph.Float, shape, x)
}

func (o *Dense) pictures(n *Node) (int, bool) { return n.keep(len(n.In[0].Shape) - 1) }
func (o *Dense) move(perm []int) (Op, bool)   { return o, lastStays(perm) }

func (o *Dense) inPlace(*Node) (first, end int) {
	if o.Residual {
		return 1, 2
	}
	return 0, 0
}
func (o *Dense) multiplyAdds(n *Node) int { return n.Out[0].Len() * o.K }

func (o *Dense) workspace(g *Net, n *Node) (w workspace) {
	if o.K%512 == 0 { // rows that would share their cache sets
		w.rows = copied(n.Out[0].Len()/g.Base/o.N, o.K)
	}
	return w
}

func (o *Dense) prefers(_ *Net, _ *Node, all bool) precision {
	// reuse is how often the product must use each value that it reads or writes,
	// on average, to gain by bf16: below, it waits for memory.
	const reuse = 12
	if all || o.K*o.N >= reuse*(o.K+o.N) {
		return bf16s
	}
	return either
}

func (o *Dense) widens(used bool) bool { return !used }

func (o *Dense) words(*Node) words {
	w := words{what: fmt.Sprintf("product %d×%d", o.K, o.N), kernel: "matrix product"}
	if o.Gated {
		w.fused = "gate"
	}
	return w
}

// groupSize returns how many pictures go through the network together. One is best
// for the caches, except where most of the work is reading the weights of fully
// connected layers (VGG, AlexNet): several vectors then share it.
func (g *Net) groupSize() int {
	weights := 0
	for _, n := range g.Nodes {
		if o, ok := n.Op.(*Dense); ok && n.Out[0].Len() == g.Base*o.N {
			weights += o.K * o.N
		}
	}
	if weights > 4<<20 {
		return 4
	}
	return 1
}
