package kernels

import (
	"fmt"

	"github.com/onetomany/caption/internal/kernels/vmath"
)

// A Value is what matrices and pictures consist of.
type Value interface{ float32 | vmath.BF16 }

// An Epilogue is what happens to a matrix product or a convolution on its way
// into C: C = act(A·B + Bias + Residual). The zero value, like nil, is none.
type Epilogue = EpilogueOf[float32]

// An EpilogueBF16 is an Epilogue for BF16. All of it is computed on the float32 sums.
type EpilogueBF16 = EpilogueOf[vmath.BF16]

// EpilogueOf is an Epilogue for matrices of T.
type EpilogueOf[T Value] struct {
	Bias []float32 // one value for each column; nil for none

	Residual []T // rows like C's, LdRes apart; nil for none; may be C itself
	LdRes    int

	Act         vmath.Activation
	Alpha, Beta float32 // its constants, see vmath.Activation.Apply
}

// Clamp gives the activation as bounds, which the micro kernels apply
// themselves, where it has that form.
func (e *EpilogueOf[T]) Clamp() (lo, hi float32, ok bool) {
	switch e.Act {
	case vmath.ActReLU:
		return 0, vmath.Inf, true
	case vmath.ActClip:
		return e.Alpha, e.Beta, true
	}
	return 0, 0, false
}

// Late reports whether rows need another pass after the micro kernels.
func (e *EpilogueOf[T]) Late() bool {
	_, _, ok := e.Clamp()
	return e.Act != vmath.ActNone && !ok
}

// Activate applies the activation, whatever its form, to rows of cols values, ld
// apart.
func (e *EpilogueOf[T]) Activate(x []float32, rows, cols, ld int) {
	e.Act.ApplyRows(x, rows, cols, ld, e.Alpha, e.Beta)
}

// Check panics where bias or residual do not fit an m×n result.
func (e *EpilogueOf[T]) Check(m, n int) {
	if e.Bias != nil {
		CheckMatrix("Bias", false, 1, n, e.Bias, n)
	}
	if e.Residual != nil {
		CheckMatrix("Residual", false, m, n, e.Residual, e.LdRes)
	}
}

// CheckMatrix panics unless x holds a matrix of rows×cols after the optional
// transposition, with its rows as stored ld values apart.
func CheckMatrix[T Value](name string, trans bool, rows, cols int, x []T, ld int) {
	if trans {
		rows, cols = cols, rows
	}
	if rows < 0 || cols < 0 {
		panic(fmt.Sprintf("kernels: %s is %d×%d", name, rows, cols))
	}
	if rows == 0 || cols == 0 {
		return
	}
	if ld < cols || len(x) < (rows-1)*ld+cols {
		panic(fmt.Sprintf("kernels: %s: %d×%d does not fit %d values with rows %d apart", name, rows, cols, len(x), ld))
	}
}
