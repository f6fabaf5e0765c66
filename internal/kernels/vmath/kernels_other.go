//go:build !amd64 || purego

package vmath

// Kernels that only amd64 has.

func unaryRows(f Activation, dst, src []float32, rows, cols, ldd, lds int, p, q float32) bool {
	return false
}
func affineRows(dst, src, scale, shift []float32, lo, hi float32) bool { return false }

// Those of BF16 are not called where there is no unit for it.

func toBF16Asm(dst []BF16, src []float32)       {}
func fromBF16Asm(dst []float32, src []BF16)     {}
func addBF16Asm(dst, a, b []BF16)               {}
func mulBF16Asm(dst, a, b []BF16)               {}
func accumulateBF16Asm(dst []float32, x []BF16) {}
