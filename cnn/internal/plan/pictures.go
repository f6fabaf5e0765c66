package plan

import "slices"

// findPictures reports whether the net computes for each picture of a batch, of any
// size, what it computes for that picture alone. It sets Value.Pictures, the axis along
// which pictures lie, which may hold several indices of each, one picture after the
// other. Where it cannot tell, it reports false, and pictures go through in batches of
// the exporter's size.
//
// A batch size that the exporter fixed does no harm: the constants that held it, such
// as the targets of reshapes, are gone by now.
func (g *Net) findPictures() bool {
	g.Input.Pictures = 0
	for _, n := range g.Nodes {
		for _, v := range n.In {
			if v != nil && v.Data != nil {
				if v.fromBatch {
					return false
				}
				v.Pictures = -1
			}
		}
		if len(n.In) == 0 || n.In[0] == nil {
			return false
		}
		axis, ok := n.Op.pictures(n)
		if !ok {
			return false
		}
		for _, v := range n.Out {
			v.Pictures = axis
			if axis < 0 || axis >= len(v.Shape) || v.Shape[axis]%g.Base != 0 {
				return false
			}
		}
	}
	return g.Output.Pictures == 0
}

// keep is the answer of operators whose output has the axes of their inputs: the axis
// of the pictures must be the same in all of them, and not among those that n mixes.
func (n *Node) keep(mixed ...int) (axis int, ok bool) {
	axis = n.In[0].Pictures
	for _, v := range n.In[1:] {
		if v.Pictures != axis {
			return 0, false
		}
	}
	return axis, axis >= 0 && !slices.Contains(mixed, axis)
}

// broadcastPictures finds the axis of the pictures for operators on broadcast
// elements. Operands without pictures must be the same for all of them.
func broadcastPictures(in []*Value, out []int) (axis int, ok bool) {
	axis = -1
	for _, v := range in {
		if v == nil || v.Pictures < 0 {
			continue
		}
		a := v.Pictures + len(out) - len(v.Shape)
		if axis >= 0 && a != axis || v.Shape[v.Pictures] != out[a] {
			return 0, false
		}
		axis = a
	}
	if axis < 0 {
		return 0, false
	}
	for _, v := range in {
		if v == nil || v.Pictures >= 0 {
			continue
		}
		if a := axis - len(out) + len(v.Shape); a >= 0 && v.Shape[a] != 1 {
			return 0, false
		}
	}
	return axis, true
}
