//go:build !amd64 || purego

package kernels

func best() isa { return generic }
