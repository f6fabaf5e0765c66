package plan

import (
	"slices"
	"unsafe"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels"
	"github.com/onetomany/caption/internal/weights"
)

// Operators that can compute on values stored as bf16 have one of two methods
// beside that for float32. Sums and functions are in float32 all the same: what
// is stored is rounded once.
type (
	bf16Runner interface {
		runBF16(s *state, n *node) error // instead of op.run
	}
	bf16Parted interface {
		partBF16(s *state, n *node, lo, hi int) // instead of parted.part
	}
)

// A bf16Preparer is a preparer that gets other constants ready for runBF16.
type bf16Preparer interface{ prepareBF16(p *weights.Packer) }

// convertOp stores in[0] in the other precision.
type convertOp struct{}

// narrow stores values as bf16. Convolutions and matrix products compute on bf16,
// which is what is won; all that is cheap, depthwise convolutions too, does where
// an operand is bf16; what package ops computes stays in float32, as do the feature
// and the picture with its first convolution, whose results networks are the most
// sensitive to: a depthwise convolution behind it takes differences of large
// neighbouring values. Conversions stand where the two meet; sums that only
// float32 is made of are not rounded. If all is set, the first convolution and
// matrix products that are too small to gain by it compute on bf16 too.
func (g *net) narrow(all bool) {
	converted := map[*value]*value{}
	raw := map[*value]bool{g.input: !all} // the picture, not convolved yet
	for _, n := range slices.Clone(g.nodes) {
		bf16 := n.multiplies(all) && !raw[n.in[0]] || n.follows()
		if _, conv := n.op.(*convOp); !conv && raw[n.in[0]] {
			raw[n.out[0]] = true
		}
		for i, v := range n.in {
			if v == nil || v.typ != graph.Float || v.bf16 == bf16 {
				continue
			}
			if converted[v] == nil {
				converted[v] = g.convert(v)
			}
			n.in[i] = converted[v]
		}
		if n.bf16 = bf16; bf16 {
			n.out[0].bf16 = !n.widens()
		}
	}
	if g.output.bf16 {
		g.output = g.convert(g.output)
	}
	g.link()
}

// follows reports whether n computes on bf16 because an operand is.
func (n *node) follows() bool {
	return n.canNarrow() && slices.ContainsFunc(n.in, func(v *value) bool { return v != nil && v.bf16 })
}

// widens reports whether n, which computes on bf16, gives its sums in float32: an
// average over the picture, which is small, and what nothing else takes.
func (n *node) widens() bool {
	_, mean := n.op.(meanOp)
	return mean || n.multiplies(true) && !slices.ContainsFunc(n.out[0].uses, (*node).canNarrow)
}

func (n *node) canNarrow() bool {
	switch n.op.(type) {
	case bf16Runner, bf16Parted:
		return true
	}
	return false
}

// reuse is how often a matrix product must use each value that it reads or writes,
// on average, for bf16 to be of use: below, it waits for memory.
const reuse = 12

// multiplies reports whether n is one of the operators that bf16 is for, all of
// them or those that gain by it.
func (n *node) multiplies(all bool) bool {
	switch o := n.op.(type) {
	case *denseOp:
		return all || o.k*o.n >= reuse*(o.k+o.n)
	case *convOp:
		return !o.depthwise()
	}
	return false
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
	if o, ok := n.op.(bf16Runner); ok && n.bf16 {
		return o.runBF16(s, n)
	}
	return n.op.run(s, n)
}
