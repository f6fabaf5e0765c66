package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// A mover is an operator that can work on its inputs before a transposition
// instead of after it.
type mover interface {
	op

	// move returns the operator that, given inputs x instead of
	// transpose(x, perm), has an output y such that transpose(y, perm) is what
	// the receiver computes; ok is false where there is none.
	move(perm []int) (o op, ok bool)
}

// layout removes transpositions: it moves each towards the output, past
// operators that can do without it, until it meets one that undoes it. Since
// convolutions stand between a transposition from [N,C,H,W] and one back,
// networks end up in [N,H,W,C] altogether. The first axis, that of the pictures,
// stays the first.
func (g *net) layout() {
	for _, n := range slices.Clone(g.nodes) {
		n.resolve()
		switch o := n.op.(type) {
		case *transposeOp:
			g.compose(n, o)
		case reshapeOp:
			g.moveReshape(n)
		case mover:
			g.move(n, o)
		}
	}
	g.link()
	g.trivial()
	g.link()
}

// transpose returns x with its dimensions permuted; it composes with a
// transposition that x comes from.
func (g *net) transpose(x *value, perm []int) *value {
	if x.def != nil {
		if t, ok := x.def.op.(*transposeOp); ok {
			perm, x = permuted(t.perm, perm), x.def.in[0]
		}
	}
	if isIdentity(perm) {
		return x
	}
	for _, y := range g.transposed[x] { // convolutions that read the same map share it
		if t, ok := y.def.op.(*transposeOp); ok && slices.Equal(t.perm, perm) {
			return y.resolve()
		}
	}
	y := g.add(x.name, &transposeOp{perm}, x.typ, permuted(x.shape, perm), x)
	if g.transposed == nil {
		g.transposed = map[*value][]*value{}
	}
	g.transposed[x] = append(g.transposed[x], y)
	return y
}

func isIdentity(perm []int) bool {
	for i, a := range perm {
		if i != a {
			return false
		}
	}
	return true
}

func inverse(perm []int) []int {
	inv := make([]int, len(perm))
	for i, a := range perm {
		inv[a] = i
	}
	return inv
}

// compose merges n, a transposition, with one that its input comes from.
func (g *net) compose(n *node, o *transposeOp) {
	if y := g.transpose(n.in[0], o.perm); y != n.out[0] {
		g.replace(n.out[0], y)
	}
}

// perm returns the transposition that v is the result of, nil if of none or if
// it moves the pictures.
func (v *value) perm() []int {
	if v != nil && v.def != nil {
		if t, ok := v.def.op.(*transposeOp); ok && t.perm[0] == 0 {
			return t.perm
		}
	}
	return nil
}

// move takes n before the transposition of its inputs.
func (g *net) move(n *node, o mover) {
	if len(n.out) != 1 {
		return
	}
	out := n.out[0]
	// The transposition of the largest input decides.
	var perm []int
	size := 0
	for _, v := range n.in {
		if p := v.perm(); p != nil && v.len() > size && len(p) == len(out.shape) {
			perm, size = p, v.len()
		}
	}
	if perm == nil {
		return
	}
	moved, ok := o.move(perm)
	if !ok {
		return
	}
	// All others of that size must be transposed likewise, or nothing is won.
	for _, v := range n.in {
		if v != nil && v.data == nil && v.len() >= size && !slices.Equal(v.perm(), perm) {
			return
		}
		if v != nil && v.typ != graph.Float && v.data != nil && len(v.shape) > 0 {
			return
		}
	}
	in := make([]*value, len(n.in))
	for i, v := range n.in {
		if v != nil {
			in[i] = g.before(v, perm)
		}
	}
	y := &value{name: out.name, typ: out.typ, shape: permuted(out.shape, inverse(perm))}
	*n = node{name: n.name, op: moved, in: in, out: []*value{y}}
	y.def = n
	g.replace(out, g.transpose(y, perm))
}

// before returns what transpose(·, perm) makes v of, up to broadcasting.
func (g *net) before(v *value, perm []int) *value {
	rank := len(perm)
	if v.len() == 1 && len(v.shape) <= rank {
		return v
	}
	shape := v.shape
	if len(shape) < rank {
		shape = slices.Concat(slices.Repeat([]int{1}, rank-len(shape)), shape)
	}
	inv := inverse(perm)
	if v.data != nil {
		g.take(v.name, v.data.Bytes())
		c := constant(v.name, permuted(shape, inv), transposed(v.data.F, shape, inv))
		c.fromBatch = v.fromBatch
		return c
	}
	if len(v.shape) < rank {
		v = g.add(v.name, reshapeOp{}, v.typ, shape, v)
	}
	return g.transpose(v, inv)
}

