package plan

import "github.com/onetomany/caption/cnn/internal/tensor"

import "slices"

// Convert stores In[0] in the other precision.
type Convert struct{ common }

// Pixels stores the picture, float32 of [N,C,H,W], as bf16 of [N,H,W,PixelSize], with
// zeros behind its channels: a row of taps is in one piece then, and in pairs.
type Pixels struct{ common }

// PixelSize is the number of channels that a pixel of the picture has in bf16.
const PixelSize = 4

func init() {
	register(&Convert{}, nil)
	register(&Pixels{}, nil)
}

// readPixels lets n, a convolution of the transposed picture, take it as Pixels
// stores it; done holds those that there are.
func (g *Net) readPixels(n *Node, done map[*Value]*Value) {
	o, ok := n.Op.(*Conv)
	if !ok || o.Groups != 1 || o.C >= PixelSize {
		return
	}
	t, ok := n.In[0].producer().(*Transpose)
	if !ok || !slices.Equal(t.Perm, toNHWC) {
		return
	}
	x := n.In[0].def.In[0]
	if x.BF16 {
		return
	}
	if done[x] == nil {
		shape := tensor.Permuted(x.Shape, toNHWC)
		shape[3] = PixelSize
		y := g.add(x.Name, &Pixels{}, x.Type, shape, x)
		y.BF16, y.Pictures = true, 0
		done[x] = y
	}
	n.In[0], o.Fill = done[x], PixelSize-o.C
}

func (o *Convert) describe(*Node) (what, kernel string, fused []string) {
	return "convert precision", "vector", nil
}
func (o *Pixels) describe(*Node) (what, kernel string, fused []string) {
	return "pixels in bf16", "vector", nil
}
