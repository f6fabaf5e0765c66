//go:build !purego

package depthwise

import "github.com/onetomany/caption/internal/kernels/cpu"

func init() { levels[cpu.NEON] = common }
