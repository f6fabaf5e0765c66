//go:build !purego && !linux

package cpu

// hasAMX reports whether AMX can be used: other systems have other ways to ask.
func hasAMX() bool { return false }
