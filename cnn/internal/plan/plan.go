// Package plan compiles an ONNX graph into a plan: data that say how to compute the
// features of pictures. Package exec runs it.
//
// Compile goes through these stages, a file each:
//
//	infer    shapes and constants for the picture's size, by package ops
//	cut      the value to stop at: the classifier is found by structure
//	lower    ONNX nodes become operators of this package, channels last
//	pattern  activations and normalisations that exporters write as several nodes
//	layout   transpositions move until they cancel
//	fuse     constants go into weights, sums and activations into epilogues
//	pictures whether any number of pictures can go through together
//	precision  what is stored as bf16, where that is asked for
//	op_gate  products with a number for each channel scale a matrix instead
//	op_chain blocks of MobileNets become one operator, band by band
//	memory   buffers by lifetime
//	op_conv  which convolutions go by Winograd
//	steps    the plan in words
//
// Operators without a rule to lower them run as package op binds them.
package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/mmap"
)

// Options say what to compile.
type Options struct {
	Layer         string // Pooled (also ""), Map, or the name of a node or value
	Height, Width int    // of pictures where the model leaves them open; 0 for 224
	BF16          bool   // compute on bf16, sums in float32
	BF16All       bool   // also where little is gained or much precision lost; for tests
}

// A Plan is a compiled network as data: package exec packs its weights and runs it.
type Plan struct {
	Net
	Arena     int  // floats of the buffers of one picture
	Batchable bool // any number of pictures can go through together
	Group     int  // times Unit pictures go through together, at most

	Info
	Steps []Step
}

// Info describes a plan.
type Info struct {
	InputName               string
	Channels, Height, Width int
	NHWC                    bool
	Batch                   int // fixed by the exporter, 0 where open

	Feature      string
	FeatureShape []int // of one picture: [D], or [H,W,C] for a map
	Cut          []string

	MultiplyAdds, Parameters int64
	PeakBytes                int64 // what a run of one picture takes besides the weights, on one thread
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

// Compile plans the network of g up to the feature that opt names. The plan refers to
// the weights of g until package exec has packed them. A graph can break the rules of
// its operators in more ways than are foreseen: a panic is an error.
func Compile(g *graph.Graph, opt Options) (p *Plan, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *graph.MemoryError: // see Net.take
			p, err = nil, r
		default:
			p, err = nil, fmt.Errorf("an operator breaks the rules of ONNX: %v", r)
		}
	}()
	err = mmap.Guard(func() error {
		p, err = compile(g, opt)
		return err
	})
	return p, err
}

func compile(g *graph.Graph, opt Options) (p *Plan, err error) {
	if len(g.Nodes) > maxNodes {
		return nil, fmt.Errorf("%d nodes, at most %d are supported", len(g.Nodes), maxNodes)
	}
	if err := ordered(g); err != nil {
		return nil, err
	}
	p = &Plan{}
	budget := g.Budget
	if budget == nil {
		budget = graph.NewBudget(0)
	}
	shape, err := p.picture(g, opt)
	if err != nil {
		return nil, err
	}
	m := infer(g, p.InputName, shape, budget)
	m.nhwcInput = p.NHWC
	f, err := m.feature(opt.Layer)
	if err != nil {
		return nil, err
	}
	if err := m.lower(f, &p.Net); err != nil {
		return nil, err
	}
	p.Feature, p.Cut, p.Parameters = f.value, f.cut, m.parameters(f)
	p.patterns()
	p.layout()
	p.fuse()
	p.Batchable = p.findPictures()
	if err := p.featureShape(); err != nil {
		return nil, err
	}
	p.Group = 1
	if p.Batchable {
		p.Group = p.groupSize()
	}
	p.choosePrecision(opt.BF16, opt.BF16All)
	p.gates()
	p.chains()
	if err := p.allocate(); err != nil {
		return nil, err
	}
	if p.Output.Buffer == nil {
		return nil, fmt.Errorf("the feature %s is the picture itself", graph.Name(f.value))
	}
	generic, err := p.checkGeneric()
	if err != nil {
		return nil, err
	}
	p.chooseWinograd()
	p.PeakBytes = p.peak(generic)
	if err := p.Budget.Take(p.PeakBytes, "a run of one picture"); err != nil {
		return nil, err
	}
	p.describe()
	return p, nil
}

// Unit returns the least number of pictures that go through the network.
func (p *Plan) Unit() int {
	if p.Batchable {
		return 1
	}
	return p.Base
}

// Shape returns the shape of v for n pictures.
func (p *Plan) Shape(v *Value, n int) []int {
	shape := slices.Clone(v.Shape)
	if p.Batchable {
		shape[v.Pictures] = shape[v.Pictures] / p.Base * n
	}
	return shape
}

// checkGeneric makes sure that operators of package ops run as planned; where they do
// not for other batches, the plan is not Batchable. It returns the bytes that the
// largest takes for itself.
func (p *Plan) checkGeneric() (largest int64, err error) {
	bind := func(pictures int) error {
		for _, n := range p.Nodes {
			if o, ok := n.Op.(*Generic); ok {
				k, err := o.Bind(p, n, pictures)
				if err != nil {
					return err
				}
				largest = max(largest, k.Workspace)
			}
		}
		return nil
	}
	p.Batchable = p.Batchable && bind(2*p.Base+1) == nil
	largest = 0
	err = bind(p.Unit())
	return largest, err
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
	p.InputName = in.Name
	// Channels are 3, or few at least; TensorFlow puts them last.
	few := func(d int) bool { return d == 1 || d == 3 || d == 4 }
	p.NHWC = few(s[3]) && !few(s[1])
	c, h, w := &s[1], &s[2], &s[3]
	if p.NHWC {
		h, w, c = &s[1], &s[2], &s[3]
	}
	p.Batch = max(s[0], 0)
	s[0] = max(s[0], 1)
	open := [...]int{3, cmp.Or(opt.Height, 224), cmp.Or(opt.Width, 224)}
	for i, d := range []*int{c, h, w} {
		if *d < 0 {
			*d = open[i]
		}
	}
	if slices.Min(s) < 1 || slices.Max(s) > maxPixels / *c {
		return nil, fmt.Errorf("input %s has the shape %v", graph.Name(in.Name), in.Shape)
	}
	if *h**w > maxPixels / *c || s[0] > 1024 {
		return nil, fmt.Errorf("input %s of shape %v is too large", graph.Name(in.Name), s)
	}
	p.Channels, p.Height, p.Width = *c, *h, *w
	return s, nil
}

// parameters counts the parameters that f needs.
func (m *model) parameters(f feature) (total int64) {
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
				total += int64(t.Len())
			}
		}
	}
	return total
}

// featureShape finds the shape of the feature of one picture.
func (p *Plan) featureShape() error {
	s, base := p.Output.Shape, p.Base
	switch {
	case len(s) > 0 && s[0] == base:
		p.FeatureShape = slices.Clone(s[1:])
	case base == 1:
		p.FeatureShape = slices.Clone(s)
	case len(s) > 0 && s[0]%base == 0 && p.Batchable:
		p.FeatureShape = slices.Clone(s)
		p.FeatureShape[0] /= base
	default:
		return fmt.Errorf("the feature %s is %v for %d pictures: it is not made of one part for each", graph.Name(p.Feature), s, base)
	}
	return nil
}
