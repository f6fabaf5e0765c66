package kernels

// An Epilogue is what happens to a matrix product or a convolution on its way
// into C: C = act(A·B + Bias + Residual). The zero value, like nil, is none.
type Epilogue = EpilogueOf[float32]

// EpilogueOf is an Epilogue for matrices of T.
type EpilogueOf[T value] struct {
	Bias []float32 // one value for each column; nil for none

	Residual []T // rows like C's, LdRes apart; nil for none; may be C itself
	LdRes    int

	Act         Activation
	Alpha, Beta float32 // slope of LeakyReLU; α and β of HardSigmoid
	Lo, Hi      float32 // bounds of Clip
}

// clamp gives the activation as bounds, which the micro kernels apply
// themselves, where it has that form.
func (e *EpilogueOf[T]) clamp() (lo, hi float32, ok bool) {
	switch e.Act {
	case ActReLU:
		return 0, inf, true
	case ActClip:
		return e.Lo, e.Hi, true
	}
	return 0, 0, false
}

// late reports whether rows need another pass after the micro kernels.
func (e *EpilogueOf[T]) late() bool {
	_, _, ok := e.clamp()
	return e.Act != ActNone && !ok
}

// activate applies the activation, whatever its form.
func (e *EpilogueOf[T]) activate(c []float32) { e.activateRows(c, 1, len(c), 0) }

// activateRows does so to rows of cols values, ldc apart.
func (e *EpilogueOf[T]) activateRows(c []float32, rows, cols, ldc int) {
	if e.Act == ActClip {
		e.Act.applyRows(c, rows, cols, ldc, e.Lo, e.Hi)
	} else {
		e.Act.applyRows(c, rows, cols, ldc, e.Alpha, e.Beta)
	}
}

// check panics where bias or residual do not fit an m×n result.
func (e *EpilogueOf[T]) check(m, n int) {
	if e.Bias != nil {
		checkMatrix("Bias", false, 1, n, e.Bias, n)
	}
	if e.Residual != nil {
		checkMatrix("Residual", false, m, n, e.Residual, e.LdRes)
	}
}
