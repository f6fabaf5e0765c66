package plan

import (
	"cmp"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
)

// A buffer is memory for one picture's part of one or more values, of which only
// one is alive at a time.
type buffer struct {
	off, len    int // floats, in the arena of one picture
	first, last int // nodes that write and read it
}

// align is what buffers' sizes are rounded up to, in floats: a cache line.
const align = 16

// allocate gives each computed value a buffer: values whose lives do not overlap
// share memory, reshapes are views, and operators that can work in place do.
// It returns the buffer of each value by id, nil for those that have none (the
// input, constants, integers), and the size of the arena in floats for one
// picture. The buffer of the output is not in the arena. It fails where the arena
// takes more than the budget has left.
func (g *net) allocate() (bufs []*buffer, arena int, err error) {
	most := int(g.budget.Left() / 4)
	var largest *value
	tooLarge := func(floats int) error { // more than is left
		return g.budget.Take(4*int64(floats), "the buffers of one picture, the largest for "+graph.Name(largest.name)+",")
	}
	bufs = make([]*buffer, g.values)
	last := make([]int, g.values) // last use of each value
	for i, n := range g.nodes {
		for _, v := range n.in {
			if v != nil {
				last[v.id] = i
			}
		}
	}
	last[g.output.id] = len(g.nodes)
	var all []*buffer
	for i, n := range g.nodes {
		for j, v := range n.out {
			if v.typ != graph.Float {
				continue
			}
			var b *buffer
			if _, view := n.op.(reshapeOp); view {
				if b = bufs[n.in[0].id]; b == nil {
					continue // of the input
				}
			} else if j == 0 {
				b = n.inPlace(bufs, i)
			}
			if b == nil {
				if largest == nil || v.floats(g.base) > largest.floats(g.base) {
					largest = v
				}
				if n := v.floats(g.base); n > most {
					return nil, 0, tooLarge(n)
				}
				b = &buffer{len: (v.floats(g.base) + align - 1) / align * align, first: i}
				all = append(all, b)
			}
			b.last = max(b.last, last[v.id], i)
			bufs[v.id] = b
		}
	}
	out := bufs[g.output.id]
	all = slices.DeleteFunc(all, func(b *buffer) bool { return b == out })
	if arena = place(all, most); arena > most {
		return nil, 0, tooLarge(arena)
	}
	return bufs, arena, nil
}

// inPlace returns the buffer of an input that ends with n, node number i, and
// that n can overwrite with its output; nil if there is none.
func (n *node) inPlace(bufs []*buffer, i int) *buffer {
	first, end := 0, 0 // inputs that qualify
	switch o := n.op.(type) {
	case *actOp, *scaleOp, *normOp, softmaxOp, *binaryOp:
		end = len(n.in)
	case gateOp:
		end = 1
	case *denseOp:
		if o.residual {
			first, end = 1, 2
		}
	case *convOp:
		if !o.depthwise() {
			first, end = 1, len(n.in)
		}
	}
	for j := first; j < end; j++ {
		v := n.in[j]
		b := bufs[v.id]
		if b == nil || b.last != i || v.len() != n.out[0].len() || v.bf16 != n.out[0].bf16 {
			continue
		}
		alone := true
		for k, w := range n.in {
			_, both := n.op.(*binaryOp) // reads both at the same place
			if k != j && bufs[w.id] == b && !(both && w == v) {
				alone = false
			}
		}
		if alone {
			return b
		}
	}
	return nil
}

// place lays buffers out, the largest first, each at the lowest place where no
// buffer that lives at the same time is. It stops where they take more than most.
func place(all []*buffer, most int) (arena int) {
	slices.SortStableFunc(all, func(a, b *buffer) int { return cmp.Compare(b.len, a.len) })
	var placed []*buffer // by offset
	for _, b := range all {
		b.off = 0
		for _, p := range placed {
			if p.last < b.first || b.last < p.first {
				continue
			}
			if b.off+b.len <= p.off {
				break
			}
			b.off = max(b.off, p.off+p.len)
		}
		i, _ := slices.BinarySearchFunc(placed, b, func(x, y *buffer) int { return cmp.Compare(x.off, y.off) })
		placed = slices.Insert(placed, i, b)
		if arena = max(arena, b.off+b.len); arena > most {
			break
		}
	}
	return arena
}

// peak returns how many bytes a run of one picture takes, of which the largest of
// the operators of package ops takes room for itself.
func (p *Plan) peak(room int64) int64 {
	g, unit := p.net, int64(p.unit())
	per := 4*int64(p.arena) + 4*int64(g.output.len()/g.base)
	for _, n := range g.nodes {
		for _, v := range n.out {
			if v.typ != graph.Float {
				t := graph.Tensor{Type: v.typ, Shape: v.shape}
				per += t.Bytes() / int64(g.base)
			}
		}
	}
	if unit > 1 { // a batch of the exporter's size is filled up
		per += 4 * int64(g.input.len()/g.base)
	}
	return unit*per + 4*int64(g.room()) + room
}

// kept returns the bytes of the constants that operators refer to, besides those
// that are packed.
func (g *net) kept() (bytes int64) {
	seen := map[*graph.Tensor]bool{}
	for _, n := range g.nodes {
		bytes += vectors(n.op)
		for _, v := range n.in {
			if v != nil && v.data != nil && !seen[v.data] {
				seen[v.data] = true
				bytes += v.data.Bytes() + 2*int64(len(v.narrowed))
			}
		}
	}
	return bytes
}

// vectors returns the bytes of the factors and sums of an operator.
func vectors(o op) int64 {
	switch o := o.(type) {
	case *convOp:
		return 4 * int64(len(o.bias))
	case *denseOp:
		return 4 * int64(len(o.bias))
	case *scaleOp:
		return 4 * int64(len(o.scale)+len(o.shift))
	case *normOp:
		return 4 * int64(len(o.scale)+len(o.bias))
	case *chainOp:
		n := vectors(o.first.op) + vectors(o.depth)
		if o.last != nil {
			n += vectors(o.last)
		}
		return n
	}
	return 0
}

// room returns about how many floats operators take besides the buffers, for one
// picture on one thread: the rooms of each kind are kept from one to the next.
func (g *net) room() int {
	chain, tiles, rows := 0, 0, 0
	for _, n := range g.nodes {
		out := n.out[0].shape
		switch o := n.op.(type) {
		case *chainOp:
			wide, deep := o.floats()
			chain = max(chain, wide+deep)
		case *convOp:
			pixels := size(out[1:3])
			if o.winograd > 0 {
				// What some tiles of so many rows by 4 pixels are transformed to, and
				// the products for 32 channels.
				all := (out[1] + o.winograd - 1) / o.winograd * ((out[2] + 3) / 4)
				tiles = max(tiles, (o.winograd+2)*6*min(all, 24)*(o.c+min(o.out, 32)+32))
			} else if !o.depthwise() && !o.planar && (o.c < 16 || n.in[0].shape[3]%512 == 0) {
				rows = max(rows, copied(pixels, o.c*o.kh*o.kw))
			}
		case *denseOp:
			if o.k%512 == 0 { // rows that would share their cache sets
				rows = max(rows, copied(n.out[0].len()/g.base/o.n, o.k))
			}
		}
	}
	return chain + tiles + rows
}

// copied returns how many floats the rows of a matrix product take that are
// copied together: a block's, in as many columns as are worked on in one go.
func copied(rows, columns int) int { return min(rows, 240) * min(columns, 528) }
