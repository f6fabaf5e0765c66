package plan

import "slices"

// findPictures finds out whether the net computes the same for each picture of a
// batch as for the picture alone, whatever their number, and marks for each
// value the axis along which the pictures lie. That axis may hold several indices
// a picture, one picture's after the other's. It reports false if it cannot tell;
// then pictures go through in batches of the exporter's size.
//
// That the exporter fixed a batch size does not matter, then: the constants that
// hold it, such as the targets of reshapes, are no longer there.
func (g *Net) findPictures() bool {
	g.Input.Pictures = 0
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if v != nil && v.Data != nil {
				if v.fromBatch {
					return false
				}
				v.Pictures = -1
			}
		}
		if len(n.In) == 0 || n.In[0] == nil {
			return false
		}
		axis, ok := n.Op.pictures(n)
		if !ok {
			return false
		}
		for _, v := range n.Out {
			v.Pictures = axis
			if axis < 0 || axis >= len(v.Shape) || v.Shape[axis]%g.Base != 0 {
				return false
			}
		}
	}
	return g.Output.Pictures == 0
}

// keep returns the axis of the pictures of n's inputs, where the output has it too:
// it must be none of those that n mixes, and the same in all inputs.
func (n *Node) keep(mixed ...int) (axis int, ok bool) {
	axis = n.In[0].Pictures
	for _, v := range n.In[1:] {
		if v.Pictures != axis {
			return 0, false
		}
	}
	return axis, axis >= 0 && !slices.Contains(mixed, axis)
}

// broadcastPictures finds the axis of the pictures for operators on broadcast
// elements. Operands without pictures must be the same for all of them.
func broadcastPictures(in []*Value, out []int) (axis int, ok bool) {
	axis = -1
	for _, v := range in {
		if v == nil || v.Pictures < 0 {
			continue
		}
		a := v.Pictures + len(out) - len(v.Shape)
		if axis >= 0 && a != axis || v.Shape[v.Pictures] != out[a] {
			return 0, false
		}
		axis = a
	}
	if axis < 0 {
		return 0, false
	}
	for _, v := range in {
		if v == nil || v.Pictures >= 0 {
			continue
		}
		if a := axis - len(out) + len(v.Shape); a >= 0 && v.Shape[a] != 1 {
			return 0, false
		}
	}
	return axis, true
}

// elementwise holds the operators that compute each element of their output from
// the elements of the operands in that place.
var elementwise = map[string]bool{
	"Abs": true, "Acos": true, "Acosh": true, "Add": true, "And": true, "Asin": true, "Asinh": true,
	"Atan": true, "Atanh": true, "Ceil": true, "Celu": true, "Clip": true, "Cos": true, "Cosh": true,
	"Div": true, "Elu": true, "Equal": true, "Erf": true, "Exp": true, "Floor": true, "Gelu": true,
	"Greater": true, "GreaterOrEqual": true, "HardSigmoid": true, "HardSwish": true, "LeakyRelu": true,
	"Less": true, "LessOrEqual": true, "Log": true, "Max": true, "Min": true, "Mish": true, "Mod": true,
	"Mul": true, "Neg": true, "Not": true, "Or": true, "PRelu": true, "Pow": true, "Reciprocal": true,
	"Relu": true, "Round": true, "Selu": true, "Sigmoid": true, "Sign": true, "Sin": true, "Sinh": true,
	"Softplus": true, "Softsign": true, "Sqrt": true, "Sub": true, "Sum": true, "Swish": true, "Tan": true,
	"Tanh": true, "ThresholdedRelu": true, "Where": true, "Xor": true,
}

// alongPictures holds the operators that treat the indices of the first axis of
// their first input one by one, and take constants for all others.
var alongPictures = map[string]bool{
	"AveragePool": true, "BatchNormalization": true, "Conv": true, "ConvTranspose": true,
	"DepthToSpace": true, "GlobalAveragePool": true, "GlobalLpPool": true, "GlobalMaxPool": true,
	"GroupNormalization": true, "InstanceNormalization": true, "LRN": true, "LpPool": true,
	"MaxPool": true, "SpaceToDepth": true,
}

func (o *Generic) pictures(n *Node) (axis int, ok bool) {
	out := n.Out[0].Shape
	switch {
	case elementwise[o.node.Op]:
		return broadcastPictures(n.In, out)
	case o.node.Int("training_mode", 0) != 0: // statistics over all pictures
		return 0, false
	case alongPictures[o.node.Op]:
		for _, v := range n.In[1:] {
			if v != nil && v.Pictures >= 0 {
				return 0, false
			}
		}
		return 0, n.In[0].Pictures == 0
	case o.node.Op == "Cast":
		return n.In[0].Pictures, n.In[0].Pictures >= 0
	}
	return o.pictureAxes(n)
}

// pictureAxes does that for operators that mix the indices of some axes only.
func (o *Generic) pictureAxes(n *Node) (axis int, ok bool) {
	in, out := n.In[0].Shape, n.Out[0].Shape
	axis = n.In[0].Pictures
	if axis < 0 {
		return 0, false
	}
	for _, v := range n.In[1:] {
		if v != nil && v.Pictures >= 0 && o.node.Op != "MatMul" {
			return 0, false
		}
	}
	switch o.node.Op {
	case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceProd",
		"ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp":
		axes := o.node.Ints("axes")
		if len(n.In) > 1 && n.In[1] != nil {
			for _, a := range n.In[1].Data.I {
				axes = append(axes, int(a))
			}
		}
		if len(axes) == 0 {
			return 0, false
		}
		dropped := 0
		for _, a := range axes {
			switch a = axisOf(a, len(in)); {
			case a == axis:
				return 0, false
			case a < axis:
				dropped++
			}
		}
		if len(out) != len(in) {
			axis -= dropped
		}
		return axis, true
	case "LogSoftmax", "Softmax", "Hardmax", "LayerNormalization", "LpNormalization":
		// Those from an axis on, at most, are mixed.
		return axis, axis < axisOf(o.node.Int("axis", -1), len(in)) && axis == 0
	case "MatMul":
		y := n.In[1].Shape
		if n.In[1].Pictures < 0 { // rows by a constant
			return axis, len(y) <= 2 && axis < len(in)-1 && len(out) == len(in)
		}
		// Matrices picture by picture.
		return axis, len(in) == len(y) && axis == n.In[1].Pictures && axis < len(in)-2 && in[axis] == y[axis]
	}
	return 0, false
}
