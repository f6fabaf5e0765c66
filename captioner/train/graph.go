package train

import (
	"strings"

	"github.com/onetomany/caption/captioner"
	"github.com/onetomany/caption/captioner/rnn"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	// Gorgonia's tensors refuse to start on a Go release that this package has
	// not heard of; go.mod asks for one that lets all pass.
	_ "go4.org/unsafe/assume-no-moving-gc"
)

// graph computes the loss of a decoder and its gradients:
//
//	Embed, FirstW, FirstB (, EveryW, EveryB) → inputs → x [rows,E]
//	x, Wx, Wh, B (, BHn)                     → recurrent → h [rows,H]
//	h, OutW, OutB                            → crossEntropy → loss
//
// Its parameters share the memory of the decoder's weights.
type graph struct {
	expr   *G.ExprGraph
	batch  *batch
	params G.Nodes // in the order of learnt
	loss   *crossEntropy
}

// newGraph builds the graph for batches of at most rows rows.
func newGraph(d *captioner.Decoder, rows int, smooth float64, threads int) (*graph, error) {
	g := &graph{expr: G.NewGraph(), batch: new(batch)}
	part := map[string]G.Nodes{} // by the first part of the name
	for _, p := range learnt(d.Form) {
		shape := d.Shape(p)
		t := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(d.Weights[p.Name]))
		n := G.NewTensor(g.expr, tensor.Float32, len(shape), G.WithShape(shape...), G.WithName(p.Symbol), G.WithValue(t))
		name, _, _ := strings.Cut(p.Name, ".")
		part[name] = append(part[name], n)
		g.params = append(g.params, n)
	}
	newOp := func(name string, shape tensor.Shape, in ...*G.Node) op {
		return op{name: name, in: in, shape: shape, b: g.batch, threads: threads}
	}
	x, err := apply(newInputs(newOp("inputs", tensor.Shape{rows, d.E}, append(part["embed"], part["image"]...)...), d.Form))
	if err != nil {
		return nil, err
	}
	h, err := apply(newRecurrent(newOp("recurrent", tensor.Shape{rows, d.H}, append(G.Nodes{x}, part["cell"]...)...), rnn.Find(string(d.Cell)), d.Form))
	if err != nil {
		return nil, err
	}
	g.loss = &crossEntropy{op: newOp("crossEntropy", tensor.ScalarShape(), append(G.Nodes{h}, part["out"]...)...), h: d.H, v: d.V, smooth: smooth}
	_, err = apply(g.loss)
	return g, err
}

// run computes the loss of the current batch and adds its gradients to those of
// the parameters. Gorgonia's lisp machine runs the operators forward and then
// their derivatives backward. Its tape machine is not used, for it reuses the memory
// of values that are still needed (gorgonia issue 576). A machine runs once.
func (g *graph) run() (float64, error) {
	vm := G.NewLispMachine(g.expr)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		return 0, err
	}
	return g.loss.loss, nil
}
