//go:build !linux

package cli

func addressSpace() (left int64, limited bool) { return 0, false }

func descriptors(most int) int { return most }
