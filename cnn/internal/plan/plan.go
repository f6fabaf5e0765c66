// Package plan compiles an ONNX graph for the features of pictures and runs it.
//
// Compile goes through these stages, a file each:
//
//	infer    shapes and constants for the picture's size, by package ops
//	cut      the value to stop at: the classifier is found by structure
//	lower    ONNX nodes become operators of this package, channels last
//	pattern  activations and normalisations that exporters spell out
//	layout   transpositions move until they cancel
//	fuse     constants into weights, sums and activations into epilogues
//	batch    whether any number of pictures can go through together
//	precision  what is stored as bf16, where that is asked for
//	op_gate    products with a number for each channel scale a matrix instead
//	op_chain   blocks of MobileNets become one operator, band by band
//	memory   buffers by lifetime
//
// Operators that this package has no rule for run as package ops has them.
package plan

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/mmap"
	"github.com/onetomany/caption/internal/packing"
)

// Options say what to compile.
type Options struct {
	Layer         string // Pooled (also ""), Map, or the name of a node or value
	Height, Width int    // of pictures where the model leaves them open; 0 for 224
	BF16          bool   // compute on bf16, sums in float32
	BF16All       bool   // also where little is gained or much precision lost; for tests
}

// A Plan is a compiled network. It is immutable and safe for concurrent use.
type Plan struct {
	net       *net
	bufs      []*buffer // by value id
	arena     int       // floats for one picture
	batchable bool
	group     int // units of pictures that go through together, at most
	cores     cores
	stock     stock

	Info
}

// Info describes a plan.
type Info struct {
	Input                   string
	Channels, Height, Width int
	NHWC                    bool
	Batch                   int // fixed by the exporter, 0 where open

	Feature      string
	FeatureShape []int // of one picture: [D], or [H,W,C] for a map
	Cut          []string

	MultiplyAdds, Parameters int64
	WeightBytes              int64 // what is kept: packed weights and other constants
	PeakBytes                int64 // what a run of one picture takes besides, on one thread
}

const (
	maxNodes  = 20_000  // of a graph
	maxPixels = 1 << 26 // elements of one picture
)

// ordered checks that every node comes after those whose values it takes, as
// graph.Graph promises: without it a walk back from the output may not end.
func ordered(g *graph.Graph) error {
	made := map[string]int{} // value to the node that computes it
	for i, n := range g.Nodes {
		for _, v := range n.Outputs {
			made[v] = i
		}
	}
	for i, n := range g.Nodes {
		for _, v := range n.Inputs {
			if at, ok := made[v]; ok && v != "" && at >= i {
				return fmt.Errorf("node %s takes %s before it is computed", graph.Name(n.Name), graph.Name(v))
			}
		}
	}
	return nil
}

// Compile plans the network of g up to the feature that opt names; g can be closed
// then. A graph can break the rules of its operators in more ways than are
// foreseen: what panics on it is an error.
func Compile(g *graph.Graph, opt Options) (p *Plan, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("an operator breaks the rules of ONNX: %v", r)
		}
	}()
	err = mmap.Guard(func() error {
		p, err = compile(g, opt)
		return err
	})
	return p, err
}

// compile is Compile, save that panics are not errors, but for that with which
// passes say that the memory is used up.
func compile(g *graph.Graph, opt Options) (p *Plan, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*graph.MemoryError)
			if !ok {
				panic(r)
			}
			p, err = nil, e
		}
	}()
	if len(g.Nodes) > maxNodes {
		return nil, fmt.Errorf("%d nodes, at most %d are supported", len(g.Nodes), maxNodes)
	}
	if err := ordered(g); err != nil {
		return nil, err
	}
	p = &Plan{cores: newCores()}
	budget := g.Budget
	if budget == nil {
		budget = graph.NewBudget(0)
	}
	shape, err := p.picture(g, opt)
	if err != nil {
		return nil, err
	}
	m := infer(g, p.Input, shape, budget)
	m.nhwcInput = p.NHWC
	f, err := m.feature(opt.Layer)
	if err != nil {
		return nil, err
	}
	if p.net, err = m.lower(f); err != nil {
		return nil, err
	}
	p.Feature, p.Cut = f.value, f.cut
	p.count(m, f)
	p.net.patterns()
	p.net.layout()
	p.net.fuse()
	p.batchable = p.net.batches()
	if err := p.featureShape(); err != nil {
		return nil, err
	}
	p.group = p.groupSize()
	if opt.BF16 {
		p.net.narrow(opt.BF16All)
	}
	p.net.choosePlanar()
	p.net.gates()
	p.net.chains()
	if p.bufs, p.arena, err = p.net.allocate(); err != nil {
		return nil, err
	}
	if p.bufs[p.net.output.id] == nil {
		return nil, fmt.Errorf("the feature %s is the picture itself", graph.Name(f.value))
	}
	room, err := p.check()
	if err != nil {
		return nil, err
	}
	p.net.chooseWinograd()
	p.PeakBytes = p.peak(room)
	if err := p.net.budget.Take(p.PeakBytes, "a run of one picture"); err != nil {
		return nil, err
	}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	return p, nil
}

