package layers

import (
	"slices"

	"github.com/onetomany/caption/cnn/internal/op"
	"github.com/onetomany/caption/cnn/internal/ops"
	"github.com/onetomany/caption/cnn/internal/tensor"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var _ = op.Register([]op.Row{
	{Name: "MatMul", Since: 1, Sig: "f f", Pictures: matmulPictures, Work: 1, Head: op.Multiplies, Bind: bindMatMul},
	{Name: "Gemm", Since: 7, Sig: "f f f?", Attrs: "alpha:float=1 beta:float=1 transA:int=0 transB:int=0",
		Pictures: gemmPictures, Work: 1, Head: op.Affine, Bind: bindGemm},
})

// gemm is matmul.Mul, also for empty matrices.
func gemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, team *workers.Team) {
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		for i := range m {
			clear(c[i*ldc : i*ldc+n])
		}
		return
	}
	matmul.Mul(transA, transB, m, n, k, a, lda, b, ldb, false, c, ldc, team)
}

var matmulPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	return productPictures(b.In[0].Shape, b.In[1].Shape, axes[0], axes[1])
})

// productPictures is the rule for products of x and y, along whose axes a and b the
// pictures lie: rows by a matrix that is the same for all pictures, or matrices picture
// by picture.
func productPictures(x, y []int, a, b int) (axis int, ok bool) {
	switch {
	case a < 0:
		return 0, false
	case b < 0:
		return a, a < len(x)-1 && len(y) <= 2
	}
	return a, a == b && len(x) == len(y) && a < len(x)-2 && x[a] == y[a]
}

// product is a matrix product of [..., M, K] by [..., K, N] whose leading dimensions
// broadcast. A vector counts as one row on the left, one column on the right, and its
// dimension vanishes from the result.
type product struct {
	m, n, k int
	shape   []int
	w       tensor.Walk // over the matrices
}

func newProduct(b *op.Binding, x, y []int) *product {
	const mismatch = "shapes %v and %v do not multiply"
	b.RefuseIf(len(x) == 0 || len(y) == 0, mismatch, x, y)
	x0, y0 := x, y
	rowVector, columnVector := len(x) == 1, len(y) == 1
	if rowVector {
		x = []int{1, x[0]}
	}
	if columnVector {
		y = []int{y[0], 1}
	}
	p := &product{m: x[len(x)-2], k: x[len(x)-1], n: y[len(y)-1]}
	xb, yb := x[:len(x)-2], y[:len(y)-2]
	batch, err := tensor.Broadcast(xb, yb)
	b.RefuseIf(err != nil || y[len(y)-2] != p.k, mismatch, x0, y0)
	p.shape = slices.Clone(batch)
	if !rowVector {
		p.shape = append(p.shape, p.m)
	}
	if !columnVector {
		p.shape = append(p.shape, p.n)
	}
	op.Try(tensor.Count(p.shape))
	if tensor.Size(yb) == 1 {
		// One right side: the rows of all left sides make one matrix.
		p.m *= tensor.Size(xb)
		batch, xb, yb = nil, nil, nil
	}
	p.w = tensor.BroadcastWalk(batch, xb, yb)
	return p
}

func (p *product) run(out, x, y []float32, team *workers.Team) {
	p.w.Elements(func(o int, in [3]int) {
		gemm(false, false, p.m, p.n, p.k, x[in[0]*p.m*p.k:], p.k, y[in[1]*p.k*p.n:], p.n, out[o*p.m*p.n:], p.n, team)
	})
}

// work returns how long the product takes.
func (p *product) work() int64 { return int64(tensor.Size(p.shape)) * int64(p.k) / 16 }

func bindMatMul(b *op.Binding) *op.Kernel {
	p := newProduct(b, b.In[0].Shape, b.In[1].Shape)
	k := b.Kernel(func(in, out op.Tensors, team *workers.Team) error {
		p.run(out[0].F, in[0].F, in[1].F, team)
		return nil
	}, op.Float(p.shape...))
	k.Work = p.work()
	return k
}

// gemmPictures: rows by a matrix that is the same for all pictures.
var gemmPictures = op.Rule(func(b *op.Binding, axes []int) (int, bool) {
	c := b.X(2)
	rows := 0
	if b.Int("transA") != 0 {
		rows = 1
	}
	return 0, op.OnlyFirst(axes) && axes[0] == rows && (c == nil || len(c.Shape) < 2 || c.Shape[0] == 1)
})

// bindGemm: Y = alpha·A·B + beta·C, with A and B transposed at will and C
// broadcast to [M, N].
func bindGemm(b *op.Binding) *op.Kernel {
	x, y := b.In[0].Shape, b.In[1].Shape
	b.RefuseIf(len(x) != 2 || len(y) != 2, "shapes %v and %v are not matrices", x, y)
	alpha, beta := b.Float("alpha"), b.Float("beta")
	transA, transB := b.Int("transA") != 0, b.Int("transB") != 0
	m, k := x[0], x[1]
	if transA {
		m, k = k, m
	}
	k2, n := y[0], y[1]
	if transB {
		k2, n = n, k2
	}
	b.RefuseIf(k != k2, "shapes %v and %v do not multiply", x, y)
	var w tensor.Walk
	c := b.X(2)
	switch {
	case c == nil && b.Opset < 11:
		b.Refuse("input 2 is missing")
	case c != nil && !tensor.BroadcastsTo(c.Shape, []int{m, n}):
		b.Refuse("C %v does not broadcast to [%d %d]", c.Shape, m, n)
	case c != nil:
		w = tensor.BroadcastWalk([]int{m, n}, []int{m, n}, c.Shape)
	}
	add := ops.AddFloats
	if beta != 1 {
		add = ops.EachRow(func(x, c float32) float32 { return x + beta*c })
	}
	bias := c != nil && beta != 0
	kernel := b.Kernel(func(in, out op.Tensors, team *workers.Team) error {
		o := out[0].F
		gemm(transA, transB, m, n, k, in[0].F, x[1], in[1].F, y[1], o, n, team)
		if alpha != 1 {
			vmath.Scale(o, alpha, o)
		}
		if bias {
			ops.Walk(&w, o, o, in[2].F, add)
		}
		return nil
	}, op.Float(m, n))
	kernel.Work = int64(m) * int64(n) * int64(max(x[0], x[1])) / 16
	return kernel
}
