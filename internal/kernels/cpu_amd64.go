//go:build !purego

package kernels

import "golang.org/x/sys/cpu"

// versions returns what this processor has, the best last.
func versions() []isa {
	switch {
	case !cpu.X86.HasAVX2 || !cpu.X86.HasFMA:
		return []isa{generic}
	case !cpu.X86.HasAVX512F || !cpu.X86.HasAVX512VL || !cpu.X86.HasAVX512BW || !cpu.X86.HasAVX512DQ:
		return []isa{generic, avx2}
	}
	return []isa{generic, avx2, avx512}
}
