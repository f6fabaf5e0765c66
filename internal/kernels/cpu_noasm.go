//go:build !amd64 || purego

package kernels

func versions() []isa { return []isa{generic} }
