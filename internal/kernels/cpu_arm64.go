//go:build !purego

package kernels

// versions returns what this processor has, the best last.
func versions() []isa { return []isa{generic, neon} }
