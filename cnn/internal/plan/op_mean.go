package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Mean takes the mean over H and W of In[0], [N,H,W,C], to [N,1,1,C].
type Mean struct{ common }

func init() {
	register(&Mean{}, map[string]rule{"ReduceMean": (*lowering).mean, "GlobalAveragePool": (*lowering).globalAverage})
}

func (l *lowering) globalAverage(n *graph.Node, x *Value, _ []int) *Value {
	if len(x.Shape) != 4 {
		return nil
	}
	return l.globalMean(n.Outputs[0], x)
}

func (l *lowering) globalMean(name string, x *Value) *Value {
	return l.viaNHWC(name, &Mean{}, x, []int{x.Shape[0], x.Shape[1], 1, 1})
}

// mean lowers a ReduceMean over both spatial axes.
func (l *lowering) mean(n *graph.Node, x *Value, shape []int) *Value {
	axes, ok := l.ints(n, 1, "axes")
	if !ok || len(axes) != 2 || len(x.Shape) != 4 {
		return nil
	}
	axes = slices.Clone(axes)
	for i, a := range axes {
		axes[i] = tensor.FromEnd(a, 4)
	}
	slices.Sort(axes)
	hw, nhwc := slices.Equal(axes, []int{2, 3}), slices.Equal(axes, []int{1, 2})
	if !hw && !nhwc {
		return nil
	}
	// Before opset 18 an input for the axes means nothing, and all are reduced.
	if tensor.Size(shape)*x.Shape[axes[0]]*x.Shape[axes[1]] != x.Len() {
		return nil
	}
	name := n.Outputs[0]
	if hw {
		return l.reshape(name, l.globalMean(name, x), shape)
	}
	y := l.net.add(name, &Mean{}, graph.Float, []int{x.Shape[0], 1, 1, x.Shape[3]}, x)
	return l.reshape(name, y, shape)
}

func (o *Mean) pictures(n *Node) (int, bool) { return n.keep(1, 2, 3) }
func (o *Mean) widens(bool) bool             { return true } // small, and taken by what needs the digits
func (o *Mean) words(*Node) words            { return words{"mean over the picture", "strip", ""} }
