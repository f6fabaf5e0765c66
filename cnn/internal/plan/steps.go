package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A Step describes one operator of a plan to people. Shapes and numbers are for one
// picture, or for the exporter's batch where pictures do not go through one by one.
type Step struct {
	Node      string   `json:"node,omitempty"`  // name of the ONNX node that it comes from
	Operator  string   `json:"operator"`        // with what is particular to it: "convolution 3×3 stride 2,2"
	Fused     []string `json:"fused,omitempty"` // what was merged into it, in the order of computation
	Kernel    string   `json:"kernel"`          // what computes it
	Precision string   `json:"precision"`       // what it computes on: float32 or bf16
	Inputs    [][]int  `json:"inputs"`          // shapes, without constants
	Output    []int    `json:"output"`          // shape

	// Memory is where the output lies: in a "buffer" of the memory that runs keep, at
	// Offset; there "in place" of an input; as a "view" of an input; in the "result"
	// of the run; or on its "own", as integers do. Bytes is its size.
	Memory string `json:"memory"`
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"`

	MultiplyAdds int64 `json:"multiply_adds"` // 0 for general operators, whose are not counted
}

// describe fills in the steps, and their multiply-adds for one picture.
func (p *Plan) describe() {
	unit := p.Unit()
	shapes := make([][]int, p.Values) // those that are known, by id
	shape := func(v *Value) []int {
		if shapes[v.ID] == nil {
			shapes[v.ID] = p.Shape(v, unit)
		}
		return shapes[v.ID]
	}
	p.Steps = make([]Step, 0, len(p.Nodes))
	for _, n := range p.Nodes {
		y, w := n.Out[0], n.words()
		s := Step{Node: n.Name, Operator: w.what, Kernel: w.kernel, Fused: n.fused(), Precision: "float32", Output: shape(y), Memory: p.memory(n)}
		for _, v := range n.In {
			if v != nil && v.Data == nil {
				s.Inputs = append(s.Inputs, shape(v))
			}
		}
		if n.BF16 {
			s.Precision = "bf16"
		}
		if s.Bytes = (&graph.Tensor{Type: y.Type, Shape: s.Output}).Bytes(); y.BF16 {
			s.Bytes /= 2
		}
		if s.Memory == "buffer" || s.Memory == "in place" {
			s.Offset = 4 * int64(y.Buffer.Off*unit)
		}
		adds := int64(n.Op.multiplyAdds(n))
		for _, part := range n.Op.parts() {
			adds += int64(part.Op.multiplyAdds(part))
			s.Fused = append(s.Fused, strings.Join(append([]string{part.words().what}, part.fused()...), " + "))
		}
		s.MultiplyAdds = adds * int64(unit) / int64(p.Base)
		p.MultiplyAdds += adds
		p.Steps = append(p.Steps, s)
	}
	p.MultiplyAdds /= int64(p.Base)
}

// memory says where the output of n lies.
func (p *Plan) memory(n *Node) string {
	b := n.Out[0].Buffer
	_, view := n.Op.(*Reshape)
	switch {
	case n.Out[0].Type != graph.Float:
		return "own"
	case view:
		return "view"
	case b == p.Output.Buffer:
		return "result"
	case slices.ContainsFunc(n.In, func(v *Value) bool { return v != nil && v.Buffer == b }):
		return "in place"
	}
	return "buffer"
}

// words returns what n's operator says of itself, completed by the usual words.
func (n *Node) words() words {
	w := n.Op.words(n)
	if w.what == "" {
		w.what = strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", n.Op), "*plan."))
	}
	w.kernel = cmp.Or(w.kernel, "vector")
	return w
}

// fused lists what was merged into n, but for its parts.
func (n *Node) fused() (list []string) {
	add := func(is bool, what string) {
		if is {
			list = append(list, what)
		}
	}
	fused, f := n.Op.words(n).fused, n.Op.fuses()
	add(fused != "", fused)
	if f.weights != nil {
		add(len(*f.scale) > 0, "scale")
		add(len(*f.shift) > 0, "bias")
		add(*f.residual, "residual")
	}
	if f.act != nil {
		add(f.act.F != vmath.ActNone, inWords(*f.act))
	}
	return list
}
