//go:build (!amd64 && !arm64) || purego

package kernels

func versions() []isa { return []isa{generic} }
