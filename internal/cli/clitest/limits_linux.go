package clitest

import (
	"strconv"
	"syscall"

	"github.com/onetomany/caption/internal/cli"
)

func limitAddressSpace(left string) error {
	n, err := strconv.ParseUint(left, 10, 63)
	if err != nil {
		return err
	}
	used, err := cli.AddressSpace()
	if err != nil {
		return err
	}
	n += uint64(used)
	return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: n, Max: n})
}
