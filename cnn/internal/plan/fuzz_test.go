package plan_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/cnn/internal/tensor"
)

// FuzzCompile breaks networks at random: attributes, constants, operators and
// edges. plan.Compile must refuse them or make a plan that gives what package ops makes
// of the network node by node, or fails where that does.
func FuzzCompile(f *testing.F) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(5, seed))
		choices := make([]byte, 30+r.IntN(100))
		for i := range choices {
			choices[i] = byte(r.Uint32())
		}
		f.Add(choices, choices[:r.IntN(12)])
	}
	f.Fuzz(func(t *testing.T, choices, breaks []byte) {
		g, _ := network(choices)
		m := &maker{choices: breaks, g: g}
		layer := []string{"", plan.Pooled, plan.Map, "v2", "Conv1"}[m.pick(5)]
		bf16 := m.pick(3) == 1
		for len(m.choices) > 0 {
			m.damage()
		}
		p, err := prepare(plan.CompileUnguarded(g, plan.Options{Layer: layer, BF16: bf16, BF16All: bf16}))
		if err != nil {
			if strings.Contains(err.Error(), "breaks the rules") {
				t.Error(err) // a panic
			}
			return
		}
		if p.Input.Len() > 1<<16 || p.Arena > 1<<22 || p.MultiplyAdds > 1<<26 {
			return
		}
		x := make([]float32, pictures*p.Input.Len()/p.Base)
		r := rand.New(rand.NewPCG(6, 7))
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		got, err := p.features(pictures, x, 2)
		if got, want := err != nil, wrong(t, g, p, x, got, bf16); (got && want == "") || (!got && want != "") {
			t.Errorf("%s (error %v)\n%s\n%s", want, err, describe(g), dump(p))
		}
	})
}

const pictures = 3

// wrong says what is wrong with got, the features of the pictures x by p, "" for
// nothing: by the network node by node, in batches of the exporter's size.
func wrong(t *testing.T, g *graph.Graph, p *compiled, x, got []float32, bf16 bool) string {
	base := p.Base
	per, feature := len(x)/pictures, len(got)/pictures
	x = slices.Concat(x, make([]float32, (base-pictures%base)%base*per)) // filled up
	shape := []int{base, p.Channels, p.Height, p.Width}
	var d, norm, most float64
	for i := 0; i*per < len(x); i += base {
		batch, shape := x[i*per:][:base*per], shape
		if p.NHWC {
			batch, shape = plan.Transposed(batch, shape, plan.ToNHWC), tensor.Permuted(shape, plan.ToNHWC)
		}
		y, largest, err := slowly(g, p.Feature, shape, batch)
		if err != nil {
			return err.Error()
		}
		if y == nil || math.IsInf(largest, 0) {
			return "" // what package ops cannot tell
		}
		most = max(most, largest)
		for j, v := range inLayout(g, p, y)[:min(base, pictures-i)*feature] {
			d += math.Pow(float64(got[i*feature+j])-float64(v), 2)
			norm += math.Pow(float64(v), 2)
		}
	}
	tolerance := 1e-3
	if bf16 {
		tolerance = 0.3
	}
	// Differences of large numbers have few digits.
	if d, limit := math.Sqrt(d), tolerance*(math.Sqrt(norm)+1e-3*most+1e-3); !(d <= limit) {
		return fmt.Sprintf("it is off by %.3g, with numbers of %.3g and %.3g", d, math.Sqrt(norm), most)
	}
	return ""
}

// jumps holds operators that make much of a little.
var jumps = map[string]bool{"Floor": true, "Ceil": true, "Round": true, "Sign": true, "Mod": true, "Equal": true, "Greater": true,
	"GreaterOrEqual": true, "Less": true, "LessOrEqual": true, "Where": true, "ArgMax": true, "ArgMin": true, "Hardmax": true, "IsNaN": true, "IsInf": true, "Cast": true}

// slowly computes value out of g node by node. It returns the largest magnitude on
// the way, infinite where rounding may become anything; nil for a value that it
// cannot compute; and the error of a node that out needs.
func slowly(g *graph.Graph, out string, shape []int, x []float32) (y *graph.Tensor, largest float64, err error) {
	vals := maps.Clone(g.Init)
	vals["x"] = &graph.Tensor{Type: graph.Float, Shape: shape, F: x}
	failed := map[string]error{}
	for _, n := range g.Nodes {
		var in []*graph.Tensor
		var err error
		for _, name := range n.Inputs {
			if vals[name] == nil && name != "" {
				err = cmp.Or(failed[name], errUnknown)
			}
			in = append(in, vals[name])
		}
		if n.Op == "SplitToSequence" || n.Op == "SequenceAt" {
			err = errUnknown
		}
		var y []*graph.Tensor
		if err == nil {
			y, err = op.Eval(n, g.Opset, in)
		}
		for i, name := range n.Outputs {
			if err != nil {
				failed[name] = err
				continue
			}
			vals[name] = y[i]
			for _, v := range y[i].F {
				if largest = max(largest, math.Abs(float64(v))); math.IsNaN(float64(v)) || v != 0 && math.Abs(float64(v)) < 1e-30 {
					largest = math.Inf(1)
				}
			}
			if jumps[n.Op] || largest > 1e15 {
				largest = math.Inf(1)
			}
		}
		if slices.Contains(n.Outputs, out) {
			break
		}
	}
	if err := failed[out]; err == errUnknown {
		return nil, 0, nil
	} else if err != nil {
		return nil, 0, err
	}
	return vals[out], largest, nil
}

