//go:build (!amd64 && !arm64) || purego

package float16

func decodeBlocks(dst []float32, src []byte) (n int) { return 0 }
