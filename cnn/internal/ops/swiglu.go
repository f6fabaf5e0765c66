package ops

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/op"
)

var _ = op.Register([]op.Row{
	{Name: "SwiGLU", Since: 28, Sig: "f f", Attrs: "alpha:float=1", Pictures: op.Elementwise, Bind: bindSwiGLU},
})

// bindSwiGLU: the Swish of the first input times the second, of equal shape.
func bindSwiGLU(b *op.Binding) *op.Kernel {
	b.RefuseIf(!slices.Equal(b.In[0].Shape, b.In[1].Shape), "shapes %v and %v differ", b.In[0].Shape, b.In[1].Shape)
	alpha := b.Float("alpha")
	return arithmetic(EachRow(func(x, y float32) float32 { return x / (1 + exp32(-alpha*x)) * y }), nil)(b)
}
