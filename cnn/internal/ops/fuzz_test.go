package ops_test

import (
	"flag"
	"maps"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/workers"
)

// FuzzBind spoils nodes of the test archives and runs what Bind lets pass:
// nothing may panic, and nothing small may take long.
func FuzzBind(f *testing.F) {
	nodes := sampleNodes(f)
	for i, n := range nodes {
		if i == 0 || n.node.Op != nodes[i-1].node.Op {
			f.Add(uint16(i), []byte{})
		}
	}
	f.Fuzz(func(t *testing.T, i uint16, d []byte) {
		nodes[int(i)%len(nodes)].spoil((*dice)(&d)).run(t)
	})
}

var hostileRounds = flag.Int("rounds", 20, "how often TestHostile spoils each node")

// TestHostile is FuzzBind on random numbers.
func TestHostile(t *testing.T) {
	nodes := sampleNodes(t)
	r := rand.NewChaCha8([32]byte{1})
	for _, n := range nodes {
		for range *hostileRounds {
			b := make(dice, 64)
			r.Read(b)
			n.spoil(&b).run(t)
		}
	}
}

func describeAll(in []*graph.Tensor) (v []string) {
	for _, t := range in {
		if t == nil {
			v = append(v, "nil")
		} else {
			v = append(v, t.String())
		}
	}
	return v
}

// small bounds the tensors that are made, in elements.
const small = 1 << 16

// sample is a node with its inputs.
type sample struct {
	node  *graph.Node
	opset int
	in    []*graph.Tensor
}

func sampleNodes(t testing.TB) (v []sample) {
	for _, file := range []string{"testdata/nodetests.zip", "testdata/ort.zip"} {
		cases := readCases(t, unzip(t, file)["cases.bin"])
		for _, name := range slices.Sorted(maps.Keys(cases)) {
			g := cases[name]
			if len(g.Nodes) != 1 {
				continue
			}
			values := map[string]*graph.Tensor{}
			for _, in := range g.Inputs {
				values[in.Name] = g.Init["in/"+in.Name]
			}
			v = append(v, sample{g.Nodes[0], g.Opset, inputsOf(g.Nodes[0], values)})
		}
	}
	return v
}

// run binds and, where the tensors are small, runs the node.
func (s *sample) run(t testing.TB) {
	defer func() {
		if e := recover(); e != nil {
			t.Fatalf("%+v on %s: %v\n%s", *s.node, describeAll(s.in), e, debug.Stack())
		}
	}()
	start := time.Now()
	k, err := op.Bind(s.node, s.opset, s.in)
	if err != nil {
		return
	}
	if k.Workspace > 1<<28 { // which callers have a budget for
		return
	}
	for _, x := range s.in {
		if x != nil && x.Len() > small {
			return
		}
	}
	for i, x := range s.in {
		if x != nil && !x.Known() {
			s.in[i] = graph.Alloc(x.Type, x.Shape)
		}
	}
	out := make([]*graph.Tensor, len(k.Out))
	for i, o := range k.Out {
		if o.Len() > small {
			return
		}
		out[i] = graph.Alloc(o.Type, o.Shape)
	}
	k.Run(s.in, out, workers.Threads(2))
	for i := range s.in {
		axes := slices.Repeat([]int{-1}, len(s.in))
		if s.in[i] != nil && len(s.in[i].Shape) > 0 {
			axes[i] = len(s.in[i].Shape) - 1
			op.Pictures(s.node, s.opset, s.in, axes)
		}
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("%+v on %s took %v", *s.node, describeAll(s.in), d)
	}
}

// dice decides by the bytes of a fuzzer; all further ones are 0.
type dice []byte

func (d *dice) n(n int) int {
	if len(*d) == 0 {
		return 0
	}
	v := int((*d)[0])
	*d = (*d)[1:]
	return v % n
}

// number returns a number of the kind that breaks programs.
func (d *dice) number() int64 {
	v := [...]int64{0, 1, 2, 3, 4, 5, 7, 8, 100, 1000, 1 << 15, 1 << 20, math.MaxInt32, 1 << 31, 1 << 32, 1 << 40,
		1 << 62, math.MaxInt64, math.MinInt64}
	x := v[d.n(len(v))]
	if d.n(3) == 0 {
		x = -x
	}
	return x
}

