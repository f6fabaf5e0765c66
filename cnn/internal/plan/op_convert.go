package plan

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
