package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Transpose permutes dimensions: Out.Shape[i] = In.Shape[Perm[i]].
type Transpose struct {
	common
	Perm []int
}

var (
	toNHWC = []int{0, 2, 3, 1}
	toNCHW = []int{0, 3, 1, 2}
)

func init() {
	register(&Transpose{}, map[string]rule{"Transpose": func(l *lowering, n *graph.Node, x *Value, shape []int) *Value {
		perm := n.Ints("perm")
		if perm == nil {
			for i := range shape {
				perm = append(perm, len(shape)-1-i)
			}
		}
		return l.net.transpose(x, perm)
	}})
}

// transpose returns x with its dimensions permuted; it composes with a
// transposition that x comes from.
func (g *Net) transpose(x *Value, perm []int) *Value {
	if t, ok := x.producer().(*Transpose); ok {
		perm, x = tensor.Permuted(t.Perm, perm), x.def.In[0]
	}
	if keepsOrder(perm) {
		return x
	}
	for _, y := range g.transposed[x] { // convolutions that read the same map share it
		if t, ok := y.producer().(*Transpose); ok && slices.Equal(t.Perm, perm) {
			return y.resolve()
		}
	}
	y := g.add(x.Name, &Transpose{Perm: perm}, x.Type, tensor.Permuted(x.Shape, perm), x)
	if g.transposed == nil {
		g.transposed = map[*Value][]*Value{}
	}
	g.transposed[x] = append(g.transposed[x], y)
	return y
}

func (o *Transpose) pictures(n *Node) (int, bool) {
	axis := n.In[0].Pictures
	return slices.Index(o.Perm, axis), axis >= 0
}

func (o *Transpose) words(*Node) words { return words{fmt.Sprint("transpose to ", o.Perm), "copy", ""} }
