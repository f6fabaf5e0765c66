//go:build !purego

package workers

func init() { pause = pauseAMD64 }

// pauseAMD64 tells the processor that a loop waits for another thread.
func pauseAMD64()
