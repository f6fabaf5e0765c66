package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A precision is what an operator takes its operands as. Sums and functions are in
// float32 with any; results are rounded once, when they are stored.
type precision int

const (
	float32s precision = iota
	bf16s              // all of its operands
	either             // bf16 if one of its operands is
)

// choosePrecision stores values as bf16 where convolutions and matrix products gain
// by it. Cheap operators take what they are given; those of package ops stay in
// float32, and so does the feature. Conversions go where the two meet. With all,
// everything that can be is bf16, of use or not. Without bf16, all that it decides is
// how the picture is read.
func (g *Net) choosePrecision(bf16, all bool) {
	converted := map[*Value]*Value{}
	pixels := map[*Value]*Value{}
	for _, n := range slices.Clone(g.Nodes) {
		if bf16 {
			l := n.Op.prefers(g, n, all)
			n.BF16 = l == bf16s || l == either && slices.ContainsFunc(n.In, func(v *Value) bool { return v != nil && v.BF16 })
		}
		if o, ok := n.Op.(*Conv); ok {
			g.readPicture(n, o, pixels)
		}
		for i, v := range n.In {
			if v == nil || v.Type != graph.Float || v.BF16 == n.BF16 {
				continue
			}
			if converted[v] == nil {
				converted[v] = g.convert(v)
			}
			n.In[i] = converted[v]
		}
		if n.BF16 {
			used := slices.ContainsFunc(n.Out[0].uses, func(u *Node) bool { return u.Op.prefers(g, u, all) != float32s })
			n.Out[0].BF16 = !n.Op.widens(used)
		}
	}
	if g.Output.BF16 {
		g.Output = g.convert(g.Output)
	}
	g.link()
}

// convert returns v in the other precision.
func (g *Net) convert(v *Value) *Value {
	if v.Data != nil {
		c := constant(v.Name, v.Shape, v.Data.F)
		c.BF16, c.fromBatch, c.Pictures = true, v.fromBatch, v.Pictures
		g.take(v.Name, 2*int64(len(v.Data.F)))
		c.Narrowed = make([]vmath.BF16, len(v.Data.F))
		vmath.ToBF16(c.Narrowed, v.Data.F)
		return c
	}
	c := g.add(v.Name, &Convert{}, v.Type, v.Shape, v)
	c.BF16, c.Pictures = !v.BF16, v.Pictures
	return c
}

// floats returns how much memory v takes for one picture, in floats.
func (v *Value) floats(base int) int {
	n := (v.Len() + base - 1) / base
	if v.BF16 {
		return (n + 1) / 2
	}
	return n
}
