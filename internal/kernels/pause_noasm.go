//go:build !amd64 || purego

package kernels

// pause passes a few nanoseconds.
//
//go:noinline
func pause() {}
