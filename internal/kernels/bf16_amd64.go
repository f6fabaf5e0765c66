//go:build !purego

package kernels

import "golang.org/x/sys/cpu"

func bestUnit() unit {
	if cpu.X86.HasAVX512BF16 {
		return avx512BF16
	}
	return plain
}

//go:noescape
func tileBF16AVX512(t *tileBF16)

// run computes t with the given unit.
func (t *tileBF16) run(u unit) {
	if u == avx512BF16 {
		tileBF16AVX512(t)
	} else {
		tileBF16Generic(t)
	}
}

func toBF16(dst []BF16, src []float32)   { toBF16Generic(dst, src) }
func fromBF16(dst []float32, src []BF16) { fromBF16Generic(dst, src) }
