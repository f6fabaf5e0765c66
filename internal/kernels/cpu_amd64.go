//go:build !purego

package kernels

import "golang.org/x/sys/cpu"

func best() isa {
	switch {
	case !cpu.X86.HasAVX2 || !cpu.X86.HasFMA:
		return generic
	}
	return avx2
}
