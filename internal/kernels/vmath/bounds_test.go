//go:build linux || darwin

package vmath_test

import (
	"fmt"
	"testing"

	. "github.com/onetomany/caption/internal/kernels/vmath"

	"github.com/onetomany/caption/internal/kernels/kerneltest"
)

func TestVectorBounds(t *testing.T) {
	kerneltest.EachEdge(t, func(t *testing.T, do func(string, func()), mem func(i, n int) []float32, half func(i, n int) []BF16) {
		for n := range 71 {
			x, y, z := mem(0, n), mem(1, n), mem(2, n)
			do(fmt.Sprintf("functions of %d values", n), func() {
				Exp(z, x)
				Tanh(z, x)
				Sigmoid(z, x)
				Erf(z, x)
				Scale(z, 0.1, x)
				Axpy(z, 0.3, x)
				for f := ActReLU; f <= ActGELU; f++ {
					f.Apply(z, x, 0.1, 0.2)
				}
			})
			do(fmt.Sprintf("functions of two times %d values", n), func() {
				Add(z, x, y)
				Sub(z, x, y)
				Mul(z, x, y)
				MulAdd(z, x, y)
			})
			if n > 0 {
				do(fmt.Sprintf("affine, rows of %d", n), func() {
					Affine(mem(2, 3*n), mem(0, 3*n), mem(1, n), mem(3, n), 0, 1)
					Affine(mem(2, 3*n), mem(0, 3*n), mem(1, n), nil, 0, 1)
				})
			}
			do(fmt.Sprintf("sums of %d values", n), func() {
				Dot(x, y)
				Dot4(x, mem(3, 4*n), n)
				Sum(x)
				Max(x)
				LogSoftmax(z, x)
			})
			do(fmt.Sprintf("%d values to BF16 and back", n), func() {
				ToBF16(half(3, n), x)
				FromBF16(z, half(3, n))
			})
			do(fmt.Sprintf("arithmetic of %d BF16 values", n), func() {
				a, b := half(3, n), half(4, n)
				AddBF16(half(5, n), a, b)
				MulBF16(half(5, n), a, b)
				AccumulateBF16(z, a)
			})
		}
	})
}