var errUnknown = errors.New("not known")

// inLayout returns y, the value of g that is p's feature, as p gives it.
func inLayout(g *graph.Graph, p *compiled, y *graph.Tensor) []float32 {
	if len(y.Shape) != 4 || tensor.Size(y.Shape[2:]) == 1 {
		return y.F
	}
	if plane := tensor.Size(y.Shape[2:]); len(y.F) == plane*p.Base*tensor.Size(p.FeatureShape) { // the average over the picture
		v := make([]float32, len(y.F)/plane)
		for i := range v {
			sum := 0.0
			for _, x := range y.F[i*plane:][:plane] {
				sum += float64(x)
			}
			v[i] = float32(sum / float64(plane))
		}
		return v
	}
	for _, n := range g.Nodes {
		if slices.Contains(n.Outputs, p.Feature) && n.Op == "Transpose" && slices.Equal(n.Ints("perm"), plan.ToNHWC) {
			return y.F
		}
	}
	return plan.Transposed(y.F, y.Shape, plan.ToNHWC)
}

// damage changes one thing of the network.
func (m *maker) damage() {
	if len(m.g.Nodes) == 0 {
		m.choices = nil
		return
	}
	n := m.g.Nodes[m.pick(len(m.g.Nodes))]
	numbers := []int64{0, 1, 2, 3, 5, -1, -2, 7, 64, 1 << 20, 1<<31 - 1, 1 << 40, -1 << 63, 1<<63 - 1}
	switch m.pick(8) {
	case 0: // an attribute
		names := slices.Sorted(maps.Keys(n.Attrs))
		if len(names) > 0 {
			name := names[m.pick(len(names))]
			a := n.Attrs[name]
			a.I = numbers[m.pick(len(numbers))]
			a.Ints = slices.Clone(a.Ints)
			if len(a.Ints) > 0 {
				a.Ints[m.pick(len(a.Ints))] = a.I
			}
			n.Attrs = maps.Clone(n.Attrs)
			n.Attrs[name] = a
		}
	case 1: // a constant
		names := slices.Sorted(maps.Keys(m.g.Init))
		if len(names) > 0 {
			t := m.g.Init[names[m.pick(len(names))]]
			if len(t.I) > 0 {
				t.I[m.pick(len(t.I))] = numbers[m.pick(len(numbers))]
			}
			if len(t.F) > 0 {
				t.F[m.pick(len(t.F))] = float32(math.Inf(1))
			}
		}
	case 2: // an edge
		if len(n.Inputs) > 0 {
			names := slices.Sorted(maps.Keys(m.g.Init))
			for _, v := range m.g.Nodes {
				names = append(names, v.Outputs...)
			}
			names = append(names, "", "x")
			n.Inputs[m.pick(len(n.Inputs))] = names[m.pick(len(names))]
		}
	case 3: // inputs left out, or one too many
		if m.pick(2) == 0 {
			n.Inputs = n.Inputs[:m.pick(len(n.Inputs)+1)]
		} else {
			n.Inputs = append(n.Inputs, "x")
		}
	case 4:
		n.Op = m.g.Nodes[m.pick(len(m.g.Nodes))].Op
	case 5:
		ops := []string{"Conv", "Gemm", "MatMul", "Split", "Slice", "Gather", "Concat", "Pad", "Reshape", "Resize",
			"SplitToSequence", "SequenceAt", "CastLike", "Shape", "Expand", "Where", "MaxPool", "BatchNormalization"}
		n.Op = ops[m.pick(len(ops))]
	case 6: // the shape of a constant
		names := slices.Sorted(maps.Keys(m.g.Init))
		if len(names) > 0 {
			t := m.g.Init[names[m.pick(len(names))]]
			t.Shape = append([]int{1}, t.Shape...)
			if m.pick(2) == 0 {
				t.Shape = append(t.Shape[1:len(t.Shape):len(t.Shape)], 1)
			}
		}
	case 7: // an operator set of another time
		m.g.Opset = 7 + m.pick(18)
	}
}
