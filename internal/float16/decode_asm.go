//go:build (amd64 || arm64) && !purego

package float16

import (
	_ "github.com/onetomany/caption/internal/kernels/asm" // included by the assembly
	"github.com/onetomany/caption/internal/kernels/cpu"
)

// decodeAsm decodes len(dst) numbers, a multiple of 32 and not 0.
//
//go:noescape
func decodeAsm(dst []float32, src []byte)

// decodeBlocks decodes the first n numbers.
func decodeBlocks(dst []float32, src []byte) (n int) {
	n = len(dst) &^ 31
	if cpu.Active == cpu.Generic || n == 0 {
		return 0
	}
	decodeAsm(dst[:n], src)
	return n
}
