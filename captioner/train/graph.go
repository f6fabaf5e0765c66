package train

import (
	"github.com/onetomany/caption/captioner"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	// Gorgonia's tensors refuse to start on a Go release that this package has
	// not heard of; go.mod asks for one that lets all pass.
	_ "go4.org/unsafe/assume-no-moving-gc"
)

// model is the training graph of a decoder:
//
//	Embed, FirstW, FirstB (, EveryW, EveryB) → inputs → x [rows,E]
//	x, Wx, Wh, B (, BHn)                     → recurrent → h [rows,H]
//	h, OutW, OutB                            → crossEntropy → loss
//
// Its parameters share the memory of the decoder's weights.
type model struct {
	graph  *G.ExprGraph
	batch  *batch
	params G.Nodes
	loss   *crossEntropy
}

// newModel builds the graph for batches of at most rows rows.
func newModel(d *captioner.Decoder, rows int, smooth float64, threads int) (*model, error) {
	c, err := cellOf(d.Cell)
	if err != nil {
		return nil, err
	}
	m := &model{graph: G.NewGraph(), batch: new(batch)}
	node := map[string]*G.Node{}
	for _, w := range weights(d) {
		t := tensor.New(tensor.WithShape(w.shape...), tensor.WithBacking(w.data))
		n := G.NewTensor(m.graph, tensor.Float32, len(w.shape), G.WithShape(w.shape...), G.WithName(w.name), G.WithValue(t))
		node[w.name] = n
		m.params = append(m.params, n)
	}
	in := G.Nodes{node["Embed"], node["FirstW"], node["FirstB"]}
	if d.Entry == captioner.Every {
		in = append(in, node["EveryW"], node["EveryB"])
	}
	x, err := G.ApplyOp(newInputs(m.batch, d.Entry == captioner.Every, rows, d.D, d.E, threads), in...)
	if err != nil {
		return nil, err
	}
	in = G.Nodes{x, node["Wx"], node["Wh"], node["B"]}
	if d.Cell == captioner.GRU {
		in = append(in, node["BHn"])
	}
	h, err := G.ApplyOp(newRecurrent(m.batch, c, rows, d.E, d.H, threads), in...)
	if err != nil {
		return nil, err
	}
	m.loss = newCrossEntropy(m.batch, d.H, d.V, smooth, threads)
	_, err = G.ApplyOp(m.loss, h, node["OutW"], node["OutB"])
	return m, err
}

// run computes the loss of the current batch and adds its gradients to those of
// the parameters. Gorgonia's lisp machine runs the operators forward and then
// their derivatives backward; its tape machine is not used, for it gives values
// that are still needed to others (gorgonia issue 576). A machine runs once.
func (m *model) run() (float64, error) {
	vm := G.NewLispMachine(m.graph)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		return 0, err
	}
	return m.loss.loss, nil
}
