// Package exec runs plans: it packs their weights, keeps the memory that runs take,
// and shares the processors among them. What runs each operator of package plan is
// listed in step.go.
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
	pool  pool

	WeightBytes int64 // what is kept: packed weights and other constants
}

// Prepare packs the weights of p, which is most of the time that opening a network
// takes; the graph that p comes from can be closed then. It takes them out of p,
// which must not be prepared twice.
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
		if st == nil {
			return nil, fmt.Errorf("nothing runs the operator %T", n.Op)
		}
		x.steps = append(x.steps, st)
		if size := packer.Bytes() - before; size > largest || name == "" {
			largest, name = size, n.Name
		}
	}
	if err := p.Budget.Take(packer.Bytes(), "what weights are packed in, most of it for "+graph.Name(name)+","); err != nil {
		return nil, err
	}
	x.WeightBytes = packer.Bytes() + p.Kept()
	p.Budget = nil // a program does not grow
	return x, packer.Run()
}
