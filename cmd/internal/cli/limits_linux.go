package cli

import (
	"fmt"
	"math"
	"os"
	"syscall"
)

// addressSpace returns what ulimit -v leaves of the address space, in bytes;
// limited is false where there is no such limit.
func addressSpace() (left int64, limited bool) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err != nil || uint64(limit.Cur) > math.MaxInt64 {
		return 0, false
	}
	used, err := AddressSpace()
	return int64(limit.Cur) - used, err == nil
}

// AddressSpace returns how much address space the process has taken, in bytes.
func AddressSpace() (used int64, err error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var pages int64
	_, err = fmt.Sscan(string(b), &pages)
	return pages * int64(os.Getpagesize()), err
}

// descriptors counts how many more files can be opened, up to most.
func descriptors(most int) int {
	var open []int
	for len(open) < most {
		fd, err := syscall.Dup(0)
		if err == syscall.EBADF { // standard input is closed
			fd, err = syscall.Open("/", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		}
		if err != nil {
			break
		}
		open = append(open, fd)
	}
	for _, fd := range open {
		syscall.Close(fd)
	}
	return len(open)
}
