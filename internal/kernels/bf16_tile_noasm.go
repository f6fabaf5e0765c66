package kernels

// run computes t; there is only the plain version here.
func (t *tileBF16) run(unit) { tileBF16Generic(t) }
