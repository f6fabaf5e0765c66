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
// picture. The buffer of the output is not in the arena.
func (g *net) allocate() (bufs []*buffer, arena int) {
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
				b = &buffer{len: (v.floats(g.base) + align - 1) / align * align, first: i}
				all = append(all, b)
			}
			b.last = max(b.last, last[v.id], i)
			bufs[v.id] = b
		}
	}
	out := bufs[g.output.id]
	all = slices.DeleteFunc(all, func(b *buffer) bool { return b == out })
	return bufs, place(all)
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
// buffer that lives at the same time is.
func place(all []*buffer) (arena int) {
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
		arena = max(arena, b.off+b.len)
	}
	return arena
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
