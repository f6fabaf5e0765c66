//go:build !purego

package cpu

// Available returns the levels of this processor, the best last.
func Available() []Level { return []Level{Generic, NEON} }

// BestUnit returns the best unit of this processor.
func BestUnit() Unit { return NoUnit }
