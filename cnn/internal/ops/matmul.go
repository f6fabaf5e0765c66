package ops

import (
	"fmt"
	"slices"

	"github.com/onetomany/caption/cnn/internal/graph"
	"github.com/onetomany/caption/internal/kernels/matmul"
	"github.com/onetomany/caption/internal/kernels/vmath"
	"github.com/onetomany/caption/internal/kernels/workers"
)

var matmulOps = []Op{
	{Name: "MatMul", Since: 1, Sig: "f f", bind: bindMatMul},
	{Name: "Gemm", Since: 7, Sig: "f f f?", bind: bindGemm},
}

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

// bindMatMul multiplies [..., M, K] by [..., K, N]; the leading dimensions
// broadcast. A vector counts as one row on the left, one column on the right,
// and its dimension vanishes from the result.
func bindMatMul(b *binding) (*Kernel, error) {
	x, y := b.in[0].Shape, b.in[1].Shape
	mismatch := fmt.Errorf("shapes %v and %v do not multiply", x, y)
	if len(x) == 0 || len(y) == 0 {
		return nil, mismatch
	}
	rowVector, columnVector := len(x) == 1, len(y) == 1
	if rowVector {
		x = []int{1, x[0]}
	}
	if columnVector {
		y = []int{y[0], 1}
	}
	m, k, n := x[len(x)-2], x[len(x)-1], y[len(y)-1]
	if y[len(y)-2] != k {
		return nil, mismatch
	}
	xb, yb := x[:len(x)-2], y[:len(y)-2]
	batch, err := broadcast(xb, yb)
	if err != nil {
		return nil, mismatch
	}
	shape := slices.Clone(batch)
	if !rowVector {
		shape = append(shape, m)
	}
	if !columnVector {
		shape = append(shape, n)
	}
	if _, err := count(shape); err != nil {
		return nil, err
	}
	if product(yb) == 1 {
		// One right side: the rows of all left sides make one matrix.
		m *= product(xb)
		batch, xb, yb = nil, nil, nil
	}
	l := broadcastLoops(batch, xb, yb)
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		l.rows(func(o int, off []int) {
			for i := range l.n {
				a := in[0].F[(off[0]+i*l.step[0])*m*k:]
				b := in[1].F[(off[1]+i*l.step[1])*k*n:]
				gemm(false, false, m, n, k, a, k, b, n, out[0].F[(o+i)*m*n:], n, team)
			}
		})
		return nil
	}
	return b.kernel(run, float(shape...))
}

// bindGemm: Y = alpha·A·B + beta·C, with A and B transposed at will and C
// broadcast to [M, N].
func bindGemm(b *binding) (*Kernel, error) {
	x, y := b.in[0].Shape, b.in[1].Shape
	if len(x) != 2 || len(y) != 2 {
		return nil, fmt.Errorf("shapes %v and %v are not matrices", x, y)
	}
	alpha, beta := b.Float("alpha", 1), b.Float("beta", 1)
	transA, transB := b.Int("transA", 0) != 0, b.Int("transB", 0) != 0
	m, k := x[0], x[1]
	if transA {
		m, k = k, m
	}
	k2, n := y[0], y[1]
	if transB {
		k2, n = n, k2
	}
	if k != k2 {
		return nil, fmt.Errorf("shapes %v and %v do not multiply", x, y)
	}
	var add *loops
	switch c := b.x(2); {
	case c == nil && b.opset < 11:
		return nil, fmt.Errorf("input 2 is missing")
	case c != nil && !broadcastsTo(c.Shape, []int{m, n}):
		return nil, fmt.Errorf("C %v does not broadcast to [%d %d]", c.Shape, m, n)
	case c != nil && beta != 0:
		add = broadcastLoops([]int{m, n}, []int{m, n}, c.Shape)
	}
	run := func(in, out []*graph.Tensor, team *workers.Team) error {
		o := out[0].F
		gemm(transA, transB, m, n, k, in[0].F, x[1], in[1].F, y[1], o, n, team)
		if alpha != 1 {
			vmath.Scale(o, alpha, o)
		}
		switch {
		case add == nil:
		case beta == 1:
			walk(add, o, o, in[2].F, addFloats)
		default:
			walk(add, o, o, in[2].F, eachRow(func(x, c float32) float32 { return x + beta*c }))
		}
		return nil
	}
	return b.kernel(run, float(m, n))
}
