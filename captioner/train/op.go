package train

import (
	"fmt"
	"hash"
	"hash/fnv"
	"slices"
	"sync"

	"github.com/chewxy/hm"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// op is what the fused operators share: the part of gorgonia.Op that describes
// an operator rather than runs it. The operators read the current batch, which
// is no node of the graph: words have no gradient, and Gorgonia would keep one.
//
// The shape of a node is fixed, but batches differ in their number of rows. So the
// outputs are as large as the largest batch needs, and an operator reads and writes
// their first rows.
type op struct {
	name    string
	in      G.Nodes
	shape   tensor.Shape // of the output
	b       *batch
	threads int
}

// apply adds an operator to the graph of its inputs.
func apply(o interface {
	G.Op
	nodes() G.Nodes
}) (*G.Node, error) {
	return G.ApplyOp(o, o.nodes()...)
}

func (o *op) nodes() G.Nodes { return o.in }
func (o *op) Arity() int     { return len(o.in) }

func (o *op) Type() hm.Type {
	of := func(dims int) hm.Type {
		if dims == 0 {
			return tensor.Float32
		}
		return G.TensorType{Dims: dims, Of: tensor.Float32}
	}
	var ts []hm.Type
	for _, n := range o.in {
		ts = append(ts, of(n.Dims()))
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

// output makes the memory of the output.
func (o *op) output() (*tensor.Dense, []float32) {
	x := make([]float32, o.shape.TotalSize())
	return tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(x)), x
}

// parallel calls f on parts of [0,n), see the function parallel.
func (o *op) parallel(n int, f func(lo, hi int)) { parallel(o.threads, n, f) }

// data returns the memory of the inputs of Do.
func data(in []G.Value) [][]float32 {
	out := make([][]float32, len(in))
	for i, v := range in {
		out[i] = v.Data().([]float32)
	}
	return out
}

// duals returns the values and gradients of the inputs of DoDiff, and the gradient
// of the output.
func duals(in G.Nodes, out *G.Node) (vals, grads [][]float32, dy any, err error) {
	for _, n := range append(slices.Clip(in), out) {
		g, err := n.Grad()
		if err != nil {
			return nil, nil, nil, fmt.Errorf("gradient of %s: %w", n.Name(), err)
		}
		if n == out {
			dy = g.Data()
			break
		}
		vals = append(vals, n.Value().Data().([]float32))
		grads = append(grads, g.Data().([]float32))
	}
	return vals, grads, dy, nil
}

// linear is a product with a matrix W [out,in].
type linear struct{ in, out, threads int }

// forward computes y = x·Wᵀ + bias of n rows.
func (l linear) forward(y, x, w, bias []float32, n int) {
	matmul.Mul(false, true, n, l.out, l.in, x, l.in, w, l.in, false, y, l.out, workers.Threads(l.threads))
	parallel(l.threads, n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			yr := row(y, i, l.out)
			vmath.Add(yr, yr, bias)
		}
	})
}

// backward adds to the gradients of W and bias: dW += dyᵀ·x, dbias += Σ dy.
func (l linear) backward(dw, dbias, x, dy []float32, n int) {
	matmul.Mul(true, false, l.out, l.in, n, dy, l.out, x, l.in, true, dw, l.in, workers.Threads(l.threads))
	parallel(l.threads, l.out, func(lo, hi int) {
		for i := range n {
			vmath.Add(dbias[lo:hi], dbias[lo:], dy[i*l.out+lo:])
		}
	})
}

// input computes the gradient of x: dx = dy·W, added to dx where add is set.
func (l linear) input(dx, dy, w []float32, n int, add bool) {
	matmul.Mul(false, false, n, l.in, l.out, dy, l.out, w, l.in, add, dx, l.in, workers.Threads(l.threads))
}

// parallel calls f on parts [lo,hi) of [0,n), each on a goroutine of its own, at most
// threads of them. f must treat each index by itself, so that the result does not
// depend on the number of parts.
func parallel(threads, n int, f func(lo, hi int)) {
	threads = min(threads, n)
	if threads <= 1 {
		f(0, n)
		return
	}
	var wg sync.WaitGroup
	for i := 1; i < threads; i++ {
		wg.Go(func() { f(n*i/threads, n*(i+1)/threads) })
	}
	f(0, n/threads)
	wg.Wait()
}

// grow returns a slice of n elements, in b's memory if that is enough.
func grow(b []float32, n int) []float32 {
	if cap(b) < n {
		return make([]float32, n)
	}
	return b[:n]
}

// row returns row i of a matrix of the given width, nil of one not in use.
func row(m []float32, i, width int) []float32 {
	if m == nil {
		return nil
	}
	return m[i*width:][:width]
}
