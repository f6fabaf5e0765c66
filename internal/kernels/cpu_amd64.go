//go:build !purego

package kernels

import "golang.org/x/sys/cpu"

func best() isa {
	switch {
	case !cpu.X86.HasAVX2 || !cpu.X86.HasFMA:
		return generic
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ:
		return avx512
	}
	return avx2
}