func (d *dice) float() float32 {
	v := [...]float32{0, 1, 0.5, -1, 1e-30, 1e30, 1e-42, 3e9, float32(math.Inf(1)), float32(math.NaN()), 1.0001, 0.1}
	return v[d.n(len(v))]
}

// spoil returns a copy of s in which some attributes and inputs have changed.
func (s sample) spoil(d *dice) *sample {
	n := *s.node
	n.Attrs = maps.Clone(n.Attrs)
	s.node, s.in = &n, slices.Clone(s.in)
	for range 1 + d.n(4) {
		switch d.n(8) {
		case 0, 1:
			s.spoilAttr(d)
		case 2:
			s.opset = 1 + d.n(op.NewestOpset)
		case 3:
			n.Outputs = slices.Repeat([]string{"y"}, d.n(4))
		case 4:
			s.in = slices.Insert(s.in, d.n(len(s.in)+1), nil)
		default:
			if len(s.in) > 0 {
				i := d.n(len(s.in))
				s.in[i] = spoilTensor(d, s.in[i])
			}
		}
	}
	return &s
}

func (s *sample) spoilAttr(d *dice) {
	names := slices.Sorted(maps.Keys(s.node.Attrs))
	if len(names) == 0 || d.n(4) == 0 {
		names = op.Get(s.node.Op).AttrNames()
	}
	if len(names) == 0 {
		return
	}
	if s.node.Attrs == nil {
		s.node.Attrs = map[string]graph.Attr{}
	}
	name := names[d.n(len(names))]
	a := s.node.Attrs[name]
	a.Ints, a.Floats = slices.Clone(a.Ints), slices.Clone(a.Floats)
	switch d.n(8) {
	case 0:
		delete(s.node.Attrs, name)
		return
	case 1:
		a.Ints = append(a.Ints, d.number())
	case 2:
		a.Ints = a.Ints[:len(a.Ints)/2]
	case 3:
		v := [...]string{"", "SAME_UPPER", "SAME_LOWER", "VALID", "cubic", "linear", "wrap", "CRD", "not_smaller", "tf_crop_and_resize"}
		a.S = v[d.n(len(v))]
	case 4:
		a.F = d.float()
		a.Floats = append(a.Floats, d.float())
		if len(a.Floats) > 1 {
			a.Floats[0] = d.float()
		}
	default:
		a.I = d.number()
		if len(a.Ints) > 0 {
			a.Ints[d.n(len(a.Ints))] = d.number()
		}
	}
	s.node.Attrs[name] = a
}

// filled returns a tensor with data, unless it is large.
func filled(t graph.DType, shape []int) *graph.Tensor {
	if n, err := tensor.Count(shape); err != nil || n > small {
		return &graph.Tensor{Type: t, Shape: shape}
	}
	return graph.Alloc(t, shape)
}

func spoilTensor(d *dice, t *graph.Tensor) *graph.Tensor {
	if t == nil {
		return graph.Alloc(graph.DType(1+d.n(3)), []int{d.n(4)})
	}
	c := *t
	c.Shape = slices.Clone(t.Shape)
	switch d.n(6) {
	case 0: // no data
		c.F, c.I, c.B = nil, nil, nil
	case 1: // another dimension
		if len(c.Shape) > 0 {
			c.Shape[d.n(len(c.Shape))] = int(d.number())
			c.F, c.I, c.B = nil, nil, nil
		}
	case 2: // small, with data
		if len(c.Shape) > 0 {
			c.Shape[d.n(len(c.Shape))] = d.n(4)
		}
		return filled(c.Type, c.Shape)
	case 3:
		c.Shape = append(c.Shape, 1)
	case 4:
		return filled(graph.DType(1+d.n(3)), c.Shape)
	default: // another value
		c.I, c.F = slices.Clone(t.I), slices.Clone(t.F)
		if len(c.I) > 0 {
			c.I[d.n(len(c.I))] = d.number()
		}
		if len(c.F) > 0 {
			c.F[d.n(len(c.F))] = d.float()
		}
	}
	return &c
}
