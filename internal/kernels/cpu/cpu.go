// Package cpu says which instruction sets the kernels use: the best that the
// processor has, or what the environment variable CAPTION_CPU asks for (avx512,
// avx2, neon or generic).
package cpu

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A Level is an instruction set for which there are kernels.
type Level uint8

const (
	Generic Level = iota // plain Go
	AVX2                 // amd64: AVX2, FMA and F16C
	AVX512               // amd64: AVX-512 F, VL, BW and DQ, besides AVX2
	NEON                 // arm64: Advanced SIMD, which each such processor has
	Levels               // how many there are
)

var levelNames = [Levels]string{"generic", "avx2", "avx512", "neon"}

func (v Level) String() string { return levelNames[v] }

// A Unit is the part of a processor that multiplies bfloat16 numbers.
type Unit uint8

const (
	NoUnit     Unit = iota // plain Go, slower than float32: for tests
	AVX512BF16             // AVX-512 with AVX512_BF16
	AMX                    // AMX_TILE and AMX_BF16, besides AVX512_BF16
	Units                  // how many there are
)

var unitNames = [Units]string{"", "avx512_bf16", "amx"}

// String names the unit; NoUnit is the empty string.
func (u Unit) String() string { return unitNames[u] }

// Active and ActiveUnit are in use. They are set once at start; tests switch them
// among Available and up to BestUnit.
var (
	Active, err = choose(os.Getenv("CAPTION_CPU"), Available())
	ActiveUnit  = chooseUnit(os.Getenv("CAPTION_CPU"), Active, BestUnit())
)

// Err is not nil where CAPTION_CPU asks for a level that is unknown or not to be
// had here, so that the best one is in use instead.
func Err() error { return err }

// BF16Unit names the instructions that the BF16 kernels use: amx, avx512_bf16, or
// none where the processor lacks both or CAPTION_CPU asks for avx2 or generic. Then
// they compute the same in plain Go. With CAPTION_CPU=avx512 a processor with AMX
// uses avx512_bf16.
func BF16Unit() string { return ActiveUnit.String() }

// choose returns the level of that name among the available ones, of which the best
// is the last. Without a name it returns the best, and for an unknown name the best
// and an error.
func choose(name string, available []Level) (Level, error) {
	best := available[len(available)-1]
	if name == "" {
		return best, nil
	}
	var names []string
	for _, v := range available {
		if v.String() == name {
			return v, nil
		}
		names = append(names, v.String())
	}
	problem := "no such instruction set"
	if slices.Contains(levelNames[:], name) {
		problem = "not on this processor, or not in this build"
	}
	return best, fmt.Errorf("CAPTION_CPU=%s: %s; using %s of %s", name, problem, best, strings.Join(names, ", "))
}

// chooseUnit returns the best unit that goes with the level v. The name avx512
// stands for AVX512_BF16 also where there is AMX.
func chooseUnit(name string, v Level, best Unit) Unit {
	switch {
	case v != AVX512:
		return NoUnit
	case name == AVX512.String():
		return min(best, AVX512BF16)
	}
	return best
}
