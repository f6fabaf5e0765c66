//go:build !purego && !linux

package kernels

// hasAMX reports whether AMX can be used: other systems have other ways to ask.
func hasAMX() bool { return false }
