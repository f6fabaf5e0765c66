//go:build !purego

package matmul

import "github.com/onetomany/caption/internal/kernels/cpu"

func init() {
	levels[cpu.NEON] = kernel{
		shape: shape{6, 16, 8, false}, run: run6x16,
		square: 4, transpose: transposeSquares, scatter: scatterSquares,
	}
}
