package train

import (
	"math"
	"math/rand/v2"
)

// Every random number of a run is a function of the seed and of where it is
// used, never of what was drawn before. So a checkpoint needs no state of a
// generator, and any number of goroutines can draw masks.

// Streams keep the uses of one seed apart.
const (
	streamInit uint64 = iota + 1
	streamShuffle
	streamDropoutIn
	streamDropoutOut
)

// mix is the output function of SplitMix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// keyOf derives the key of a stream at a position (an epoch, a step).
func keyOf(seed int64, stream, pos uint64) uint64 {
	return mix(mix(mix(uint64(seed))+stream) + pos)
}

// source returns the generator of a stream at a position.
func source(seed int64, stream, pos uint64) *rand.Rand {
	return rand.New(rand.NewPCG(keyOf(seed, stream, pos), stream))
}

// dropMask writes the dropout mask of a row that starts at element from: 0 with
// probability p, else 1/(1−p). Each 64-bit draw decides four elements, so p is
// rounded to 1/65536.
func dropMask(mask []float32, key uint64, from int, p float64) {
	limit := uint64(math.Round(p * 65536))
	keep := float32(1 / (1 - p))
	for i := 0; i < len(mask); i += 4 {
		bits := mix(key + uint64(from+i))
		for j := i; j < min(i+4, len(mask)); j++ {
			m := keep
			if bits&0xffff < limit {
				m = 0
			}
			mask[j] = m
			bits >>= 16
		}
	}
}
