//go:build !purego

package vmath

import (
	"math"

	_ "github.com/onetomany/caption/internal/kernels/asm" // included by the assembly
)

// What neon_arm64.s keeps in registers.
var (
	expConstants = [...]float32{expLow, expHigh, log2e, ln2High, ln2Low, exp7, exp6, exp5, exp4, exp3, exp2, 1, 2, tanhHigh}
	erfConstants = [...]float32{erfHigh, erfP6, erfP5, erfP4, erfP3, erfP2, erfP1, erfP0, erfQ4, erfQ3, erfQ2, erfQ1, erfQ0, 1 / math.Sqrt2, 0.5}
)
