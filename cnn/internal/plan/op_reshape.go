package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Reshape gives In[0] another shape. It moves nothing: its output is a view.
type Reshape struct{ common }

func init() {
	keep := func(_ *lowering, _ *graph.Node, x *Value, _ []int) *Value { return x }
	reshape := func(l *lowering, n *graph.Node, x *Value, shape []int) *Value {
		return l.reshape(n.Outputs[0], x, shape)
	}
	register(&Reshape{}, map[string]rule{
		"Identity": keep, "Dropout": keep, "Cast": keep,
		"Reshape": reshape, "Flatten": reshape, "Squeeze": reshape, "Unsqueeze": reshape,
	})
}

func (l *lowering) reshape(name string, x *Value, shape []int) *Value {
	if slices.Equal(x.Shape, shape) {
		return x
	}
	return l.net.add(name, &Reshape{}, x.Type, shape, x)
}

// pictures follows the axis of the pictures.
func (o *Reshape) pictures(n *Node) (int, bool) {
	return tensor.ReshapedAxis(n.In[0].Shape, n.Out[0].Shape, n.In[0].Pictures)
}

func (o *Reshape) words(*Node) words { return words{kernel: "view"} }
