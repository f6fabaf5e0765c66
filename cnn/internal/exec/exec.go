// Package exec runs the plans of package plan: it packs their weights, keeps the
// memory that runs take, and shares the processors among runs. step.go lists what
// runs each operator.
package exec

import (
	"fmt"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/cnn/internal/plan"
	"github.com/onetomany/caption/internal/packing"
)

// A Program is a plan whose weights are packed. It is immutable and safe for
// concurrent use.
type Program struct {
	plan  *plan.Plan
	steps []step // of plan.Nodes
	cores cores
	pool  statePool

	WeightBytes int64 // what is kept: packed weights and other constants
}

// Prepare packs the weights of p, which takes most of the time of opening a network.
// The model file can be closed then. Weights are taken out of p: it cannot be prepared
// twice.
func Prepare(p *plan.Plan) (x *Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			x, err = nil, fmt.Errorf("an operator breaks the rules of ONNX: %v", r)
		}
	}()
	x = &Program{plan: p, cores: newCores()}
	var packer packing.Packer
	largest, name := int64(0), ""
	for _, n := range p.Nodes {
		before := packer.Bytes()
		st := newStep(n, &packer)
		if st.run == nil && st.part == nil {
			return nil, fmt.Errorf("no step runs the operator %T", n.Op)
		}
		x.steps = append(x.steps, st)
		if size := packer.Bytes() - before; size > largest || name == "" {
			largest, name = size, n.Name
		}
	}
	if err := p.Budget.Take(packer.Bytes(), "what weights are packed in, most of it for "+graph.Name(name)+","); err != nil {
		return nil, err
	}
	err = packer.Run()
	x.WeightBytes = packer.Bytes() + p.ReleaseWeights()
	p.Budget = nil // a program does not grow
	return x, err
}
