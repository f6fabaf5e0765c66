//go:build !purego

package kernels

import "golang.org/x/sys/cpu"

func bestUnit() unit { return bestUnitHere }

var bestUnitHere = func() unit {
	switch {
	case !cpu.X86.HasAVX512BF16:
		return plain
	case !hasAMX():
		return avx512BF16
	}
	return amx
}()

//go:noescape
func tileBF16AVX512(t *tileBF16)

//go:noescape
func tileBF16AMX(t *tileBF16)

// run computes t with the given unit.
func (t *tileBF16) run(u unit) {
	switch {
	case u == avx512BF16:
		tileBF16AVX512(t)
	case u == amx && bestUnit() == amx:
		tileBF16AMX(t)
	default:
		t.runGeneric(u)
	}
}

// The kernels below hold 32 BF16 numbers as two vectors of float32, those of even
// index and those of odd index: each is a shift or a mask away.

//go:noescape
func depthwiseBF16AVX512(t *stripBF16)

//go:noescape
func maxPoolBF16AVX512(t *stripBF16)

//go:noescape
func sumPoolBF16AVX512(t *stripBF16)

// run computes t, which has taps.
func (t *stripBF16) run(kind stripKind) {
	switch {
	case activeUnit == plain:
		t.runGeneric(kind)
	case kind == depthwise:
		depthwiseBF16AVX512(t)
	case kind == maxPool:
		maxPoolBF16AVX512(t)
	default:
		sumPoolBF16AVX512(t)
	}
}

//go:noescape
func wino2InputAVX512(t *wino2Input)

//go:noescape
func wino2OutputAVX512(t *wino2Output)

func (t *wino2Input) run() {
	if activeUnit == plain {
		t.runGeneric()
	} else {
		wino2InputAVX512(t)
	}
}

func (t *wino2Output) run() {
	if activeUnit == plain {
		t.runGeneric()
	} else {
		wino2OutputAVX512(t)
	}
}

// spreadBlock is how many neighbouring weights spread works on at a time.
const spreadBlock = 32

// spreadAVX512 arranges whole blocks.
//
//go:noescape
func spreadAVX512(dst, src []float32)

// spread sets dst, whole blocks, to the values of src with zeros behind them: in
// each block first those of even index, then those of odd index.
func spread(dst, src []float32) {
	n := len(src) &^ (spreadBlock - 1)
	if n > 0 {
		spreadAVX512(dst[:n], src)
	}
	if n < len(src) {
		var x [spreadBlock]float32
		copy(x[:], src[n:])
		spreadAVX512(dst[n:][:spreadBlock], x[:])
	}
}

// The functions below take any length but 0.

//go:noescape
func toBF16AVX512(dst []BF16, src []float32)

//go:noescape
func fromBF16AVX512(dst []float32, src []BF16)

//go:noescape
func addBF16AVX512(dst, a, b []BF16)

//go:noescape
func mulBF16AVX512(dst, a, b []BF16)

//go:noescape
func addWideAVX512(dst []float32, x []BF16)

func toBF16(dst []BF16, src []float32) {
	if activeUnit == plain || len(dst) == 0 {
		toBF16Generic(dst, src)
		return
	}
	toBF16AVX512(dst, src)
}

func fromBF16(dst []float32, src []BF16) {
	if activeUnit == plain || len(dst) == 0 {
		fromBF16Generic(dst, src)
		return
	}
	fromBF16AVX512(dst, src)
}

func addBF16(dst, a, b []BF16) {
	if activeUnit == plain || len(dst) == 0 {
		addBF16Generic(dst, a, b)
		return
	}
	addBF16AVX512(dst, a, b)
}

func mulBF16(dst, a, b []BF16) {
	if activeUnit == plain || len(dst) == 0 {
		mulBF16Generic(dst, a, b)
		return
	}
	mulBF16AVX512(dst, a, b)
}

func addWide(dst []float32, x []BF16) {
	if activeUnit == plain || len(dst) == 0 {
		addWideGeneric(dst, x)
		return
	}
	addWideAVX512(dst, x)
}

// Orders of values for the assembly: two halves of 16 words into one of 32,
// taking turns; the same of float32, to two vectors; and the way back.
var (
	zipWords   [32]uint16
	zipFloats  [2][16]uint32
	evenAndOdd [2][16]uint32
)

func init() {
	for i := range uint32(16) {
		zipWords[2*i], zipWords[2*i+1] = uint16(i), uint16(i+16)
		zipFloats[i/8][2*i%16], zipFloats[i/8][2*i%16+1] = i, i+16
		evenAndOdd[0][i], evenAndOdd[1][i] = 2*i, 2*i+1
	}
}
