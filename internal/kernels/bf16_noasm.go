package kernels

func bestUnit() unit { return plain }

func toBF16(dst []BF16, src []float32)   { toBF16Generic(dst, src) }
func fromBF16(dst []float32, src []BF16) { fromBF16Generic(dst, src) }
