package kernels

// An Epilogue is what happens to a matrix product or a convolution on its way
// into C: C = act(A·B + Bias + Residual). The zero value, like nil, is none.
type Epilogue = EpilogueOf[float32]

// EpilogueOf is an Epilogue for matrices of T.
type EpilogueOf[T value] struct {
	Bias []float32 // one value for each column; nil for none

	Residual      []T // rows like C's, LdRes apart; nil for none; may be C itself unless ResidualAfter
	LdRes         int
	ResidualAfter bool // add Residual after the activation instead of before

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
	return e.Act != ActNone && !ok || e.ResidualAfter && e.Residual != nil
}

func (e *EpilogueOf[T]) activate(c []float32) {
	switch e.Act {
	case ActNone:
	case ActClip:
		e.Act.Apply(c, c, e.Lo, e.Hi)
	default:
		e.Act.Apply(c, c, e.Alpha, e.Beta)
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

// apply is the pass of late, over the columns of row i from column j.
func apply(e *Epilogue, c []float32, i, j int) {
	if _, _, ok := e.clamp(); !ok {
		e.activate(c)
	}
	if e.ResidualAfter {
		addResidual(e, c, i, j)
	}
}

// addResidual adds the residual of row i from column j on.
func addResidual(e *Epilogue, c []float32, i, j int) {
	if e.Residual != nil {
		Add(c, c, e.Residual[i*e.LdRes+j:])
	}
}
