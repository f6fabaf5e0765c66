// Package rnn holds the recurrent cells, and what is known of the weights of a
// network before they have values.
//
// A recurrent network carries a state h from step to step, with the same weights
// at each of them:
//
//	h(t) = cell(Wx·x(t) + B, Wh·h(t−1), h(t−1))
//
// Wx and Wh are the matrices that are also written Wxh and Whh. A [Cell] computes
// on one row, that is one sequence at one step; the products with the matrices,
// which take nearly all the time, are done outside of it for many rows together.
// Package captioner writes sentences by Step, and captioner/train learns by
// Forward and Backward.
//
// A new cell is a file like gru.go, and a row of [Cells].
package rnn

import (
	"math/rand/v2"
	"slices"
)

// Cells are all cells.
var Cells = []*Cell{&vanilla, &lstm, &gru}

// Cell is a kind of recurrent cell. With H the size of its state and G the number
// of its gates, Wx is [G·H,E], Wh [G·H,H] and B [G·H]: a block of H rows for each
// gate.
type Cell struct {
	Name    string   // in files and on the command line
	Gates   []string // in the order of their rows
	Formula string   // for people

	// Split cells use Wx·x + B and Wh·h each by itself, and have one more bias,
	// BHn [H], which is added to the last gate of Wh·h. Others use the sum.
	Split bool

	// Memory cells have a second state, c.
	Memory bool

	// Bias is what B starts from, gate by gate; nil is 0.
	Bias []float32

	// Recurrent draws the first Wh; nil is FanIn.
	Recurrent Init

	// Step computes the state of the next step in place of H and C, and uses up
	// Pre and Rec. It is what Forward computes, rounded in another order.
	Step func(Row)

	// Forward computes H and C from PrevH and PrevC. It leaves the gates in Pre,
	// and in Aux what else Backward needs.
	Forward func(Row)

	// Backward is given what Forward leaves. It writes the gradients of Pre and
	// Rec, and turns those of H and C into those of PrevC and of PrevH, but for
	// what reaches PrevH by Rec.
	Backward func(Row, Gradient)
}

// Row is the memory of a cell for one row.
type Row struct {
	Pre          []float32 // [G·H] Wx·x + B, and Wh·h unless the cell is Split; then the gates
	Rec          []float32 // [G·H] Wh·h, with BHn; nil unless the cell is Split
	H, C         []float32 // [H] the state; C is for cells with Memory
	PrevH, PrevC []float32 // [H] the state of the step before; nil where that is zero
	Aux          []float32 // [H] for cells with Memory
}

// Gradient is the memory for the gradients of a Row, each of its length.
type Gradient struct{ Pre, Rec, H, C []float32 }

// Find returns the cell of this name, nil if there is none.
func Find(name string) *Cell {
	i := slices.IndexFunc(Cells, func(c *Cell) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return Cells[i]
}

// Params lists the weights of the cell.
func (c *Cell) Params() []Param {
	recurrent := c.Recurrent
	if recurrent == nil {
		recurrent = FanIn
	}
	ps := []Param{
		{Name: "cell.wx", Symbol: "Wx", Shape: []Dim{"G·H", "E"}, Init: FanIn, Doc: "from the input"},
		{Name: "cell.wh", Symbol: "Wh", Shape: []Dim{"G·H", "H"}, Init: recurrent, Doc: "from the state before"},
		{Name: "cell.b", Symbol: "B", Shape: []Dim{"G·H"}, Init: c.bias, Doc: "of all gates"},
	}
	if c.Split {
		ps = append(ps, Param{Name: "cell.bhn", Symbol: "BHn", Shape: []Dim{"H"}, Doc: "beside Wh·h, in the last gate"})
	}
	return ps
}

func (c *Cell) bias(b []float32, _ int, _ *rand.Rand) {
	h := len(b) / len(c.Gates)
	for gate, x := range c.Bias {
		for i := range h {
			b[gate*h+i] = x
		}
	}
}
