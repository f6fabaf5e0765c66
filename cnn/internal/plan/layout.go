package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// layout removes transpositions: it moves each towards the output, past
// operators that can do without it, until it meets one that undoes it. Since
// convolutions stand between a transposition from [N,C,H,W] and one back,
// networks end up in [N,H,W,C] altogether. The first axis, that of the pictures,
// stays the first.
func (g *Net) layout() {
	for _, n := range slices.Clone(g.Nodes) {
		n.resolve()
		switch o := n.Op.(type) {
		case *Transpose: // transpose merges it with one before it
			g.replace(n.Out[0], g.transpose(n.In[0], o.Perm))
		case *Reshape:
			g.moveReshape(n)
		default:
			g.move(n)
		}
	}
	g.link()
	g.trivial()
	g.link()
}

// perm returns the permutation of the transposition that computes v; nil if none
// does, or if it moves the pictures.
func (v *Value) perm() []int {
	if v != nil {
		if t, ok := v.producer().(*Transpose); ok && t.Perm[0] == 0 {
			return t.Perm
		}
	}
	return nil
}

// move takes n before the transposition of its inputs.
func (g *Net) move(n *Node) {
	if len(n.Out) != 1 || n.Out[0].Type != graph.Float {
		return // transpositions are of floats
	}
	out := n.Out[0]
	// The transposition of the largest input decides.
	var perm []int
	size := 0
	for _, v := range n.In {
		if p := v.perm(); p != nil && v.Len() > size && len(p) == len(out.Shape) {
			perm, size = p, v.Len()
		}
	}
	if perm == nil {
		return
	}
	moved, ok := n.Op.move(perm)
	if !ok {
		return
	}
	// All others of that size must be transposed likewise, or nothing is won.
	for _, v := range n.In {
		if v != nil && v.Data == nil && v.Len() >= size && !slices.Equal(v.perm(), perm) {
			return
		}
		if v != nil && v.Type != graph.Float && (v.Data == nil || len(v.Shape) > 0) {
			return
		}
	}
	in := make([]*Value, len(n.In))
	for i, v := range n.In {
		if v != nil {
			in[i] = g.before(v, perm)
		}
	}
	y := &Value{Name: out.Name, Type: out.Type, Shape: tensor.Permuted(out.Shape, tensor.Inverse(perm))}
	*n = Node{Name: n.Name, Op: moved, In: in, Out: []*Value{y}}
	y.def = n
	g.replace(out, g.transpose(y, perm))
}

// before returns the value of which transpose(·, perm) makes v, up to broadcasting.
func (g *Net) before(v *Value, perm []int) *Value {
	rank := len(perm)
	if v.Len() == 1 && len(v.Shape) <= rank {
		return v
	}
	shape := v.Shape
	if len(shape) < rank {
		shape = slices.Concat(slices.Repeat([]int{1}, rank-len(shape)), shape)
	}
	inv := tensor.Inverse(perm)
	if v.Data != nil {
		g.take(v.Name, v.Data.Bytes())
		c := constant(v.Name, tensor.Permuted(shape, inv), transposed(v.Data.F, shape, inv))
		c.fromBatch = v.fromBatch
		return c
	}
	if len(v.Shape) < rank {
		v = g.add(v.Name, &Reshape{}, v.Type, shape, v)
	}
	return g.transpose(v, inv)
}

// moveReshape takes a reshape before the transposition of its input, where it
// splits and joins dimensions that lie together there too. Where they do not, as
// in the channel shuffle, a smaller transposition stays before it.
func (g *Net) moveReshape(n *Node) {
	x, out := n.In[0], n.Out[0]
	if _, ok := x.producer().(*Reshape); ok { // reshapes of reshapes are one
		n.In[0] = x.def.In[0]
		x = n.In[0]
	}
	perm := x.perm()
	if perm == nil || out.Len() == 0 {
		return
	}
	groups := tensor.Groups(x.Shape, out.Shape)
	if groups == nil || groups[0].In != 1 || groups[0].Out != 1 {
		return
	}
	// Put the groups in the order that their axes have before the
	// transposition, each group's axes together.
	src := x.def.In[0]
	type placed struct {
		tensor.Group
		at int // place before the transposition
	}
	var order []placed
	for _, gr := range groups {
		at := len(perm)
		for a := gr.FirstIn; a < gr.FirstIn+gr.In; a++ {
			if x.Shape[a] != 1 || a == 0 {
				at = min(at, perm[a])
			}
		}
		order = append(order, placed{gr, at})
	}
	slices.SortStableFunc(order, func(a, b placed) int { return a.at - b.at })
	var gather, shape []int // transposition before the reshape, its result
	place := make([]int, len(out.Shape))
	for _, gr := range order {
		for a := gr.FirstIn; a < gr.FirstIn+gr.In; a++ {
			gather = append(gather, perm[a])
		}
		for a := gr.FirstOut; a < gr.FirstOut+gr.Out; a++ {
			place[a] = len(shape)
			shape = append(shape, out.Shape[a])
		}
	}
	if keepsOrder(place) {
		return // nothing would be left to cancel
	}
	y := src
	if moves(src.Shape, gather) {
		y = g.transpose(src, gather)
	}
	z := g.add(out.Name, &Reshape{}, out.Type, shape, y)
	g.replace(out, g.transpose(z, place))
}

// moves reports whether perm changes the order of the elements, which it does not
// where only dimensions of size 1 move. That of the pictures counts with any size.
func moves(shape, perm []int) bool {
	last := -1
	for _, a := range perm {
		if shape[a] == 1 && a != 0 {
			continue
		}
		if a < last {
			return true
		}
		last = a
	}
	return false
}

// trivial turns transpositions that move no element into reshapes, merges reshapes of
// reshapes, and reshapes constants: what is left of them are views of the picture or of
// results.
func (g *Net) trivial() {
	for _, n := range g.Nodes {
		n.resolve()
		if t, ok := n.Op.(*Transpose); ok && !moves(n.In[0].Shape, t.Perm) {
			n.Op = &Reshape{}
		}
		if _, ok := n.Op.(*Reshape); !ok {
			continue
		}
		for {
			if _, ok := n.In[0].producer().(*Reshape); !ok {
				break
			}
			n.In[0] = n.In[0].def.In[0]
		}
		switch x, out := n.In[0], n.Out[0]; {
		case slices.Equal(x.Shape, out.Shape):
			g.replace(out, x)
		case x.Data != nil:
			t := *x.Data
			t.Shape = out.Shape
			g.replace(out, &Value{Name: out.Name, Type: x.Type, Shape: t.Shape, Data: &t, fromBatch: x.fromBatch})
		}
	}
}

// transposed returns x, of the given shape, with its dimensions permuted.
func transposed(x []float32, shape, perm []int) []float32 {
	y := make([]float32, len(x))
	w := tensor.Transposition(shape, perm)
	tensor.Transpose(y, x, &w, 0, w.Parts())
	return y
}

// keepsOrder reports whether perm leaves all dimensions where they are.
func keepsOrder(perm []int) bool {
	for i, a := range perm {
		if i != a {
			return false
		}
	}
	return true
}
