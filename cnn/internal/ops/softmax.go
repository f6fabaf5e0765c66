package ops

import (
	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var softmaxOps = []Op{
	{Name: "Softmax", Since: 1, Sig: "f", bind: alongAxis(vmath.Softmax)},
	{Name: "LogSoftmax", Since: 1, Sig: "f", bind: alongAxis(vmath.LogSoftmax)},
	{Name: "Hardmax", Since: 1, Sig: "f", bind: alongAxis(hardmax)},
}

// alongAxis binds an operator that turns each vector along an axis into
// another: one axis, by default the last, from opset 13 on; before, that axis,
// by default 1, and all that follow it taken as one.
func alongAxis(f func(out, in []float32)) func(*binding) (*Kernel, error) {
	return func(b *binding) (*Kernel, error) {
		x := b.in[0].Shape
		def := -1
		if b.opset < 13 {
			def = 1
		}
		axis, err := b.axis("axis", def, len(x))
		if err != nil {
			return nil, err
		}
		n, inner := x[axis], product(x[axis+1:])
		if b.opset < 13 {
			n, inner = n*inner, 1
		}
		run := func(in, out []*graph.Tensor, team *workers.Team) error {
			eachVector(out[0].F, in[0].F, n, inner, f)
			return nil
		}
		return b.kernel(run, float(x...))
	}
}

// eachVector calls f for each vector of n elements that lie inner apart.
func eachVector(out, in []float32, n, inner int, f func(out, in []float32)) {
	if len(out) == 0 {
		return
	}
	if inner == 1 {
		for i := 0; i < len(in); i += n {
			f(out[i:i+n], in[i:i+n])
		}
		return
	}
	v := make([]float32, n)
	for o := 0; o < len(in); o += n * inner {
		for i := o; i < o+inner; i++ {
			for j := range v {
				v[j] = in[i+j*inner]
			}
			f(v, v)
			for j := range v {
				out[i+j*inner] = v[j]
			}
		}
	}
}

// hardmax is 1 at the first largest element, 0 elsewhere.
func hardmax(out, in []float32) {
	best := 0
	for i, x := range in {
		if x > in[best] {
			best = i
		}
	}
	clear(out)
	out[best] = 1
}
