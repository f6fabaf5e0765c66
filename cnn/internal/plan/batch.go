package plan

import "slices"

// batches finds out whether the net computes the same for each picture of a
// batch as for the picture alone, whatever their number, and marks for each
// value the axis along which the pictures lie. That axis may hold several indices
// a picture, one picture's after the other's. It reports false if it cannot tell;
// then pictures go through in batches of the exporter's size.
//
// That the exporter fixed a batch size does not matter, then: the constants that
// hold it, such as the targets of reshapes, are no longer there.
func (g *net) batches() bool {
	g.input.batch = 0
	for _, n := range g.nodes {
		for _, v := range n.in {
			if v != nil && v.data != nil {
				if v.fromBatch {
					return false
				}
				v.batch = -1
			}
		}
		axis, ok := n.batch()
		if !ok {
			return false
		}
		for _, v := range n.out {
			v.batch = axis
			if axis < 0 || axis >= len(v.shape) || v.shape[axis]%g.base != 0 {
				return false
			}
		}
	}
	return g.output.batch == 0
}

// batch returns the axis of n's output along which the pictures lie.
func (n *node) batch() (axis int, ok bool) {
	if len(n.in) == 0 || n.in[0] == nil {
		return 0, false
	}
	out := n.out[0].shape
	axis = n.in[0].batch
	keeps := func(axes ...int) (int, bool) { return axis, axis >= 0 && !slices.Contains(axes, axis) }
	last := len(n.in[0].shape) - 1
	switch o := n.op.(type) {
	case reshapeOp:
		return reshapedBatch(n.in[0].shape, out, axis)
	case *transposeOp:
		return slices.Index(o.perm, axis), axis >= 0
	case *convOp, *poolOp, meanOp:
		if axis != 0 {
			return 0, false
		}
	case *denseOp, *normOp, softmaxOp:
		axis, ok = keeps(last)
		if !ok {
			return 0, false
		}
	case *scaleOp:
		return keeps(o.axis)
	case *sliceOp:
		return keeps(o.axis)
	case *padOp:
		return axis, axis >= 0 && o.before[axis] == 0 && o.after[axis] == 0
	case *concatOp:
		for _, v := range n.in {
			if axis < 0 || v.batch != axis || v.shape[axis] != n.in[0].shape[axis] {
				return 0, false
			}
		}
		return keeps(o.axis)
	case *actOp:
		return keeps()
	case *binaryOp:
		return broadcastBatch(n.in, out)
	case *genericOp:
		return o.batch(n)
	}
	// A residual must lie like the output.
	for _, v := range n.in[1:] {
		if v.batch != axis {
			return 0, false
		}
	}
	return axis, true
}

// broadcastBatch finds the axis of the pictures for operators on broadcast
// elements. Operands without pictures must be the same for all of them.
func broadcastBatch(in []*value, out []int) (axis int, ok bool) {
	axis = -1
	for _, v := range in {
		if v == nil || v.batch < 0 {
			continue
		}
		a := v.batch + len(out) - len(v.shape)
		if axis >= 0 && a != axis || v.shape[v.batch] != out[a] {
			return 0, false
		}
		axis = a
	}
	if axis < 0 {
		return 0, false
	}
	for _, v := range in {
		if v == nil || v.batch >= 0 {
			continue
		}
		if a := axis - len(out) + len(v.shape); a >= 0 && v.shape[a] != 1 {
			return 0, false
		}
	}
	return axis, true
}

// reshapedBatch follows the axis of the pictures through a reshape: the pictures
// must be the slowest to change in the group of axes that holds them.
func reshapedBatch(in, out []int, axis int) (int, bool) {
	for _, gr := range factor(in, out) {
		if axis < gr.firstIn || axis >= gr.firstIn+gr.in {
			continue
		}
		for _, d := range in[gr.firstIn:axis] {
			if d != 1 {
				return 0, false
			}
		}
		return gr.firstOut, true
	}
	return 0, false
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

func (o *genericOp) batch(n *node) (axis int, ok bool) {
	out := n.out[0].shape
	switch {
	case elementwise[o.node.Op]:
		return broadcastBatch(n.in, out)
	case o.node.Int("training_mode", 0) != 0: // statistics over all pictures
		return 0, false
	case alongPictures[o.node.Op]:
		for _, v := range n.in[1:] {
			if v != nil && v.batch >= 0 {
				return 0, false
			}
		}
		return 0, n.in[0].batch == 0
	case o.node.Op == "Cast":
		return n.in[0].batch, n.in[0].batch >= 0
	}
	return o.batchAxes(n)
}

// batchAxes does that for operators that mix the indices of some axes only.
func (o *genericOp) batchAxes(n *node) (axis int, ok bool) {
	in, out := n.in[0].shape, n.out[0].shape
	axis = n.in[0].batch
	if axis < 0 {
		return 0, false
	}
	for _, v := range n.in[1:] {
		if v != nil && v.batch >= 0 && o.node.Op != "MatMul" {
			return 0, false
		}
	}
	switch o.node.Op {
	case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceProd",
		"ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp":
		axes := o.node.Ints("axes")
		if len(n.in) > 1 && n.in[1] != nil {
			for _, a := range n.in[1].data.I {
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
		y := n.in[1].shape
		if n.in[1].batch < 0 { // rows by a constant
			return axis, len(y) <= 2 && axis < len(in)-1 && len(out) == len(in)
		}
		// Matrices picture by picture.
		return axis, len(in) == len(y) && axis == n.in[1].batch && axis < len(in)-2 && in[axis] == y[axis]
	}
	return 0, false
}
