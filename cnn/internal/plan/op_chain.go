package plan

import (
	"sync"

	"github.com/onetomany/caption/internal/kernels/depthwise"
	"github.com/onetomany/caption/internal/packing"
)

// chainOp is a convolution that is a matrix product or the first of the network,
// a depthwise convolution of what it gives and, perhaps, a matrix product of what
// that gives: the blocks of MobileNets. A few rows at a time go through all of
// them, so that the maps between, which are the largest of such networks, never
// leave the second-level cache. in[1] is the residual of the last operator, if it
// takes one.
type chainOp struct {
	first *node // denseOp, or convOp that is planar
	depth *convOp
	last  *denseOp // or nil

	wide, deep []int // shapes of the maps between, for the base batch
	rows       int   // of the deep map that are computed together
	room       int   // rows of the wide map that there is room for
}

// chainFloats is how many floats the map before a depthwise convolution must have
// for a chain: those that stay in the second-level cache, or nearly, gain nothing.
// chainRoom is how many of them there are at a time. Tests lower both.
var (
	chainFloats = 256 << 10
	chainRoom   = 192 << 10
)

// chains merges operators into chains where the map between is large.
func (g *net) chains() {
	for _, n := range g.nodes {
		depth, ok := n.op.(*convOp)
		if !ok || !depth.depthwise() || depth.residual || n.bf16 {
			continue
		}
		first := g.sole(n.in[0], n)
		if first == nil || first.bf16 || n.in[0].len()/g.base < chainFloats {
			continue
		}
		switch o := first.op.(type) {
		case *denseOp:
			if o.residual || o.gated {
				continue
			}
		case *convOp:
			if !o.planar {
				continue
			}
		default:
			continue
		}
		o := &chainOp{first: first, depth: depth, wide: n.in[0].shape, deep: n.out[0].shape}
		c := &node{name: n.name, op: o, in: []*value{first.in[0]}, out: n.out}
		if y := n.out[0]; len(y.uses) == 1 && g.only(y, y.uses[0]) {
			last := y.uses[0]
			if d, ok := last.op.(*denseOp); ok && last.in[0] == y && !last.bf16 && !d.gated {
				o.last, c.out = d, last.out
				c.in = append(c.in, last.in[1:]...)
			}
		}
		o.band()
		c.out[0].def = c
	}
	g.link()
}

func (o *chainOp) prepare(p *packing.Packer) {
	o.first.op.(preparer).prepare(p)
	o.depth.prepare(p)
	if o.last != nil {
		o.last.prepare(p)
	}
}

// band sets how many rows there are at a time.
func (o *chainOp) band() {
	d := o.depth
	least := (d.kh-1)*d.dh + 1 // a window
	// Rows that the next band needs too are moved when the room is used up,
	// which several bands should fit.
	o.rows = min(max((chainRoom/size(o.wide[2:])-least)/(3*d.sh), 1), o.deep[1])
	o.room = min(max(chainRoom/size(o.wide[2:]), least+(o.rows-1)*d.sh), o.wide[1])
}

// floats returns how many floats the maps between take at a time.
func (o *chainOp) floats() (wide, deep int) {
	if o.last != nil {
		deep = o.rows * size(o.deep[2:])
	}
	return o.room * size(o.wide[2:]), deep
}

// A chainJob is a chain under way.
type chainJob struct {
	s     *state
	n     *node
	rows  int // of the deep maps of all pictures
	parts int
	task  func(int)
}

// chainMaps is the room for the rows of the maps between.
type chainMaps struct{ wide, deep []float32 }

var (
	chainJobs = sync.Pool{New: func() any {
		j := new(chainJob)
		j.task = func(i int) {
			j.n.op.(*chainOp).part(j.s, j.n, i*j.rows/j.parts, (i+1)*j.rows/j.parts)
		}
		return j
	}}
	chainPool = sync.Pool{New: func() any { return new(chainMaps) }}
)

