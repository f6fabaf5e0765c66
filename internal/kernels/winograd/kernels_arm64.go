//go:build !purego

package winograd

import "github.com/onetomany/caption/internal/kernels/cpu"

const (
	lanes      = 4 // of NEON
	shortTiles = false
)

// Filters are transformed once only: in plain Go.
func init() { levels[cpu.NEON] = kernel{inputLanes, outputLanes, filterGeneric, 4, false} }
