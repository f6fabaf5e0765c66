//go:build !purego

package matmul

import "github.com/onetomany/caption/internal/kernels/cpu"

func init() {
	levels[cpu.NEON] = kernel{
		rows: 6, cols: 16, run: run6x16,
		square: 4, transpose: transposeSquares, scatter: scatterSquares,
	}
}
