//go:build !amd64 || purego

package kernels

func bestUnit() unit { return plain }

// run computes t; there is only the plain version here.
func (t *tileBF16) run(unit) { tileBF16Generic(t) }

func toBF16(dst []BF16, src []float32)   { toBF16Generic(dst, src) }
func fromBF16(dst []float32, src []BF16) { fromBF16Generic(dst, src) }