// moveReshape takes a reshape before the transposition of its input, where it
// splits and joins dimensions that lie together there too. Where they do not, as
// in the channel shuffle, a smaller transposition stays before it.
func (g *net) moveReshape(n *node) {
	x, out := n.in[0], n.out[0]
	if x.def != nil {
		if _, ok := x.def.op.(reshapeOp); ok { // reshapes of reshapes are one
			n.in[0] = x.def.in[0]
			x = n.in[0]
		}
	}
	perm := x.perm()
	if perm == nil || out.len() == 0 {
		return
	}
	groups := factor(x.shape, out.shape)
	if groups == nil || groups[0].in != 1 || groups[0].out != 1 {
		return
	}
	// Put the groups in the order that their axes have before the
	// transposition, each group's axes together.
	src := x.def.in[0]
	type placed struct {
		group
		at int // place before the transposition
	}
	var order []placed
	for _, gr := range groups {
		at := len(perm)
		for a := gr.firstIn; a < gr.firstIn+gr.in; a++ {
			if x.shape[a] != 1 || a == 0 {
				at = min(at, perm[a])
			}
		}
		order = append(order, placed{gr, at})
	}
	slices.SortStableFunc(order, func(a, b placed) int { return a.at - b.at })
	var gather, shape []int // transposition before the reshape, its result
	place := make([]int, len(out.shape))
	for _, gr := range order {
		for a := gr.firstIn; a < gr.firstIn+gr.in; a++ {
			gather = append(gather, perm[a])
		}
		for a := gr.firstOut; a < gr.firstOut+gr.out; a++ {
			place[a] = len(shape)
			shape = append(shape, out.shape[a])
		}
	}
	if isIdentity(place) {
		return // nothing would be left to cancel
	}
	y := src
	if moves(src.shape, gather) {
		y = g.transpose(src, gather)
	}
	z := g.add(out.name, reshapeOp{}, out.typ, shape, y)
	g.replace(out, g.transpose(z, place))
}

// A group is a run of dimensions that a reshape turns into another run of the
// same product.
type group struct{ firstIn, in, firstOut, out int }

// factor splits a reshape into its smallest groups.
func factor(in, out []int) []group {
	var groups []group
	i, j := 0, 0
	for i < len(in) && j < len(out) {
		gr := group{firstIn: i, in: 1, firstOut: j, out: 1}
		p, q := in[i], out[j]
		i++
		j++
		for p != q {
			switch {
			case p < q && i < len(in):
				p *= in[i]
				i++
				gr.in++
			case p > q && j < len(out):
				q *= out[j]
				j++
				gr.out++
			default:
				return nil
			}
		}
		groups = append(groups, gr)
	}
	if len(groups) == 0 {
		return nil
	}
	last := &groups[len(groups)-1] // only ones are left
	last.in += len(in) - i
	last.out += len(out) - j
	return groups
}

// moves reports whether perm changes the order of elements: whether it moves
// more than dimensions of size 1. The pictures always count.
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

// trivial turns transpositions that move no element into reshapes, and merges
// reshapes of reshapes.
func (g *net) trivial() {
	for _, n := range g.nodes {
		n.resolve()
		if t, ok := n.op.(*transposeOp); ok && !moves(n.in[0].shape, t.perm) {
			n.op = reshapeOp{}
		}
		if _, ok := n.op.(reshapeOp); !ok {
			continue
		}
		for x := n.in[0]; x.def != nil; x = n.in[0] {
			if _, ok := x.def.op.(reshapeOp); !ok {
				break
			}
			n.in[0] = x.def.in[0]
		}
		if x := n.in[0]; slices.Equal(x.shape, n.out[0].shape) {
			g.replace(n.out[0], x)
		}
	}
}

// transposed returns x, of the given shape, with its dimensions permuted.
func transposed(x []float32, shape, perm []int) []float32 {
	y := make([]float32, len(x))
	w := transposition(shape, perm)
	transpose(y, x, &w, 0, w.parts())
	return y
}
