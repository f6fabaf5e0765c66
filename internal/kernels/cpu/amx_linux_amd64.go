//go:build !purego

package cpu

import (
	"syscall"

	"golang.org/x/sys/cpu"
)

// hasAMX reports whether the processor multiplies BF16 tiles and the kernel lets
// this process: it must be asked, since their registers make what it saves of a
// thread 8 KB larger. (Linux, Documentation/arch/x86/xstate.rst)
func hasAMX() bool {
	const (
		archReqXcompPerm = 0x1023
		tileData         = 18
	)
	if !cpu.X86.HasAMXTile || !cpu.X86.HasAMXBF16 {
		return false
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, archReqXcompPerm, tileData, 0)
	return errno == 0
}