func (o *chainOp) run(s *state, n *node) error {
	j := chainJobs.Get().(*chainJob)
	threads := s.team.Size()
	j.s, j.n, j.rows = s, n, s.t[n.out[0].id].Shape[0]*o.deep[1]
	// Parts compute the rows between them twice: there should not be many.
	j.parts = 1
	if threads > 1 {
		j.parts = min(2*threads, j.rows)
	}
	s.team.Run(threads, j.parts, j.task)
	j.s, j.n = nil, nil
	chainJobs.Put(j)
	return nil
}

// part computes the rows lo…hi-1 of the output, counted over all pictures.
func (o *chainOp) part(s *state, n *node, lo, hi int) {
	maps := chainPool.Get().(*chainMaps)
	defer chainPool.Put(maps)
	wide, deep := o.floats()
	if len(maps.wide) < wide {
		maps.wide = make([]float32, wide)
	}
	if len(maps.deep) < deep {
		maps.deep = make([]float32, deep)
	}
	for lo < hi {
		picture, y := lo/o.deep[1], lo%o.deep[1]
		end := min(y+hi-lo, o.deep[1])
		o.picture(s, n, maps, picture, y, end)
		lo += end - y
	}
}

// picture computes the rows y…end-1 of a picture.
func (o *chainOp) picture(s *state, n *node, maps *chainMaps, picture, y, end int) {
	d := o.depth
	height, line := o.wide[1], size(o.wide[2:])
	rows := o.rows
	at, from, to := 0, 0, 0 // rows from…to-1 of the wide map are in maps from row at on
	for ; y < end; y += rows {
		rows = min(rows, end-y)
		lo := min(max(y*d.sh-d.top, 0), height)
		hi := min(max((y+rows-1)*d.sh-d.top+(d.kh-1)*d.dh+1, lo), height)
		if lo >= to { // nothing is left from before
			at, from, to = 0, lo, lo
		}
		at, from = at+lo-from, lo
		if at+hi-lo > o.room {
			copy(maps.wide, maps.wide[at*line:(at+to-from)*line])
			at = 0
		}
		if hi > to {
			o.widen(s, n, maps.wide[(at+to-from)*line:], picture, to, hi)
			to = hi
		}
		o.deepen(s, n, maps, at, picture, y, rows, from, to)
	}
}

// widen computes the rows lo…hi-1 of a picture's wide map to dst.
func (o *chainOp) widen(s *state, n *node, dst []float32, picture, lo, hi int) {
	x, width, c := s.in(n, 0), o.wide[2], o.wide[3]
	switch f := o.first.op.(type) {
	case *denseOp:
		ep := f.kernel(nil, 0)
		f.b.Mul((hi-lo)*width, x[(picture*o.wide[1]+lo)*width*f.k:], f.k, dst, c, &ep, nil)
	case *convOp:
		in := s.t[n.in[0].id].Shape // [N,C,H,W]
		ep := f.kernel(nil, 0)
		g := f.geometry([]int{1, in[2], in[3], in[1]}, []int{1, hi - lo, width, c}, f.c)
		g.PadTop -= lo * f.sh
		f.b[0].ConvPlanar(&g, 1, x[picture*size(in[1:]):], dst, c, &ep, nil)
	}
}

// deepen computes the rows from y on of what follows, from the rows from…to-1 of
// the wide map.
func (o *chainOp) deepen(s *state, n *node, maps *chainMaps, at, picture, y, rows, from, to int) {
	d, width, c := o.depth, o.deep[2], o.deep[3]
	wide := maps.wide[at*size(o.wide[2:]):]
	g := d.geometry([]int{1, to - from, o.wide[2], c}, []int{1, rows, width, c}, 1)
	g.C = c
	g.PadTop += from - y*d.sh
	ep := d.kernel(nil, 0)
	first, out := (picture*o.deep[1]+y)*width, s.out(n)
	if o.last == nil {
		depthwise.Conv(&g, 1, wide, d.taps, out[first*c:], c, &ep, nil)
		return
	}
	depthwise.Conv(&g, 1, wide, d.taps, maps.deep, c, &ep, nil)
	l := o.last
	e := l.kernel(nil, 0)
	if l.residual {
		e.Residual, e.LdRes = s.in(n, 1)[first*l.n:], l.n
	}
	l.b.Mul(rows*width, maps.deep, c, out[first*l.n:], l.n, &e, nil)
}
