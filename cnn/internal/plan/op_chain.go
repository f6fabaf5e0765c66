package plan

import (
	"fmt"

	"github.com/onetomany/caption/cnn/internal/tensor"
)

// Chain is a block of MobileNets: a convolution that is a matrix product, or the
// first of the network; the depthwise convolution after it; and perhaps a matrix
// product after that. A few rows at a time go through all of them, so that the maps
// between, the largest of such networks, never leave the second-level cache. In[1] is
// the residual of Project, if it has one.
type Chain struct {
	common
	Expand    *Node // a Dense, or a Conv that is planar
	Depthwise *Node // a Conv
	Project   *Node // a Dense; nil for none

	Rows int // of the output of Depthwise, computed together
	Held int // of its input: rows that there is memory for
}

func init() { register(&Chain{}, nil) }

// chainFloats is the size, in floats, from which on a map before a depthwise
// convolution is worth a chain: smaller ones stay in the second-level cache, or
// nearly. chainCache is how much of it a chain keeps at a time. Tests lower both.
var (
	chainFloats = 256 << 10
	chainCache  = 192 << 10
)

// chains merges operators into chains where the map between is large.
func (g *Net) chains() {
	for _, n := range g.Nodes {
		depthwise, ok := n.Op.(*Conv)
		if !ok || !depthwise.Depthwise() || depthwise.Residual || n.BF16 {
			continue
		}
		first := g.sole(n.In[0], n)
		if first == nil || first.BF16 || n.In[0].Len()/g.Base < chainFloats {
			continue
		}
		switch o := first.Op.(type) {
		case *Dense:
			if o.Residual || o.Gated {
				continue
			}
		case *Conv:
			if !o.Planar {
				continue
			}
		default:
			continue
		}
		o := &Chain{Expand: first, Depthwise: n}
		c := &Node{Name: n.Name, Op: o, In: []*Value{first.In[0]}, Out: n.Out}
		if last := g.soleUser(n.Out[0]); last != nil {
			if d, ok := last.Op.(*Dense); ok && last.In[0] == n.Out[0] && !last.BF16 && !d.Gated {
				o.Project, c.Out = last, last.Out
				c.In = append(c.In, last.In[1:]...)
			}
		}
		o.band(depthwise)
		c.Out[0].def = c
	}
	g.link()
}

// Expanded and Filtered return the maps between the operators.
func (o *Chain) Expanded() *Value { return o.Expand.Out[0] }
func (o *Chain) Filtered() *Value { return o.Depthwise.Out[0] }

// band sets Rows and Held.
func (o *Chain) band(d *Conv) {
	line := tensor.Size(o.Expanded().Shape[2:])
	least := (d.KH-1)*d.DilH + 1 // a window
	// Rows that the next band needs too are moved when the memory is used up,
	// which several bands should fit.
	o.Rows = min(max((chainCache/line-least)/(3*d.StrideH), 1), o.Filtered().Shape[1])
	o.Held = min(max(chainCache/line, least+(o.Rows-1)*d.StrideH), o.Expanded().Shape[1])
}

// Floats returns how many floats of the maps between are kept at a time.
func (o *Chain) Floats() (expanded, filtered int) {
	if o.Project != nil {
		filtered = o.Rows * tensor.Size(o.Filtered().Shape[2:])
	}
	return o.Held * tensor.Size(o.Expanded().Shape[2:]), filtered
}

// parts returns the operators.
func (o *Chain) parts() []*Node {
	if o.Project == nil {
		return []*Node{o.Expand, o.Depthwise}
	}
	return []*Node{o.Expand, o.Depthwise, o.Project}
}

func (o *Chain) workspace(*Net, *Node) workspace {
	expanded, filtered := o.Floats()
	return workspace{chain: expanded + filtered}
}

func (o *Chain) words(*Node) words { return words{kernel: fmt.Sprintf("bands of %d rows", o.Rows)} }
