//go:build !purego

package winograd

import "github.com/onetomany/caption/internal/kernels/cpu"

const (
	lanes      = 8    // of AVX2
	shortTiles = true // too
)

func init() {
	levels[cpu.AVX2] = kernel{inputLanes, outputLanes, filterAVX2, 4, true}
	levels[cpu.AVX512] = kernel{inputAVX512, outputAVX512, filterAVX2, 4, true}
	units[cpu.AVX512BF16] = kernelBF16{smallInputAVX512, smallOutputAVX512}
	units[cpu.AMX] = units[cpu.AVX512BF16]
}

func filterAVX2(t *filter)
func inputAVX512(t *input)
func outputAVX512(t *output)
func smallInputAVX512(t *smallInput)
func smallOutputAVX512(t *smallOutput)
