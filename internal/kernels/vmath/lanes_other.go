//go:build (!amd64 && !arm64) || purego

package vmath

func unary(f Activation, dst, src []float32, p, q float32) { unaryGeneric(f, dst, src, p, q) }
func binary(op operation, dst, a, b []float32)             { binaryGeneric(op, dst, a, b) }
func dot(a, b []float32) float32                           { return dotGeneric(a, b) }
func dot4(a, b []float32, ldb int) [4]float32              { return dot4Generic(a, b, ldb) }
func sum(x []float32) float32                              { return sumGeneric(x) }
func sumExp(x []float32, m float32) float32                { return sumExpGeneric(x, m) }
func largest(x []float32) float32                          { return largestGeneric(x) }
