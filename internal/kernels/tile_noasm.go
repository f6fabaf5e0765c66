//go:build (!amd64 && !arm64) || purego

package kernels

// run computes t; there is only the plain version here.
func (t *tile) run(isa) { tileGeneric(t) }
