package kernels

import "os"

// isa is an instruction set that has its own version of the inner loops. Each
// value includes those below it.
type isa uint8

const (
	generic isa = iota
	avx2        // AVX2 and FMA
	avx512      // AVX-512 F, VL, BW and DQ
)

var isaNames = [...]string{generic: "generic", avx2: "avx2", avx512: "avx512"}

// active is the version in use. It is set once at start; tests switch it.
var active = choose(os.Getenv("CAPTION_CPU"), best())

// choose returns the version asked for by name, or the best where the name is
// none or is beyond what the processor has.
func choose(name string, best isa) isa {
	for i, s := range isaNames {
		if s == name {
			return min(isa(i), best)
		}
	}
	return best
}

// CPU names the version of the inner loops in use: avx512, avx2 or generic.
func CPU() string { return isaNames[active] }
