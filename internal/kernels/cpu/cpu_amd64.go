//go:build !purego

package cpu

import "golang.org/x/sys/cpu"

// Available returns the levels of this processor, the best last.
func Available() []Level {
	switch x := &cpu.X86; {
	case !x.HasAVX2 || !x.HasFMA || !hasF16C():
		return []Level{Generic}
	case !x.HasAVX512F || !x.HasAVX512VL || !x.HasAVX512BW || !x.HasAVX512DQ:
		return []Level{Generic, AVX2}
	}
	return []Level{Generic, AVX2, AVX512}
}

// hasF16C reports whether the processor converts binary16; no processor with
// AVX2 is known that does not.
func hasF16C() bool

var bestUnit = func() Unit {
	switch {
	case !cpu.X86.HasAVX512BF16:
		return NoUnit
	case !hasAMX():
		return AVX512BF16
	}
	return AMX
}()

// BestUnit returns the best unit of this processor.
func BestUnit() Unit { return bestUnit }
