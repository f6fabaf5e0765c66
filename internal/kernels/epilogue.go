package kernels

// An Epilogue is what happens to a matrix product or a convolution on its way
// into C: C = act(A·B + Bias + Residual). The zero value, like nil, is none.
type Epilogue struct {
	Bias []float32 // one value for each column; nil for none

	Residual      []float32 // rows like C's, LdRes apart; nil for none; may be C itself unless ResidualAfter
	LdRes         int
	ResidualAfter bool // add Residual after the activation instead of before

	Act         Activation
	Alpha, Beta float32 // slope of LeakyReLU; α and β of HardSigmoid
	Lo, Hi      float32 // bounds of Clip
}

// clamp gives the activation as bounds, which the micro kernels apply
// themselves, where it has that form.
func (e *Epilogue) clamp() (lo, hi float32, ok bool) {
	switch e.Act {
	case ActReLU:
		return 0, inf, true
	case ActClip:
		return e.Lo, e.Hi, true
	}
	return 0, 0, false
}

// late reports whether rows need another pass after the micro kernels.
func (e *Epilogue) late() bool {
	_, _, ok := e.clamp()
	return e.Act != ActNone && !ok || e.ResidualAfter && e.Residual != nil
}

// apply is that pass, over the columns of row i from column j.
func (e *Epilogue) apply(c []float32, i, j int) {
	if _, _, ok := e.clamp(); !ok {
		e.activate(c)
	}
	if e.ResidualAfter {
		e.add(c, i, j)
	}
}

func (e *Epilogue) activate(c []float32) {
	switch e.Act {
	case ActNone:
	case ActClip:
		e.Act.Apply(c, c, e.Lo, e.Hi)
	default:
		e.Act.Apply(c, c, e.Alpha, e.Beta)
	}
}

// add adds the residual of row i from column j on.
func (e *Epilogue) add(c []float32, i, j int) {
	if e.Residual != nil {
		Add(c, c, e.Residual[i*e.LdRes+j:])
	}
}
