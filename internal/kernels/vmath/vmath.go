// Package vmath computes functions of vectors, value by value, and sums over them,
// on float32 and bfloat16.
package vmath

import (
	"fmt"
	"math"
)

// The functions of this file work on whole slices. dst gives the length; the
// others may be longer. dst may be one of the arguments, but must not overlap
// one otherwise. Errors are given against the exact value of the float32
// argument; where a value lies in the slice makes no difference to its result.

// Exp sets dst = eˣ, with a relative error below 2e-7 (results below 1e-38, the
// subnormal numbers, have fewer digits).
func Exp(dst, src []float32) { unary(fnExp, dst, src, 0, 0) }

// Tanh sets dst = tanh x, with a relative error below 3e-7.
func Tanh(dst, src []float32) { unary(ActTanh, dst, src, 0, 0) }

// Sigmoid sets dst = 1/(1+e⁻ˣ), with a relative error below 2e-7 (0 below x =
// −88.7).
func Sigmoid(dst, src []float32) { unary(ActSigmoid, dst, src, 0, 0) }

// Erf sets dst = erf x, with a relative error below 5e-7.
func Erf(dst, src []float32) { unary(fnErf, dst, src, 0, 0) }

// Add sets dst = a + b.
func Add(dst, a, b []float32) { binary(opAdd, dst, a, b) }

// Sub sets dst = a − b.
func Sub(dst, a, b []float32) { binary(opSub, dst, a, b) }

// Mul sets dst = a·b, value by value.
func Mul(dst, a, b []float32) { binary(opMul, dst, a, b) }

// MulAdd sets dst += a·b, value by value.
func MulAdd(dst, a, b []float32) { binary(opMulAdd, dst, a, b) }

// Affine sets dst = x·scale + shift, within lo…hi, for rows of src and dst as long
// as scale and shift. A NaN stays one. Without shift, nil, nothing is limited.
func Affine(dst, src, scale, shift []float32, lo, hi float32) {
	if len(dst) == 0 {
		return
	}
	if len(scale) == 0 || len(dst)%len(scale) != 0 || len(src) < len(dst) || shift != nil && len(shift) < len(scale) {
		panic(fmt.Sprintf("vmath: %d values of %d in rows of %d", len(dst), len(src), len(scale)))
	}
	if affineRows(dst, src, scale, shift, lo, hi) {
		return
	}
	for c := len(scale); len(dst) > 0; dst, src = dst[c:], src[c:] {
		y := dst[:c]
		Mul(y, src, scale)
		if shift == nil {
			continue
		}
		Add(y, y, shift)
		if lo > -Inf || hi < Inf {
			unary(ActClip, y, y, lo, hi)
		}
	}
}

// Normalise sets dst = (x−mean)/√(variance+eps)·scale + shift, mean and variance
// being those of src; shift may be nil.
func Normalise(dst, src, scale, shift []float32, eps float32) {
	n := float32(len(dst))
	unary(fnShift, dst, src, sum(src[:len(dst)])/n, 0)
	f := 1 / math.Sqrt(float64(dot(dst, dst)/n+eps))
	Scale(dst, float32(f), dst)
	Mul(dst, dst, scale)
	if shift != nil {
		Add(dst, dst, shift)
	}
}

// Scale sets dst = alpha·x.
func Scale(dst []float32, alpha float32, x []float32) { unary(fnScale, dst, x, alpha, 0) }

// Axpy sets dst += alpha·x.
func Axpy(dst []float32, alpha float32, x []float32) { unary(fnAxpy, dst, x, alpha, 0) }

// Dot returns Σ aᵢ·bᵢ over the length of a.
func Dot(a, b []float32) float32 { return dot(a, b[:len(a)]) }

// Dot4 returns the products of a with four rows of b, ldb apart.
func Dot4(a, b []float32, ldb int) [4]float32 { return dot4(a, b, ldb) }

// Sum returns Σ xᵢ.
func Sum(x []float32) float32 { return sum(x) }

// Max returns the largest value: −Inf of none, NaN if there is one.
func Max(x []float32) float32 { return largest(x) }

// Softmax sets dst = e^xᵢ / Σ e^xⱼ. At least one x must be above −Inf and all
// below +Inf, or the results are NaN.
func Softmax(dst, src []float32) {
	src = src[:len(dst)]
	unary(fnShift, dst, src, largest(src), 0)
	Exp(dst, dst)
	Scale(dst, 1/sum(dst), dst)
}

// LogSoftmax sets dst = xᵢ − log Σ e^xⱼ. At least one x must be above −Inf and
// all below +Inf, or the results are NaN.
func LogSoftmax(dst, src []float32) {
	src = src[:len(dst)]
	m := largest(src)
	// Subtracted one after the other: their sum would lose the digits of the
	// logarithm where m is large.
	l := float32(math.Log(float64(sumExp(src, m))))
	unary(fnShift, dst, src, m, l)
}
