package plan

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzCompile breaks networks at random: attributes, constants, operators and
// edges. Compile must refuse them or make a plan that runs.
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
		layer := []string{"", Pooled, Map, "v2", "Conv1"}[m.pick(5)]
		bf16 := m.pick(3) == 1
		for len(m.choices) > 0 {
			m.damage()
		}
		p, err := compile(g, Options{Layer: layer, BF16: bf16, BF16All: bf16})
		if err != nil {
			return
		}
		if p.net.input.len() > 1<<16 || p.arena > 1<<22 || p.MultiplyAdds > 1<<26 {
			return
		}
		x := make([]float32, 3*p.net.input.len()/p.net.base)
		if _, err := p.features(3, x, 2); err != nil {
			t.Logf("%v", err)
		}
	})
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
				t.F[m.pick(len(t.F))] = inf
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
