//go:build (!amd64 && !arm64) || purego

package cpu

// Available returns the levels of this processor, the best last.
func Available() []Level { return []Level{Generic} }

// BestUnit returns the best unit of this processor.
func BestUnit() Unit { return NoUnit }
