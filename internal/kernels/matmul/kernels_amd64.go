//go:build !purego

package matmul

import "github.com/onetomany/caption/internal/kernels/cpu"

func init() {
	avx2 := kernel{
		shape: shape{6, 16, 8, false}, run: run6x16,
		square: 8, transpose: transposeSquares, scatter: scatterSquares,
		halfDots: halfDotsAVX2,
	}
	avx512 := avx2
	avx512.shape, avx512.run = shape{12, 32, 8, true}, tileAVX512
	levels[cpu.AVX2], levels[cpu.AVX512] = avx2, avx512

	units[cpu.AVX512BF16].run = tileBF16AVX512
	if cpu.BestUnit() == cpu.AMX { // tests try the rest of AMX without it
		units[cpu.AMX].run = tileBF16AMX
	}
}

func tileAVX512(t *tile)
func tileBF16AVX512(t *tileBF16)
func tileBF16AMX(t *tileBF16)

// halfDotsAVX2 sets s[4i+j] to the product of row i of a, which begin at 0, off1
// and off2, with row j of b, ldb bytes apart, each of k numbers, a multiple of 8
// and not 0.
func halfDotsAVX2(s *[12]float32, a []float32, off1, off2 int, b []byte, ldb, k int)
