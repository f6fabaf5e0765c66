package train

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// op is what the fused operators share: the part of gorgonia.Op that describes
// an operator rather than runs it. The operators read the current batch, which
// is no node of the graph: words have no gradient, and Gorgonia would keep one.
//
// A node of the graph has one shape for its life, a batch has its own number of
// rows. So the outputs have room for the largest batch, and an operator reads
// and writes the first rows of it.
type op struct {
	name  string
	dims  []int        // number of dimensions of each input
	shape tensor.Shape // of the output
}

func (o *op) Arity() int { return len(o.dims) }

func (o *op) Type() hm.Type {
	of := func(dims int) hm.Type {
		if dims == 0 {
			return tensor.Float32
		}
		return G.TensorType{Dims: dims, Of: tensor.Float32}
	}
	var ts []hm.Type
	for _, d := range o.dims {
		ts = append(ts, of(d))
	}
	return hm.NewFnType(append(ts, of(o.shape.Dims()))...)
}

func (o *op) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.shape, nil }
func (o *op) ReturnsPtr() bool                               { return true }
func (o *op) CallsExtern() bool                              { return false }
func (o *op) OverwritesInput() int                           { return -1 }
func (o *op) WriteHash(h hash.Hash)                          { fmt.Fprint(h, o.name, o.shape) }
func (o *op) String() string                                 { return o.name }

func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// values returns the memory of the inputs of Do.
func values(in []G.Value) [][]float32 {
	out := make([][]float32, len(in))
	for i, v := range in {
		out[i] = v.Data().([]float32)
	}
	return out
}

// duals returns the values and gradients of the inputs of DoDiff.
func duals(in G.Nodes) (vals, grads [][]float32, err error) {
	for _, n := range in {
		g, err := n.Grad()
		if err != nil {
			return nil, nil, fmt.Errorf("gradient of %s: %w", n.Name(), err)
		}
		vals = append(vals, n.Value().Data().([]float32))
		grads = append(grads, g.Data().([]float32))
	}
	return vals, grads, nil
}
