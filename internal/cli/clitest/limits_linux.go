package clitest

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

func limitAddressSpace(left string) error {
	n, err := strconv.ParseUint(left, 10, 63)
	if err != nil {
		return err
	}
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	var pages uint64
	if _, err := fmt.Sscan(string(b), &pages); err != nil {
		return err
	}
	n += pages * uint64(os.Getpagesize())
	return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: n, Max: n})
}
