package plan

import (
	"cmp"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/weights"
)

// A Buffer is the memory of one or more values, of which only one is alive at a time.
type Buffer struct {
	Off, Len    int // floats, in the arena of one picture
	first, last int // nodes that write and read it
}

// align is the unit of buffers' sizes, in floats: a cache line.
const align = 16

// allocate gives each computed value a buffer: values whose lives do not overlap
// share memory, reshapes are views, and operators that can work in place do. It
// sets the size of the arena, in floats for one picture; the buffer of the output
// is not in it. It fails where the arena takes more than the budget has left.
func (p *Plan) allocate() error {
	most := int(p.Budget.Left() / 4)
	var largest *Value
	tooLarge := func(floats int) error { // fails: it is more than is left
		return p.Budget.Take(4*int64(floats), "the buffers of one picture, the largest for "+graph.Name(largest.Name)+",")
	}
	last := make([]int, p.Values) // last use of each value
	for i, n := range p.Nodes {
		for _, v := range n.In {
			if v != nil {
				last[v.ID] = i
			}
		}
	}
	last[p.Output.ID] = len(p.Nodes)
	var all []*Buffer
	for i, n := range p.Nodes {
		for j, v := range n.Out {
			if v.Type != graph.Float {
				continue
			}
			if _, view := n.Op.(*Reshape); view {
				if v.Buffer = n.In[0].Buffer; v.Buffer == nil {
					continue // of the input
				}
			} else if j == 0 {
				v.Buffer = n.overwritten(i)
			}
			if v.Buffer == nil {
				size := v.floats(p.Base)
				if largest == nil || size > largest.floats(p.Base) {
					largest = v
				}
				if size > most {
					return tooLarge(size)
				}
				v.Buffer = &Buffer{Len: (size + align - 1) / align * align, first: i}
				all = append(all, v.Buffer)
			}
			v.Buffer.last = max(v.Buffer.last, last[v.ID], i)
		}
	}
	out := p.Output.Buffer
	all = slices.DeleteFunc(all, func(b *Buffer) bool { return b == out })
	if p.Arena = place(all, most); p.Arena > most {
		return tooLarge(p.Arena)
	}
	return nil
}

// overwritten returns the buffer of an input that no node after n, number i, reads
// and that n can overwrite with its output; nil if there is none.
func (n *Node) overwritten(i int) *Buffer {
	first, end := n.Op.inPlace(n)
	for j := first; j < end; j++ {
		v := n.In[j]
		b := v.Buffer
		if b == nil || b.last != i || v.Len() != n.Out[0].Len() || v.BF16 != n.Out[0].BF16 {
			continue
		}
		alone := true
		for k, w := range n.In {
			// An input that is there twice is read at the same place.
			if k != j && w != nil && w.Buffer == b && !(w == v && first <= k && k < end) {
				alone = false
			}
		}
		if alone {
			return b
		}
	}
	return nil
}

// place lays buffers out, the largest first, each at the lowest offset that is free
// as long as it lives. It stops where they take more than most.
func place(all []*Buffer, most int) (arena int) {
	slices.SortStableFunc(all, func(a, b *Buffer) int { return cmp.Compare(b.Len, a.Len) })
	var placed []*Buffer // by offset
	for _, b := range all {
		b.Off = 0
		for _, p := range placed {
			if p.last < b.first || b.last < p.first {
				continue
			}
			if b.Off+b.Len <= p.Off {
				break
			}
			b.Off = max(b.Off, p.Off+p.Len)
		}
		i, _ := slices.BinarySearchFunc(placed, b, func(x, y *Buffer) int { return cmp.Compare(x.Off, y.Off) })
		placed = slices.Insert(placed, i, b)
		if arena = max(arena, b.Off+b.Len); arena > most {
			break
		}
	}
	return arena
}

// peak returns how many bytes a run of one picture takes; generic is what the
// largest operator of package ops takes for itself.
func (p *Plan) peak(generic int64) int64 {
	unit := int64(p.Unit())
	per := 4*int64(p.Arena) + 4*int64(p.Output.Len()/p.Base)
	var most workspace // each kind of memory is kept from one operator to the next
	for _, n := range p.Nodes {
		for _, v := range n.Out {
			if v.Type != graph.Float {
				t := graph.Tensor{Type: v.Type, Shape: v.Shape}
				per += t.Bytes() / int64(p.Base)
			}
		}
		w := n.Op.workspace(&p.Net, n)
		most.chain, most.tiles, most.rows = max(most.chain, w.chain), max(most.tiles, w.tiles), max(most.rows, w.rows)
	}
	if unit > 1 { // one picture is run as a batch of the exporter's size
		per += 4 * int64(p.Input.Len()/p.Base)
	}
	return unit*per + 4*int64(most.chain+most.tiles+most.rows) + generic
}

// A workspace is the memory that an operator takes besides buffers, for one picture
// on one thread: an estimate, in floats.
type workspace struct {
	chain int // rows of the maps in a chain
	tiles int // Winograd's
	rows  int // those of a matrix, copied together
}

// ReleaseWeights lets go of the weights once they are packed. It returns the bytes of
// the constants that operators refer to besides.
func (g *Net) ReleaseWeights() (kept int64) {
	seen := map[*graph.Tensor]bool{}
	for _, n := range g.Nodes {
		for _, p := range append(n.Op.parts(), n) {
			f := p.Op.fuses()
			if f.weights != nil {
				*f.weights, *f.scale = weights.Data{}, nil
			}
			if f.scale != nil {
				kept += 4 * int64(len(*f.scale)+len(*f.shift))
			}
		}
		for _, v := range n.In {
			if v != nil && v.Data != nil && !seen[v.Data] {
				seen[v.Data] = true
				kept += v.Data.Bytes() + 2*int64(len(v.Narrowed))
			}
		}
	}
	return kept
}

// copied returns how many floats the matrix product of a matrix of that size copies
// at a time: the rows of a block, as many columns as it works on in one go.
func copied(rows, columns int) int { return min(rows, 240) * min(columns, 528) }
