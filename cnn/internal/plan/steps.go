package plan

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels"
)

// A Step is one operator of a plan, as people read it. Shapes and sizes are those of
// one picture, or of the exporter's batch where pictures do not go through one by
// one.
type Step struct {
	Node      string   `json:"node,omitempty"`  // name of the ONNX node that it comes from; "" for none
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

	MultiplyAdds int64 `json:"multiply_adds"`
}

// describe fills in the steps, and their multiply-adds for one picture.
func (p *Plan) describe() {
	unit := p.Unit()
	for _, n := range p.Nodes {
		y := n.Out[0]
		s := Step{Node: n.Name, Precision: "float32", Output: p.Shape(y, unit), Memory: p.memory(n)}
		if n.BF16 {
			s.Precision = "bf16"
		}
		s.Operator, s.Kernel, s.Fused = describe(n)
		for _, v := range n.In {
			if v != nil && v.Data == nil {
				s.Inputs = append(s.Inputs, p.Shape(v, unit))
			}
		}
		t := graph.Tensor{Type: y.Type, Shape: s.Output}
		if s.Bytes = t.Bytes(); y.BF16 {
			s.Bytes /= 2
		}
		if s.Memory == "buffer" || s.Memory == "in place" {
			s.Offset = 4 * int64(y.Buffer.Off*unit)
		}
		adds := int64(n.Op.multiplyAdds(n))
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

// describe returns the words for n that do not depend on the plan.
func describe(n *Node) (what, kernel string, fused []string) {
	what, kernel, fused = n.Op.describe(n)
	f := n.Op.fuses()
	if f.residual != nil { // a linear operator
		if len(*f.scale) > 0 {
			fused = append(fused, "scale")
		}
		if len(*f.shift) > 0 {
			fused = append(fused, "bias")
		}
		if *f.residual {
			fused = append(fused, "residual")
		}
	}
	if f.act != nil && f.act.F != kernels.ActNone {
		fused = append(fused, f.act.String())
	}
	return what, kernel, fused
}