// check makes sure that generic operators run as planned, for other batches too. It
// returns the bytes that the largest takes for itself.
func (p *Plan) check() (room int64, err error) {
	if !slices.ContainsFunc(p.net.nodes, func(n *node) bool { _, ok := n.op.(*genericOp); return ok }) {
		return 0, nil
	}
	if p.batchable {
		if _, err := p.bind(2*p.net.base + 1); err != nil {
			p.batchable = false
		}
	}
	s, err := p.bind(p.unit())
	if err != nil {
		return 0, err
	}
	for _, b := range s.bound {
		if b.kernel != nil {
			room = max(room, b.kernel.Workspace)
		}
	}
	return room, nil
}

// picture finds the graph's input and the shape to compile for.
func (p *Plan) picture(g *graph.Graph, opt Options) ([]int, error) {
	if len(g.Inputs) != 1 {
		return nil, fmt.Errorf("the model has %d inputs; a network for pictures has one", len(g.Inputs))
	}
	in := g.Inputs[0]
	s := slices.Clone(in.Shape)
	if s == nil { // even the rank is open
		s = []int{-1, -1, -1, -1}
	}
	if in.Type != graph.Float || len(s) != 4 {
		return nil, fmt.Errorf("input %s, of shape %v, is no input of four dimensions for pictures in float32", graph.Name(in.Name), s)
	}
	p.Input = in.Name
	// Channels are 3, or few at least; TensorFlow puts them last.
	few := func(d int) bool { return d == 1 || d == 3 || d == 4 }
	p.NHWC = few(s[3]) && !few(s[1])
	c, h, w := &s[1], &s[2], &s[3]
	if p.NHWC {
		h, w, c = &s[1], &s[2], &s[3]
	}
	or := func(d *int, v, def int) {
		if *d < 0 {
			if *d = v; v == 0 {
				*d = def
			}
		}
	}
	or(c, 3, 3)
	or(h, opt.Height, 224)
	or(w, opt.Width, 224)
	p.Batch = max(s[0], 0)
	s[0] = max(s[0], 1)
	for _, d := range s {
		if d < 1 || d > maxPixels/max(*c, 1) {
			return nil, fmt.Errorf("input %s has the shape %v", graph.Name(in.Name), in.Shape)
		}
	}
	if *h**w > maxPixels / *c || s[0] > 1024 {
		return nil, fmt.Errorf("input %s of shape %v is too large", graph.Name(in.Name), s)
	}
	p.Channels, p.Height, p.Width = *c, *h, *w
	return s, nil
}

// count fills in multiply-adds and parameters of what f needs.
func (p *Plan) count(m *model, f feature) {
	for _, n := range p.net.nodes {
		out := int64(n.out[0].len())
		switch o := n.op.(type) {
		case *convOp:
			p.MultiplyAdds += out * int64(o.w.Len()) / int64(n.out[0].shape[3])
		case *denseOp:
			p.MultiplyAdds += out * int64(o.k)
		}
	}
	p.MultiplyAdds /= int64(p.net.base)
	seen := map[string]bool{}
	need := m.ancestors(f.value)
	for _, n := range m.g.Nodes {
		if !need[n] {
			continue
		}
		for i, name := range n.Inputs {
			t := m.g.Init[name]
			statistics := n.Op == "BatchNormalization" && i >= 3
			if t != nil && t.Type == graph.Float && len(t.Shape) > 0 && !seen[name] && !statistics {
				seen[name] = true
				p.Parameters += int64(t.Len())
			}
		}
	}
}

// featureShape finds the shape of the feature of one picture.
func (p *Plan) featureShape() error {
	s, base := p.net.output.shape, p.net.base
	switch {
	case len(s) > 0 && s[0] == base:
		p.FeatureShape = slices.Clone(s[1:])
	case base == 1:
		p.FeatureShape = slices.Clone(s)
	case len(s) > 0 && s[0]%base == 0 && p.batchable:
		p.FeatureShape = slices.Clone(s)
		p.FeatureShape[0] /= base
	default:
		return fmt.Errorf("the feature %s is %v for %d pictures: it is not made of one part for each", graph.Name(p.Feature), s, base)
	}
	return nil
}

// A preparer is an operator that gets its constants ready once, after all passes:
// it says to p what is to be packed.
type preparer interface{ prepare(p *packing.Packer) }

// Batchable reports whether any number of pictures can go through together.
func (p *Plan) Batchable() bool { return p.batchable }

// prepare packs weights: it is most of the time that opening a network takes.
func (p *Plan) prepare() error {
	var packer packing.Packer
	largest, name := int64(0), ""
	for _, n := range p.net.nodes {
		before := packer.Bytes()
		n.prepare(&packer)
		if size := packer.Bytes() - before; size > largest || name == "" {
			largest, name = size, n.name
		}
	}
	if err := p.net.budget.Take(packer.Bytes(), "what weights are packed in, most of it for "+graph.Name(name)+","); err != nil {
		return err
	}
	p.WeightBytes = packer.Bytes() + p.net.kept()
	p.net.budget = nil // a plan does not grow
	return packer.Run()
}
