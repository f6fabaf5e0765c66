package kernels

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// isa is an instruction set that has its own version of the inner loops.
type isa uint8

const (
	generic isa = iota // plain Go
	avx2               // amd64: AVX2 and FMA
	avx512             // amd64: AVX-512 F, VL, BW and DQ, besides avx2
	neon               // arm64: Advanced SIMD, which each such processor has
)

var isaNames = [...]string{generic: "generic", avx2: "avx2", avx512: "avx512", neon: "neon"}

// active is the version in use. It is set once at start; tests switch it.
var active, cpuError = choose(os.Getenv("CAPTION_CPU"), versions())

// choose returns the version asked for by name among those that there are, the
// best being last. That one it takes where the name is empty, and with an error
// where it is none of theirs.
func choose(name string, there []isa) (isa, error) {
	best := there[len(there)-1]
	if name == "" {
		return best, nil
	}
	var names []string
	for _, v := range there {
		if isaNames[v] == name {
			return v, nil
		}
		names = append(names, isaNames[v])
	}
	what := "no such instruction set"
	if slices.Contains(isaNames[:], name) {
		what = "not on this processor, or not in this build"
	}
	return best, fmt.Errorf("CAPTION_CPU=%s: %s; using %s of %s", name, what, isaNames[best], strings.Join(names, ", "))
}

// CPUError says that CAPTION_CPU asks for a version that is unknown or not to
// be had here, so that the best one is in use instead. It is nil otherwise.
func CPUError() error { return cpuError }
