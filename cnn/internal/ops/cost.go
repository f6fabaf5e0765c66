package ops

import (
	"strings"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// moves holds the operators that take about as long as reading and writing the
// elements; all others are taken for functions of some ten times that.
var moves = map[string]bool{
	"Add": true, "And": true, "Cast": true, "CastLike": true, "Concat": true, "Constant": true, "ConstantOfShape": true,
	"DequantizeLinear": true, "Div": true, "Dropout": true, "Equal": true, "Expand": true, "Flatten": true, "Gather": true,
	"Identity": true, "Mul": true, "Neg": true, "Range": true, "Relu": true, "Reshape": true, "Shape": true, "Size": true,
	"Slice": true, "Split": true, "Squeeze": true, "Sub": true, "Sum": true, "Tile": true, "Transpose": true, "Unsqueeze": true,
	"Where": true,
}

// cost sets how long k takes, and what memory it needs meanwhile where its bind
// has not said so.
func (b *binding) cost(k *Kernel) {
	var in, out int64
	for _, t := range b.in {
		if t != nil {
			in += int64(t.Len())
		}
	}
	for i := range k.Out {
		out += int64(k.Out[i].Len())
	}
	k.Work = in + out
	switch b.Op {
	case "MatMul":
		x := b.in[0].Shape
		k.Work += out * int64(x[len(x)-1]) / 16
	case "Gemm":
		k.Work += out * int64(max(b.in[0].Shape[0], b.in[0].Shape[1])) / 16
	case "Conv", "ConvTranspose":
		plane, rows := k.Out[0].Shape[2:], product(b.in[1].Shape[1:])
		if b.Op == "ConvTranspose" {
			plane = b.in[0].Shape[2:]
		}
		k.Work += max(in, out) * int64(rows) / 4
		k.Room += 4 * int64(rows) * int64(columns(rows, product(plane)))
	case "MaxPool", "AveragePool", "LpPool":
		k.Work += out * int64(product(b.Ints("kernel_shape")))
	case "Resize", "Upsample", "Pad": // rows of a single element, at worst
		k.Work *= 32
	default:
		if !moves[b.Op] {
			k.Work *= 8
		}
	}
	// The sums of reductions and the statistics of normalisations are in float64.
	if strings.HasPrefix(b.Op, "Reduce") {
		k.Room += 16 * out
		if b.in[0].Type == graph.Bool {
			k.Room += 8 * in
		}
	}
	switch b.Op {
	case "MeanVarianceNormalization":
		k.Room += 16 * out
	case "BatchNormalization": // in training
		k.Room += 24 * int64(b.in[1].Len())
	case "LRN", "Softmax", "LogSoftmax", "Hardmax", "LpNormalization":
		k.Room += 8 * out / max(int64(b.in[0].Shape[0]), 1)
	case "Pow":
		if b.in[0].Type != graph.Float || b.x(1).Type != graph.Float {
			k.Room += 4 * (in + out)
		}
	case "DequantizeLinear":
		k.Room += 8 * int64(b.in[1].Len())
	}
}
