package plan

import (
	"slices"
	"unsafe"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/weights"
)

// A narrower is an operator that can compute on values stored as bf16. Sums and
// functions are in float32 all the same: what runBF16 stores is rounded once.
type narrower interface {
	op

	// runBF16 is run for a node whose bf16 is set.
	runBF16(s *state, n *node) error
}

// A bf16Preparer is a preparer that gets other constants ready for runBF16.
type bf16Preparer interface{ prepareBF16(p *weights.Packer) }

// convertOp stores in[0] in the other precision.
type convertOp struct{}

// narrow stores values as bf16. Convolutions and matrix products always compute
// on bf16, which is what is won; all that is cheap follows its largest operand;
// what package ops computes stays in float32, as do the picture and the feature.
// Conversions stand where the two meet. Picture and layout are changed in one
// pass; sums that only float32 is made of are not rounded.
func (g *net) narrow() {
	converted := map[*value]*value{}
	for _, n := range slices.Clone(g.nodes) {
		bf16 := n.narrows()
		for i, v := range n.in {
			if n.stores(v, bf16) {
				continue
			}
			if converted[v] == nil {
				converted[v] = g.convert(v)
			}
			n.in[i] = converted[v]
		}
		if n.bf16 = bf16; bf16 {
			n.out[0].bf16 = !n.widens(g)
		}
	}
	if g.output.bf16 {
		g.output = g.convert(g.output)
	}
	g.link()
}

// narrows reports whether n is to compute on bf16.
func (n *node) narrows() bool {
	if !n.canNarrow() {
		return false
	}
	switch o := n.op.(type) {
	case *convOp, *denseOp:
		return true
	case *transposeOp:
		if slices.Equal(o.perm, toNHWC) && slices.ContainsFunc(n.out[0].uses, (*node).multiplies) {
			return true
		}
	}
	bf16, size := false, -1
	for _, v := range n.in {
		if v != nil && v.data == nil && v.len() > size {
			bf16, size = v.bf16, v.len()
		}
	}
	return bf16
}

// widens reports whether n, which computes on bf16, gives its sums in float32: an
// average over the picture, which is small, and what nothing else takes.
func (n *node) widens(g *net) bool {
	y := n.out[0]
	switch o := n.op.(type) {
	case meanOp:
		return true
	case *denseOp, *convOp:
		if c, ok := o.(*convOp); ok && c.depthwise() {
			return false
		}
		return !slices.ContainsFunc(y.uses, (*node).canNarrow)
	}
	return false
}

func (n *node) canNarrow() bool {
	_, ok := n.op.(narrower)
	return ok
}

// multiplies reports whether n is one of the operators that bf16 is for.
func (n *node) multiplies() bool {
	switch n.op.(type) {
	case *convOp, *denseOp:
		return true
	}
	return false
}

// stores reports whether v is stored as n, computing on bf16 or not, takes it.
func (n *node) stores(v *value, bf16 bool) bool {
	if v == nil || v.typ != graph.Float || v.bf16 == bf16 {
		return true
	}
	_, both := n.op.(*transposeOp)
	return both && bf16
}

// convert returns v in the other precision.
func (g *net) convert(v *value) *value {
	if v.data != nil {
		c := constant(v.name, v.shape, v.data.F)
		c.bf16, c.fromBatch, c.batch = true, v.fromBatch, v.batch
		c.narrowed = make([]kernels.BF16, len(v.data.F))
		kernels.ToBF16(c.narrowed, v.data.F)
		return c
	}
	c := g.add(v.name, convertOp{}, v.typ, v.shape, v)
	c.bf16, c.batch = !v.bf16, v.batch
	return c
}

// floats returns how many floats of memory v takes for one picture.
func (v *value) floats(base int) int {
	n := (v.len() + base - 1) / base
	if v.bf16 {
		return (n + 1) / 2
	}
	return n
}

// bf16s views memory as the n values of twice the precision that fit it: buffers
// are of floats, whatever is in them.
func bf16s(x []float32, n int) []kernels.BF16 {
	if n == 0 {
		return nil
	}
	_ = x[(n-1)/2]
	return unsafe.Slice((*kernels.BF16)(unsafe.Pointer(unsafe.SliceData(x))), n)
}

// prepare gets the constants of n's operator ready, in its precision.
func (n *node) prepare(p *weights.Packer) {
	if o, ok := n.op.(bf16Preparer); ok && n.bf16 {
		o.prepareBF16(p)
	} else if o, ok := n.op.(preparer); ok {
		o.prepare(p)
	}
}

// run computes n's outputs, in its precision.
func (n *node) run(s *state) error {
	if n.bf16 {
		return n.op.(narrower).runBF16(s, n)
	}
	return n.op.run(s, n)
}
